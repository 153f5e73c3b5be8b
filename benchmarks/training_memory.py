"""Whether a training's memory stays flat in the number of images: one epoch over thousands of images of 640 x 480.

    python -m benchmarks.training_memory 1000 5000

For each number a process of its own decodes so many simulated images into a snapshot's cache, learns one epoch of a
narrow SegNet over all of them, draws the fourth channel of all, learns one epoch of ResNet-18 over every tenth (its
step is the slow part, and its batches come out of the same files), and judges a part; the peak of its resident memory
is read from the system at the end. Images repeat fifty drawn ones with another brightness, which costs nothing and
takes as much room as any.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.segmentation_bench import open_bench
from benchmarks.shared import drawn_item, drawn_manifest, print_heading, print_row
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.mapped_arrays import new_channel
from colpo_core.records.training.settings import preset
from colpo_core.simulation.cases import SimulatedCase, simulate_case
from colpo_core.terms import Label
from colpo_core.training.segmentation import draw_acetowhite

DRAWN = 50


def main() -> None:
    if sys.argv[1] == "--one":
        _measure(int(sys.argv[2]))
        return
    print_heading("images", "decoded (s)", "learned (s)", "peak resident memory (MB)")
    for count in sys.argv[1:]:
        command = [sys.executable, "-m", "benchmarks.training_memory", "--one", count]
        subprocess.run(command, check=True)  # noqa: S603


def _measure(count: int) -> None:
    settings = preset(
        "quick", height_px=480, width_px=640, segnet_width=0.05, segmentation_epochs=1, classification_epochs=1,
        batch_size=8, precision="fp32",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "data") as temporary:
        folder = Path(temporary)
        began = time.perf_counter()
        bench = open_bench(_manifest(count), settings, folder, source=_RepeatedCases())
        decoded = time.perf_counter()
        trainer = bench.trainer(settings)
        everything, tenth, some = (ImageSet(tuple(range(0, count, step))) for step in (1, 10, 50))
        network, _ = trainer.train_segmenter("segmentation", everything, some)
        channel = new_channel(folder / "channel.u8", count=count, height_px=480, width_px=640)
        draw_acetowhite(network, trainer.batches, range(count), into=channel, batch_size=8, progress=trainer.progress)
        trainer.train_classifier("classification", tenth, some, channel=channel.__getitem__, seed=0)
        learned = time.perf_counter()
    print_row(count, f"{decoded - began:.0f}", f"{learned - decoded:.0f}", f"{_peak_mb():.0f}")


def _manifest(count: int) -> Manifest:
    labels = (Label.NORMAL, Label.HSIL)
    return drawn_manifest(
        drawn_item(number, f"{number:064x}", f"{number + 10**6:064x}", label=labels[number // 10 % 2])
        for number in range(count)
    )


_CASES: dict[int, SimulatedCase] = {}


def _case(number: int) -> SimulatedCase:
    if number not in _CASES:
        _CASES[number] = simulate_case(700 + number)
    return _CASES[number]


class _RepeatedCases:
    def load_image(self, sha256: str) -> npt.NDArray[np.uint8]:
        number = int(sha256, 16)
        levels = np.clip(np.arange(256) * (0.8 + 0.4 * (number // DRAWN % 100) / 100), 0, 255).astype(np.uint8)
        return levels[_case(number % DRAWN).rgb]

    def load_mask(self, sha256: str, height_px: int, width_px: int) -> npt.NDArray[np.bool_]:
        return _case((int(sha256, 16) - 10**6) % DRAWN).mask


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the peak of the memory is read from /proc, which Linux alone has")


if __name__ == "__main__":
    main()
