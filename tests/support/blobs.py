"""A snapshot of small simulated blobs: quick to learn, so that a test can prove that learning works."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from colpo_core.datasets.frame_cache import cached_frames
from colpo_core.datasets.frames import Frames
from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.datasets.tensors import Batches
from colpo_core.labels import RULES_VERSION
from colpo_core.records.training.settings import AugmentationBounds, TrainingSettings
from colpo_core.terms import Grade, Label, LabelSource, MaskOrigin, Split

SIDE_PX = 64


@dataclass(frozen=True)
class Blobs:
    manifest: Manifest
    images: dict[str, npt.NDArray[np.uint8]]
    masks: dict[str, npt.NDArray[np.bool_]]

    def load_image(self, sha256: str) -> npt.NDArray[np.uint8]:
        return self.images[sha256]

    def load_mask(self, sha256: str, height_px: int, width_px: int) -> npt.NDArray[np.bool_]:
        return self.masks[sha256]

    def frames(self, folder: Path, *, height_px: int = SIDE_PX, width_px: int = SIDE_PX) -> Frames:
        """All frames, cached in a folder."""
        return cached_frames(self.manifest, folder, height_px=height_px, width_px=width_px, source=self)


def batches_of(frames: Frames) -> Batches:
    """Batches on the CPU, with the usual augmentation."""
    return Batches(frames, bounds=AugmentationBounds(), device=torch.device("cpu"))


def blob(seed: int, label: Label) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """A pink field with a whitish blob; that of `hsil` is denser and larger.

    The field is blotchy, because bare discs count as near copies of each other.
    """
    generator = np.random.default_rng(seed)
    radius = int(generator.integers(14, 20) if label is Label.HSIL else generator.integers(8, 12))
    centre = generator.integers(radius, SIDE_PX - radius, 2).tolist()
    mask = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    cv2.circle(mask, centre, radius, 1, -1)
    rgb = np.tile(np.array([190, 110, 110.0]), (SIDE_PX, SIDE_PX, 1))
    rgb[mask > 0] = (235, 220, 215) if label is Label.HSIL else (220, 180, 175)
    blotches = np.kron(generator.normal(0, 22, (8, 8)), np.ones((SIDE_PX // 8, SIDE_PX // 8)))
    rgb += blotches[..., None] + generator.normal(0, 8, rgb.shape)
    return np.clip(rgb, 0, 255).astype(np.uint8), mask > 0


def blobs(
    counts: tuple[int, int, int] = (12, 4, 4),
    *,
    labels: Sequence[Label | None] = (Label.NORMAL, Label.HSIL),
    masks: bool = True,
    images_each: int = 1,
    label_source: LabelSource = LabelSource.HISTOLOGY,
) -> Blobs:
    """Patients on train, validation and test, each with one case; labels in turn."""
    images, drawn, items = {}, {}, []
    patient = 0
    for split, count in zip(Split, counts, strict=True):
        for number in range(count):
            patient += 1
            label = labels[number % len(labels)]
            for image in range(images_each):
                image_id = 10 * patient + image
                rgb, mask = blob(image_id, label or Label.HSIL)
                image_sha, mask_sha = _sha(rgb.tobytes()), _sha(mask.tobytes() + bytes([image_id % 256]))
                images[image_sha], drawn[mask_sha] = rgb, mask
                items.append(
                    ManifestItem(
                        image_sha256=image_sha,
                        image_id=image_id,
                        case_id=patient,
                        patient_id=patient,
                        split=split,
                        width_px=SIDE_PX,
                        height_px=SIDE_PX,
                        label=label,
                        grade={Label.HSIL: Grade.CIN3, Label.NORMAL: Grade.CIN1, None: None}[label],
                        mask_sha256=mask_sha if masks else None,
                        mask_origin=MaskOrigin.SIMULATED if masks else None,
                        simulated=True,
                    )
                )
    manifest = Manifest(tuple(items), (), label_source, RULES_VERSION, 0, (0.6, 0.2, 0.2))
    return Blobs(manifest, images, drawn)


def tiny(**changes: object) -> TrainingSettings:
    """Settings that a test has the time for."""
    settings = {
        "height_px": SIDE_PX,
        "width_px": SIDE_PX,
        "segnet_width": 0.1,
        "segmentation_epochs": 1,
        "classification_epochs": 1,
        "batch_size": 4,
        "precision": "fp32",
        "comparison_seeds": 1,
        "average_flips": True,
        "threads": 1,
        **changes,
    }
    return TrainingSettings.from_dict(settings)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
