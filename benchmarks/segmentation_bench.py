"""What the segmentation benchmarks share: frames from a store or from simulated cases, a fit, and its figures."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.frame_cache import cached_frames
from colpo_core.datasets.frames import ACETOWHITE, Frames, PixelSource
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.tensors import Batches
from colpo_core.evaluation.blind import BlindReference, blind_reference
from colpo_core.evaluation.masks import BlindPair, blind_figures, blind_pair, mask_figures, segmentation_figures
from colpo_core.images.letterbox import unletterbox
from colpo_core.nets.interfaces import Segmenter
from colpo_core.records.statistics.figures import MaskFigures, SegmentationFigures
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.training.hardware import Hardware, plain_hardware
from colpo_core.training.loop import reproducible
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.stage_store import StageStore, training_key
from colpo_core.training.trainer import Trainer


@dataclass(frozen=True)
class Bench:
    """Frames with what it takes to learn from them and to judge on them."""

    manifest: Manifest
    frames: Frames
    source: PixelSource
    folder: Path

    def trainer(self, settings: TrainingSettings, *, hardware: Hardware | None = None) -> Trainer:
        """A trainer on these frames; nothing is kept between two runs."""
        chosen = hardware or plain_hardware(settings.precision)
        stage_store = Path(tempfile.mkdtemp(dir=self.folder))
        return Trainer(
            settings=settings,
            frames=self.frames,
            batches=Batches(self.frames, bounds=settings.augmentation, device=chosen.device),
            hardware=chosen,
            progress=ProgressReporter(lambda event: None, lambda: False),
            stage_store=StageStore(stage_store, training_key(self.manifest, settings), save_every_s=1e9),
            shares=_Whole(),
        )


class _Whole(dict[str, tuple[float, float]]):
    def __missing__(self, stage: str) -> tuple[float, float]:
        return 0.0, 1.0


def open_bench(
    manifest: Manifest,
    settings: TrainingSettings,
    folder: Path,
    *,
    source: PixelSource,
) -> Bench:
    """Decode a manifest at the settings' size."""
    frames = cached_frames(
        manifest,
        folder / "frames",
        height_px=settings.height_px,
        width_px=settings.width_px,
        mask_highlights=settings.mask_highlights,
        source=source,
    )
    return Bench(manifest, frames, source, folder)


def teach(bench: Bench, settings: TrainingSettings, train: Sequence[int], validation: Sequence[int]) -> Segmenter:
    """Fit the settings' segmenter on some frames, its best epoch chosen on others."""
    trainer = bench.trainer(settings)
    with reproducible(seed=settings.seed, threads=settings.threads):
        network, _ = trainer.train_segmenter("segmentation", ImageSet(tuple(train)), ImageSet(tuple(validation)))
    return network


def draw(bench: Bench, settings: TrainingSettings, network: Segmenter, member: int) -> npt.NDArray[np.bool_]:
    """What a network marks on the image of a frame, at the image's own size."""
    import torch

    batches = Batches(bench.frames, bounds=settings.augmentation, device=torch.device("cpu"))
    with torch.inference_mode():
        probability = network.acetowhite(batches.plain([member]).images)[0, 0].float().numpy()
    return np.asarray(unletterbox(probability, bench.frames.geometries[member]) >= 0.5)


def judge(bench: Bench, settings: TrainingSettings, network: Segmenter, places: Sequence[int]) -> list[MaskFigures]:
    """Figures of each frame at its image's own size."""
    return [mask_figures(_truth(bench, member), draw(bench, settings, network, member)) for member in places]


@dataclass(frozen=True)
class Blind:
    """Masks that look at no image, learned from some frames and judged on others.

    Attributes:
        reference: What they are; of several folds the last one's.
        pairs: How they agree, one a frame.
    """

    reference: BlindReference
    pairs: list[BlindPair]

    def and_those_of(self, other: "Blind") -> "Blind":
        """These and those of another fold."""
        return Blind(other.reference, self.pairs + other.pairs)


def judge_blind(bench: Bench, train: Sequence[int], places: Sequence[int]) -> Blind:
    """The mean mask of the training frames and a disc in the middle, on other frames at their images' own size."""
    frames = bench.frames
    masks = (
        frames.target[member][frames.geometries[member].rows, frames.geometries[member].columns] == ACETOWHITE
        for member in train
    )
    height_px, width_px = frames.target.shape[1:]
    reference = blind_reference(masks, height_px=height_px, width_px=width_px)
    if reference is None:
        raise SystemExit("No training mask marks anything.")
    return Blind(reference, [blind_pair(_truth(bench, member), reference) for member in places])


def _truth(bench: Bench, member: int) -> npt.NDArray[np.bool_]:
    item = bench.frames.items[member]
    return bench.source.load_mask(str(item.mask_sha256), item.height_px, item.width_px)


def summary(bench: Bench, places: Sequence[int], figures: Sequence[MaskFigures], blind: Blind) -> SegmentationFigures:
    """Means over images, with intervals by patients, beside those of masks that look at no image."""
    items = [bench.frames.items[member] for member in places]
    patients = [item.patient_id for item in items]
    return segmentation_figures(
        list(figures),
        patients,
        image_ids=[item.image_id for item in items],
        blind=blind_figures(figures, blind.pairs, patients, blind.reference),
    )


def blind_cells(totals: SegmentationFigures) -> list[str]:
    """IoU of the mean training mask and of a disc, and how much better the network is than either, paired by image."""
    if totals.blind is None:
        return ["", "", "", ""]
    return [
        text
        for reference in (totals.blind.mean_mask, totals.blind.disc)
        for text in (reference.iou_acetowhite.text(), reference.iou_difference.text(is_signed=True))
    ]
