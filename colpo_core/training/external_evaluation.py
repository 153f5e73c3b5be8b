"""Judge a finished checkpoint on images that it has never seen, with its frozen decisions: an external test set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from colpo_core.datasets.frame_cache import cached_frames
from colpo_core.datasets.frames import PixelSource
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.tensors import Batches
from colpo_core.evaluation.blind import BlindReference
from colpo_core.nets.checkpoint import load_checkpoint
from colpo_core.records.training.settings import AugmentationBounds, TrainingEvent
from colpo_core.records.training.stages import EVALUATION
from colpo_core.training.judging import judge_pipeline, metrics_of
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.readiness import explaining_memory
from colpo_core.training.training_run import headline

_BATCH_SIZE = 4


def evaluate_checkpoint(
    folder: Path,
    sha256: str,
    manifest: Manifest,
    *,
    source: PixelSource,
    frames_dir: Path,
    on_event: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Figures of a checkpoint on all images of a snapshot; nothing is chosen on them.

    Args:
        folder: The checkpoint's folder.
        sha256: Its hash, as the store knows it.
        manifest: The external test set.
        source: Where images and masks are read from.
        frames_dir: Folder of decoded snapshots.
        on_event: Takes what there is to tell.
        cancelled: Whether a person wants to stop.

    Returns:
        As `metrics_of` gives them, with `snapshot_sha256`.

    Raises:
        CheckpointMismatch: The checkpoint is damaged or another one.
        JobCancelled: A person wants to stop.
        JobFailed: Memory or disk do not suffice.
        SnapshotMismatch: An image or mask is not what the snapshot says.
    """
    progress = ProgressReporter(on_event, cancelled)
    count = len(manifest.items)
    progress.begin(EVALUATION, epochs_total=1, share=(0.0, 1.0), message=f"Judging on {count} images")
    pipeline, card = load_checkpoint(folder, expected_sha256=sha256)
    blind = BlindReference.from_card(card)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pipeline.to(device)
    spec = pipeline.spec
    with explaining_memory():
        frames = cached_frames(
            manifest,
            frames_dir,
            height_px=spec.height_px,
            width_px=spec.width_px,
            mask_highlights=spec.mask_highlights,
            source=source,
            on_item=lambda: progress.beat(0.0),
        )
        results = judge_pipeline(
            pipeline,
            frames,
            Batches(frames, bounds=AugmentationBounds(), device=device),
            ImageSet(tuple(range(count))),
            source=source,
            batch_size=_BATCH_SIZE,
            progress=progress,
            share=(0.0, 1.0),
            blind=blind,
        )
    metrics = metrics_of(results, spec, label_source=manifest.label_source, seed=0, blind=blind)
    progress.epoch_done(1, headline(metrics))
    return {"snapshot_sha256": manifest.sha256, **metrics}
