"""A training job's work: hand the snapshot over to the training, keep its live record, publish what it made."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from colpo_core.cluster_parts import ClusterPart, load_part
from colpo_core.records.jobs.results import TrainingResult
from colpo_core.records.jobs.settings import read_settings
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.jobs import files as job_files
from colpo_core.services.jobs import gpus
from colpo_core.services.jobs.leases import Finish, Lease
from colpo_core.services.models.files import checkpoint_dir, prepare_files
from colpo_core.services.models.registry import current_checkpoint, publish_checkpoint
from colpo_core.services.snapshots.external_sets import refuse_training
from colpo_core.services.snapshots.learned import learned_images, patients_met
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.tables import Job, Snapshot
from colpo_core.workers.live_record import LiveRecord
from colpo_core.workers.stored_pixels import StoredPixels

if TYPE_CHECKING:
    from colpo_core.training.contract import FitBackend
    from colpo_core.training.incumbent import Incumbent


def run_training(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    """Train on the job's snapshot.

    Args:
        lease: The right to write for the job.
        must_stop: Asked after every batch.

    Returns:
        What publishes the checkpoint and gives the job's result.

    Raises:
        JobCancelled: `must_stop` said so.
        JobFailed: The snapshot or the settings do not carry a training; the message says what to do.
        LeakageFound: The snapshot leaks, or holds patients of an external test set.
        LeaseLost: Another runner has the job.
    """
    # Only here, in the runner: torch takes seconds to import, and must never enter the web process.
    from colpo_core.training.pipeline import train_pipeline
    from colpo_core.training.setup import TrainingInputs

    store = lease.store
    with store.reading() as session:
        job = session.get_one(Job, lease.job_id)
        snapshot = session.get_one(Snapshot, job.snapshot_id)
        settings = read_settings(TrainingSettings, job.settings)
        sha256, snapshot_id = snapshot.sha256, snapshot.id
    # Again, because an external test set may have been frozen while the job waited.
    refuse_training(store, snapshot_id)
    inputs = TrainingInputs(
        read_manifest(store, sha256),
        settings,
        StoredPixels(store),
        work_dir=job_files.work_dir(store, lease.job_id),
        frames_dir=store.settings.frames_dir,
        incumbent=find_incumbent(store),
        save_every_s=store.settings.checkpoint_seconds,
        backend=_backend(store, settings),
    )
    trained = train_pipeline(inputs, on_event=LiveRecord(lease).write, cancelled=must_stop)
    prepared = prepare_files(store, job_id=lease.job_id, folder=trained.folder)

    def publish(session: Session, job: Job) -> TrainingResult:
        checkpoint = publish_checkpoint(session, store, job=job, prepared=prepared)
        return TrainingResult(checkpoint.id, checkpoint.name)

    return publish


def _backend(store: Store, settings: TrainingSettings) -> "FitBackend | None":
    """What shares the fits out among several machines; None where the training is of one machine."""
    if not gpus.is_across_machines(store.settings, settings):
        return None
    backend: FitBackend = load_part(ClusterPart.RAY_BACKEND)(store)
    return backend


def find_incumbent(store: Store) -> "Incumbent | None":
    """The clinic's current model, with whom it has met; None before the first promotion.

    Raises:
        NotFound: It is not known whom it learned from.
    """
    from colpo_core.training.incumbent import Incumbent

    current = current_checkpoint(store)
    if current is None:
        return None
    with store.reading() as session:
        met = patients_met(store, session, current.id)
        images = learned_images(session, current.id)
    return Incumbent(
        folder=checkpoint_dir(store, current.name, current.sha256),
        name=current.name,
        sha256=current.sha256,
        learned_patients=met,
        learned_images=frozenset(image.image_sha256 for image in images),
    )
