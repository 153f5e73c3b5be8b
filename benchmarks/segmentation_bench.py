"""What the segmentation benchmarks share: frames from a store or from simulated cases, a fit, and its figures."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.frame_cache import cached_frames
from colpo_core.datasets.frames import Frames, MaskLoader
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.tensors import Batches
from colpo_core.evaluation.masks import mask_figures, segmentation_figures
from colpo_core.images.letterbox import unletterbox
from colpo_core.nets.interfaces import Segmenter
from colpo_core.records.figures import MaskFigures, SegmentationFigures
from colpo_core.records.learning import TrainingSettings
from colpo_core.training.hardware import Hardware, plain_hardware
from colpo_core.training.loop import reproducible
from colpo_core.training.shelf import Shelf, training_key
from colpo_core.training.watch import Watch
from colpo_core.training.workshop import Workshop


@dataclass(frozen=True)
class Bench:
    """Frames with what it takes to learn from them and to judge on them."""

    manifest: Manifest
    frames: Frames
    load_mask: MaskLoader
    folder: Path

    def workshop(self, settings: TrainingSettings, *, hardware: Hardware | None = None) -> Workshop:
        """A workshop on these frames; nothing is kept between two runs."""
        chosen = hardware or plain_hardware(settings.precision)
        shelf = Path(tempfile.mkdtemp(dir=self.folder))
        return Workshop(
            settings=settings,
            frames=self.frames,
            batches=Batches(self.frames, bounds=settings.augmentation, device=chosen.device),
            hardware=chosen,
            watch=Watch(lambda event: None, lambda: False),
            shelf=Shelf(shelf, training_key(self.manifest, settings), keep_every_s=1e9),
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
    load_image: Callable[[str], npt.NDArray[np.uint8]],
    load_mask: MaskLoader,
) -> Bench:
    """Decode a manifest at the settings' size."""
    frames = cached_frames(
        manifest,
        folder / "frames",
        height_px=settings.height_px,
        width_px=settings.width_px,
        mask_highlights=settings.mask_highlights,
        load_image=load_image,
        load_mask=load_mask,
    )
    return Bench(manifest, frames, load_mask, folder)


def teach(bench: Bench, settings: TrainingSettings, train: Sequence[int], validation: Sequence[int]) -> Segmenter:
    """Fit the settings' segmenter on some frames, its best epoch chosen on others."""
    shop = bench.workshop(settings)
    with reproducible(seed=settings.seed, threads=settings.threads):
        network, _ = shop.teach_segmenter("segmentation", ImageSet(tuple(train)), ImageSet(tuple(validation)))
    return network


def judge(bench: Bench, settings: TrainingSettings, network: Segmenter, places: Sequence[int]) -> list[MaskFigures]:
    """Figures of each frame at its image's own size."""
    import torch

    batches = Batches(bench.frames, bounds=settings.augmentation, device=torch.device("cpu"))
    found = []
    for place in places:
        with torch.inference_mode():
            probability = network.acetowhite(batches.plain([place]).images)[0, 0].float().numpy()
        item = bench.frames.items[place]
        truth = bench.load_mask(str(item.mask_sha256), item.height_px, item.width_px)
        found.append(mask_figures(truth, unletterbox(probability, bench.frames.geometries[place]) >= 0.5))
    return found


def summary(bench: Bench, places: Sequence[int], figures: Sequence[MaskFigures]) -> SegmentationFigures:
    """Means over images, with intervals by patients."""
    items = [bench.frames.items[place] for place in places]
    return segmentation_figures(
        list(figures), [item.patient_id for item in items], image_ids=[item.image_id for item in items]
    )


def changed(settings: TrainingSettings, changes: Sequence[str]) -> TrainingSettings:
    """Settings with NAME=VALUE changes, each read as its setting's own type."""
    values: dict[str, Any] = {}
    for change in changes:
        name, _, text = change.partition("=")
        kind = type(getattr(settings, name))
        values[name] = text == "True" if kind is bool else kind(text)
    return replace(settings, **values)
