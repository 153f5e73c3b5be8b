"""Train a whole pipeline from a snapshot: segmenter, fourth channel, classifiers with their controls, figures, card."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.card import read_card
from colpo_core.nets.checkpoint import load_checkpoint, save_checkpoint
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, check_available
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.training.card import make_card
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.protocols import train_by_protocol
from colpo_core.training.setup import TrainingInputs, set_up_training
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
    inputs: TrainingInputs, *, on_event: Callable[[TrainingEvent], None], cancelled: Callable[[], bool]
) -> TrainedCheckpoint:
    """Train from a snapshot. Called again with the same work folder, it goes on where it stood.

    Finished stages are kept, and of an unfinished one from time to time the last step. In the end the weights are the
    same as without the interruption, bit by bit, on the same machine with the same number of threads.

    Args:
        inputs: What is learned from, how, and where.
        on_event: Takes what there is to tell.
        cancelled: Whether a person wants to stop; asked at every step.

    Raises:
        InputRejected: A network needs optional packages that are not installed.
        LeakageFound: A patient, an image or a near copy stands on two sides.
        JobFailed: The snapshot cannot be learned from, the loss is no number, or memory or disk do not suffice.
        JobCancelled: A person wanted to stop.
        SnapshotMismatch: An image or mask is not what the snapshot says.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    settings = inputs.settings
    check_available(SEGMENTERS[settings.segmenter], CLASSIFIERS[settings.classifier])
    folder = inputs.work_dir / "checkpoint"
    finished = _finished(folder, inputs.key)
    if finished is not None:
        return finished
    progress = ProgressReporter(on_event, cancelled)
    with set_up_training(inputs, progress=progress, shares=stage_shares(inputs.manifest, settings)) as run:
        trained = train_by_protocol(run)
        card = make_card(
            inputs.manifest,
            settings,
            trained.pipeline.spec,
            metrics=trained.metrics,
            fitted=trained.fitted,
            key=inputs.key,
            hardware=run.trainer.hardware,
            incumbent=inputs.incumbent,
            blind=trained.blind,
        )
        save_checkpoint(folder, trained.pipeline, card)
    sealed = read_card(folder)
    progress.say("The checkpoint is written.", done=1.0)
    return TrainedCheckpoint(folder=folder, card=sealed, sha256=sealed["sha256"])


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
