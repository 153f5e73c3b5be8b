"""A training job's work: hand the snapshot over to the training, keep its live record, publish what it made."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.images.masks import decode_rle
from colpo_core.records.learning import TrainingEvent, TrainingSettings
from colpo_core.services import gpus, job_files
from colpo_core.services.checkpoint_files import checkpoint_dir, prepare_files
from colpo_core.services.checkpoints import current_checkpoint, publish_checkpoint
from colpo_core.services.external_sets import learned_from, refuse_training
from colpo_core.services.leases import Finish, Lease
from colpo_core.services.snapshot_rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.tables import Job, JobEvent, Mask, Snapshot

if TYPE_CHECKING:
    from colpo_core.training.hardware import Crew
    from colpo_core.training.incumbent import Incumbent

_HEARTBEAT_SECONDS = 1.0


def run_training(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    """Train on the job's snapshot.

    Args:
        lease: The right to write for the job.
        must_stop: Asked after every batch.

    Returns:
        What publishes the checkpoint and gives the job's result: `checkpoint_id` and `checkpoint`.

    Raises:
        JobCancelled: `must_stop` said so.
        JobFailed: The snapshot or the settings do not carry a training; the message says what to do.
        LeakageFound: The snapshot leaks, or holds patients of an external test set.
        LeaseLost: Another runner has the job.
    """
    # Only here, in the runner: torch takes seconds to import, and must never enter the web process.
    from colpo_core.training.pipeline import train_pipeline

    store = lease.store
    with store.reading() as session:
        job = session.get_one(Job, lease.job_id)
        snapshot = session.get_one(Snapshot, job.snapshot_id)
        settings, sha256, snapshot_id = TrainingSettings.from_dict(job.settings), snapshot.sha256, snapshot.id
    # Again, because an external test set may have been frozen while the job waited.
    refuse_training(store, snapshot_id)
    trained = train_pipeline(
        read_manifest(store, sha256),
        settings,
        load_image=lambda image_sha256: read_rgb(store.blobs.get(image_sha256)),
        load_mask=lambda mask_sha256, height_px, width_px: load_mask(store, mask_sha256, height_px, width_px),
        work_dir=job_files.work_dir(store, lease.job_id),
        frames_dir=store.settings.frames_dir,
        on_event=LiveRecord(lease).write,
        cancelled=must_stop,
        incumbent=find_incumbent(store),
        keep_every_s=store.settings.checkpoint_seconds,
        crew=_crew(store, settings),
    )

    prepared = prepare_files(store, job_id=lease.job_id, folder=trained.folder)

    def publish(session: Session, job: Job) -> dict[str, Any]:
        checkpoint = publish_checkpoint(session, store, job=job, prepared=prepared)
        return {"checkpoint_id": checkpoint.id, "checkpoint": checkpoint.name}

    return publish


def _crew(store: Store, settings: TrainingSettings) -> "Crew | None":
    """Who shares the fits out among several machines; None where the training is of one machine."""
    if not gpus.is_across_machines(store.settings, settings.to_dict()):
        return None
    # Only here: an optional package.
    from colpo_core.services.ray_engine import gather_crew

    return gather_crew(store)


def find_incumbent(store: Store) -> "Incumbent | None":
    """The clinic's current model, with whom it has learned from; None before the first promotion.

    Raises:
        NotFound: Its snapshot's file is missing or damaged.
    """
    from colpo_core.training.incumbent import Incumbent

    current = current_checkpoint(store)
    if current is None:
        return None
    with store.reading() as session:
        sha256 = session.get_one(Snapshot, current.snapshot_id).sha256
    learned = learned_from(read_manifest(store, sha256), current.card)
    return Incumbent(
        folder=checkpoint_dir(store, current.name, current.sha256),
        name=current.name,
        sha256=current.sha256,
        learned_patients=frozenset(item.patient_id for item in learned),
        learned_images=frozenset(item.image_sha256 for item in learned),
    )


class LiveRecord:
    """Writes a job's events: each that says something as a line, mere heartbeats into the job's row alone."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._silent_until = 0.0

    def write(self, event: TrainingEvent) -> None:
        """Write one event under the lease.

        Raises:
            LeaseLost: Another runner has the job.
        """
        telling = bool(event.figures or event.message)
        if not telling and time.monotonic() < self._silent_until:
            return
        self._silent_until = time.monotonic() + _HEARTBEAT_SECONDS
        figures = {name: float(value) for name, value in event.figures.items() if np.isfinite(value)}
        figures |= gpus.resources() if figures else {}
        with self._lease.writing() as (session, job):
            job.stage, job.epoch, job.epochs_total = event.stage, event.epoch, event.epochs_total
            job.progress = min(1.0, max(0.0, event.progress))
            if telling:
                session.add(
                    JobEvent(
                        job_id=job.id, stage=event.stage, epoch=event.epoch, figures=figures, message=event.message
                    )
                )


def load_mask(store: Store, sha256: str, height_px: int, width_px: int) -> NDArray[np.bool_]:
    """A mask by its hash and size, H x W bool.

    Raises:
        NotFound: The store does not hold it.
    """
    query = select(Mask.rle).where(Mask.sha256 == sha256, Mask.height_px == height_px, Mask.width_px == width_px)
    with store.reading() as session:
        code = session.scalar(query)
    if code is None:
        raise NotFound("A mask of the snapshot is not in the store. Restore the store's folder from a back-up.")
    return decode_rle(code, height_px=height_px, width_px=width_px)
