"""An evaluation job's work: judge a checkpoint on an external test set, and write the look down."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from colpo_core.records.jobs.results import EvaluationResult
from colpo_core.records.jobs.settings import EvaluationSettings, read_settings
from colpo_core.services.jobs.leases import Finish, Lease
from colpo_core.services.models.files import checkpoint_dir
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store.tables import Checkpoint, Evaluation, Job, Snapshot
from colpo_core.workers.live_record import LiveRecord
from colpo_core.workers.stored_pixels import StoredPixels


def run_evaluation(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    """Judge the job's checkpoint on the job's external test set.

    Args:
        lease: The right to write for the job.
        must_stop: Asked after every batch.

    Returns:
        What writes the look down and gives the job's result.

    Raises:
        JobCancelled: `must_stop` said so.
        CheckpointMismatch: The checkpoint is damaged.
        NotFound: A file of the set is missing.
        LeaseLost: Another runner has the job.
    """
    # Only here, in the runner: torch takes seconds to import, and must never enter the web process.
    from colpo_core.training.external_evaluation import evaluate_checkpoint

    store = lease.store
    with store.reading() as session:
        settings = read_settings(EvaluationSettings, session.get_one(Job, lease.job_id).settings)
        checkpoint = session.get_one(Checkpoint, settings.checkpoint_id)
        snapshot = session.get_one(Snapshot, settings.snapshot_id)
        name, sha256, snapshot_sha256 = checkpoint.name, checkpoint.sha256, snapshot.sha256
    metrics = evaluate_checkpoint(
        checkpoint_dir(store, name, sha256),
        sha256,
        read_manifest(store, snapshot_sha256),
        source=StoredPixels(store),
        frames_dir=store.settings.frames_dir,
        on_event=LiveRecord(lease).write,
        cancelled=must_stop,
    )

    def write_down(session: Session, job: Job) -> EvaluationResult:
        row = Evaluation(
            checkpoint_id=settings.checkpoint_id,
            snapshot_id=settings.snapshot_id,
            metrics=metrics,
            created_by=job.created_by,
        )
        session.add(row)
        session.flush()
        return EvaluationResult(row.id)

    return write_down
