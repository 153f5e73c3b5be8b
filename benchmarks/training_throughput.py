"""How much of the bare step's speed is left of a training as the program runs it, and of the usual way to write one.

    python -m benchmarks.training_throughput
    python -m benchmarks.training_throughput --rounds 5 --net segnet_vgg19 --net resnet18

Three ways in turns, round after round, with the same network, batch size and precision:
bare: the step (forward, loss, backward, clipping, AdamW) on one batch that lies on the device;
ours: `fit` on the decoded cache, augmented anew for every image, with batches made ahead;
peer: the same step fed by a plain DataLoader that decodes JPEG files with PIL and augments with torchvision's v2.
Images per second are the best round of each, and ratios the median over rounds of one way by the bare step beside it.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from benchmarks.segmentation_bench import Bench, open_bench
from benchmarks.shared import DrawnPixels, drawn_item, drawn_manifest, in_turns, print_row
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.nets.registry import build_classifier, build_segmenter
from colpo_core.records.training.settings import TrainingSettings, preset
from colpo_core.simulation.cases import simulate_case
from colpo_core.terms import Label
from colpo_core.training.classification import classification_objective
from colpo_core.training.contract import FitRequest, Hyperparameters
from colpo_core.training.fitting import fit
from colpo_core.training.hardware import Hardware, choose_hardware
from colpo_core.training.losses import segmentation_loss
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.segmentation import segmentation_objective

# SplitImages of the working size and images a step, as a clinic would train them on this hardware.
NETS = {"segnet_vgg19": (256, 8), "resnet18": (224, 16), "resnet50": (224, 16), "resnet101": (224, 16)}
IMAGES = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", action="append", choices=list(NETS), default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="steps a round")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--workers", type=int, default=2, help="processes of the peer's DataLoader")
    asked = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.processor() or platform.machine()}")
    for net in asked.net or ["segnet_vgg19", "resnet18"]:
        with tempfile.TemporaryDirectory() as folder:
            _measure(net, asked, Path(folder))


def _measure(net: str, asked: argparse.Namespace, folder: Path) -> None:
    side, batch_size = NETS[net]
    settings = preset("standard", height_px=side, width_px=side, batch_size=batch_size, precision=asked.precision)
    hardware = choose_hardware(settings)
    bench = _bench(settings, folder)
    ways: dict[str, Callable[[], float]] = {
        "bare": _bare(net, bench, settings, hardware, asked.steps),
        "ours": _ours(net, bench, settings, hardware, asked.steps),
        "peer": _peer(net, folder, settings, hardware, asked.steps, asked.workers),
    }
    rates = in_turns(ways, asked.rounds)
    ratios = {
        name: [rate / bare for rate, bare in zip(rates[name], rates["bare"], strict=True)] for name in ("ours", "peer")
    }
    print_row(
        f"{net}, {side} px, batch {batch_size}, {hardware.precision}",
        *(f"{max(rates[name]):.2f}" for name in ways),
        *(f"{statistics.median(ratios[name]):.2f} ({min(ratios[name]):.2f} to {max(ratios[name]):.2f})"
          for name in ("ours", "peer")),
    )  # fmt: skip


def _bench(settings: TrainingSettings, folder: Path) -> Bench:
    images, masks, items = {}, {}, []
    (folder / "jpeg").mkdir()
    for number in range(IMAGES):
        case = simulate_case(900 + number)
        sha, mask_sha = f"{number:064x}", f"{number + IMAGES:064x}"
        images[sha], masks[mask_sha] = case.rgb, case.mask
        Image.fromarray(case.rgb).save(folder / "jpeg" / f"{number:03d}.jpg", quality=92)
        Image.fromarray(case.mask).save(folder / "jpeg" / f"{number:03d}.png")
        label = (Label.NORMAL, Label.HSIL)[number % 2]
        items.append(drawn_item(number, sha, mask_sha, label=label))
    return open_bench(drawn_manifest(items), settings, folder, source=DrawnPixels(images, masks))


def _network(net: str, settings: TrainingSettings) -> nn.Module:
    torch.manual_seed(0)
    if net in ("segnet_vgg19",):
        return build_segmenter(net)
    return build_classifier(net, in_channels=3)


def _loss(net: str, network: nn.Module, images: Tensor, target: Tensor, labels: Tensor) -> Tensor:
    if net == "segnet_vgg19":
        return segmentation_loss(network(images), target, torch.ones(2, device=images.device))
    return F.cross_entropy(network(images), labels)


def _stepper(net: str, settings: TrainingSettings, hardware: Hardware) -> Callable[[Tensor, Tensor, Tensor], None]:
    """One step as `fit` makes it, without all that is around it."""
    network = _network(net, settings)
    network.to(hardware.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    wrapped, optimizer = hardware.fabric.setup(network, torch.optim.AdamW(network.parameters(), lr=1e-4))

    def step(images: Tensor, target: Tensor, labels: Tensor) -> None:
        loss = _loss(net, wrapped, images, target, labels)
        float(loss.detach())
        optimizer.zero_grad(set_to_none=True)
        hardware.fabric.backward(loss)
        hardware.fabric.clip_gradients(wrapped, optimizer, max_norm=1.0)
        optimizer.step()

    return step


def _timed(run: Callable[[], int]) -> float:
    began = time.perf_counter()
    images = run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return images / (time.perf_counter() - began)


def _bare(net: str, bench: Bench, settings: TrainingSettings, hardware: Hardware, steps: int) -> Callable[[], float]:
    step = _stepper(net, settings, hardware)
    trainer = bench.trainer(settings, hardware=hardware)
    batch = trainer.batches.augmented(range(settings.batch_size), seed=0, epoch=0, members=range(IMAGES))
    labels = torch.arange(settings.batch_size, device=hardware.device) % 2

    def run() -> int:
        for _ in range(steps):
            step(batch.images, batch.target, labels)
        return steps * settings.batch_size

    return lambda: _timed(run)


def _ours(net: str, bench: Bench, settings: TrainingSettings, hardware: Hardware, steps: int) -> Callable[[], float]:
    trainer = bench.trainer(settings, hardware=hardware)
    network = _network(net, settings)
    network.to(hardware.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    members = tuple(number % IMAGES for number in range(steps * settings.batch_size))
    images, nothing = ImageSet(members), ImageSet(())
    shared: dict[str, Any] = {"batch_size": settings.batch_size, "seed": 0, "progress": trainer.progress}
    objective: Any = (
        segmentation_objective(bench.frames, trainer.batches, images, nothing, class_weights="none", **shared)
        if net == "segnet_vgg19"
        else classification_objective(bench.frames, trainer.batches, images, nothing, channel=None, **shared)
    )
    hyperparameters = Hyperparameters(
        epochs=1, batch_size=settings.batch_size, learning_rate=1e-4, weight_decay=0.0, seed=0
    )
    quiet = ProgressReporter(lambda event: None, lambda: False)
    quiet.begin("benchmark", epochs_total=1, share=(0.0, 1.0), message="")

    def run() -> int:
        fit(FitRequest(network, objective, hyperparameters, hardware=hardware, progress=quiet))
        return len(images)

    return lambda: _timed(run)


class _Files(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """What a tutorial writes: decode with PIL, augment with torchvision."""

    def __init__(self, folder: Path, side: int, count: int) -> None:
        self._folder, self._count = folder, count
        self._augment = v2.Compose(
            [
                v2.Resize((side, side), antialias=True),
                v2.RandomHorizontalFlip(),
                v2.RandomVerticalFlip(),
                v2.RandomAffine(20, translate=(0.08, 0.08), scale=(0.9, 1.25)),
                v2.ColorJitter(brightness=0.2),
                v2.ToDtype({tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64, "others": None}, scale=True),
            ]
        )

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor, Tensor]:
        name = self._folder / f"{place % IMAGES:03d}"
        rgb = np.asarray(Image.open(name.with_suffix(".jpg")).convert("RGB"))
        mask = np.asarray(Image.open(name.with_suffix(".png"))).astype(np.uint8)
        image, target = self._augment(
            tv_tensors.Image(torch.from_numpy(rgb.copy()).permute(2, 0, 1)),
            tv_tensors.Mask(torch.from_numpy(mask.copy())),
        )
        return image, target, torch.tensor(place % 2)


def _peer(
    net: str, folder: Path, settings: TrainingSettings, hardware: Hardware, steps: int, workers: int
) -> Callable[[], float]:
    step = _stepper(net, settings, hardware)
    files = _Files(folder / "jpeg", settings.height_px, steps * settings.batch_size)
    loader: DataLoader[Any] = DataLoader(
        files, settings.batch_size, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )

    def batches() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for images, target, labels in loader:
            yield (
                images.to(hardware.device, memory_format=torch.channels_last),
                target.to(hardware.device),
                labels.to(hardware.device),
            )

    def run() -> int:
        for images, target, labels in batches():
            step(images, target, labels)
        return steps * settings.batch_size

    return lambda: _timed(run)


if __name__ == "__main__":
    main()
