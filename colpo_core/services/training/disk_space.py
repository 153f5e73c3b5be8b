"""The space on the store's disk that a training needs, asked before it begins."""

import shutil
from dataclasses import dataclass

from colpo_core.datasets.disk_space import SPARE_BYTES
from colpo_core.datasets.frame_cache import disk_space_needed
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.store import Store


@dataclass(frozen=True)
class DiskSpace:
    """What a training would write, and what there is.

    Attributes:
        needed_bytes: Decoded images that are not there yet, and weights where they are known.
        free_bytes: What is free on the store's disk.
    """

    needed_bytes: int
    free_bytes: int

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence where the disk cannot take it and keep something to spare; else nothing."""
        if self.free_bytes >= self.needed_bytes + SPARE_BYTES:
            return ()
        return (
            f"The disk is too full: {self.needed_bytes / 1e9:.1f} GB are needed and {self.free_bytes / 1e9:.1f} GB are "
            f"free, of which {SPARE_BYTES / 1e9:.1f} GB are left to the rest of the program. Make room on it, or train "
            "at a smaller size.",
        )


def training_disk_space(
    store: Store, snapshot_sha256: str, n_images: int, settings: TrainingSettings, *, weights_bytes: int = 0
) -> DiskSpace:
    """The disk space for a training on a snapshot.

    Args:
        store: The open store.
        snapshot_sha256: The manifest's hash.
        n_images: How many images it holds.
        settings: How it would learn.
        weights_bytes: What its weights take, where that is known.
    """
    frames = disk_space_needed(
        snapshot_sha256,
        n_images,
        store.settings.frames_dir,
        height_px=settings.height_px,
        width_px=settings.width_px,
        mask_highlights=settings.mask_highlights,
    )
    return DiskSpace(frames + weights_bytes, shutil.disk_usage(store.settings.data_dir).free)
