"""Train a whole pipeline from a snapshot: segmenter, fourth channel, classifiers with their controls, figures, card."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colpo_core.datasets.frames import PixelSource
from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.card import read_card
from colpo_core.nets.checkpoint import load_checkpoint, save_checkpoint
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, check_available
from colpo_core.records.training.settings import TrainingEvent, TrainingSettings
from colpo_core.training.card import make_card
from colpo_core.training.contract import FitBackend
from colpo_core.training.incumbent import Incumbent
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.protocols import train_by_protocol
from colpo_core.training.setup import set_up_training
from colpo_core.training.stage_store import SAVE_EVERY_SECONDS, training_key
from colpo_core.training.stages import stage_shares


@dataclass(frozen=True)
class TrainedCheckpoint:
    """A finished training.

    Attributes:
        folder: The checkpoint's folder, within the training's work folder.
        card: Its card.
        sha256: Its hash, which covers card and weights.
    """

    folder: Path
    card: dict[str, Any]
    sha256: str


def train_pipeline(
    manifest: Manifest,
    settings: TrainingSettings,
    *,
    source: PixelSource,
    work_dir: Path,
    frames_dir: Path,
    on_event: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
    incumbent: Incumbent | None = None,
    save_every_s: float = SAVE_EVERY_SECONDS,
    backend: FitBackend | None = None,
) -> TrainedCheckpoint:
    """Train from a snapshot. Called again with the same work folder, it goes on where it stood.

    Finished stages are kept, and of an unfinished one from time to time the last step. In the end the weights are the
    same as without the interruption, bit by bit, on the same machine with the same number of threads.

    Args:
        manifest: The snapshot.
        settings: How to learn.
        source: Where images and masks are read from.
        work_dir: Folder of this training alone.
        frames_dir: Folder of decoded snapshots, which trainings share.
        on_event: Takes what there is to tell.
        cancelled: Whether a person wants to stop; asked at every step.
        incumbent: The clinic's current model, which the new one is compared with; None before the first.
        save_every_s: Seconds after which an unfinished stage is saved again.
        backend: Shares each fit out among several machines; None for this one.

    Raises:
        InputRejected: A network needs optional packages that are not installed.
        LeakageFound: A patient, an image or a near copy stands on two sides.
        JobFailed: The snapshot cannot be learned from, the loss is no number, or memory or disk do not suffice.
        JobCancelled: A person wanted to stop.
        SnapshotMismatch: An image or mask is not what the snapshot says.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    check_available(SEGMENTERS[settings.segmenter], CLASSIFIERS[settings.classifier])
    key = training_key(manifest, settings)
    finished = _finished(work_dir / "checkpoint", key)
    if finished is not None:
        return finished
    progress = ProgressReporter(on_event, cancelled)
    with set_up_training(
        manifest,
        settings,
        source=source,
        work_dir=work_dir,
        frames_dir=frames_dir,
        progress=progress,
        shares=stage_shares(manifest, settings),
        incumbent=incumbent,
        save_every_s=save_every_s,
        backend=backend,
    ) as run:
        trained = train_by_protocol(run)
        card = make_card(
            manifest,
            settings,
            trained.pipeline.spec,
            metrics=trained.metrics,
            fitted=trained.fitted,
            key=key,
            hardware=run.trainer.hardware,
            incumbent=incumbent,
            blind=trained.blind,
        )
        save_checkpoint(work_dir / "checkpoint", trained.pipeline, card)
    sealed = read_card(work_dir / "checkpoint")
    progress.say("The checkpoint is written.", done=1.0)
    return TrainedCheckpoint(folder=work_dir / "checkpoint", card=sealed, sha256=sealed["sha256"])


def _finished(folder: Path, key: str) -> TrainedCheckpoint | None:
    """The checkpoint that an earlier attempt wrote whole but did not hand over; anything else in its place goes."""
    if not folder.exists():
        return None
    try:
        _, card = load_checkpoint(folder)
    except CheckpointMismatch:
        card = {}
    if card.get("training_key") == key:
        return TrainedCheckpoint(folder=folder, card=card, sha256=card["sha256"])
    shutil.rmtree(folder)
    return None
