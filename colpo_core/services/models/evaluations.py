"""Looks at an external test set: how a checkpoint does on patients whom no training has touched. Each is counted."""

from sqlalchemy import func, select

from colpo_core.errors import Conflict, InputRejected, LeakageFound
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.jobs.settings import EvaluationSettings, write_settings
from colpo_core.records.models.checkpoints import EvaluationRecord
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs import control as jobs
from colpo_core.services.models.registry import read_checkpoint
from colpo_core.services.snapshots.external_sets import seen_by
from colpo_core.services.snapshots.freezing import get_snapshot
from colpo_core.store.tables import Evaluation, Job, Person, Snapshot
from colpo_core.terms import JobKind


@allowed(CLINICIANS)
def start_evaluation(caller: Caller, *, checkpoint_id: int, snapshot_id: int) -> JobRecord:
    """Ask for a look at an external test set; it runs in a process of its own.

    Raises:
        NotFound: There is no such checkpoint or snapshot.
        InputRejected: The snapshot is no external test set.
        LeakageFound: The checkpoint's training has touched patients or images of the set.
        Conflict: The same look is already waiting or running.
    """
    chosen = read_checkpoint(caller.store, checkpoint_id)
    snapshot = get_snapshot(caller, snapshot_id=snapshot_id)
    if not snapshot.external:
        raise InputRejected(f"“{snapshot.name}” is no external test set. Freeze one under Train, and choose it here.")
    seen = seen_by(caller, checkpoint_id=checkpoint_id, snapshot_id=snapshot_id)
    if seen:
        raise LeakageFound(f"{chosen.name} cannot be judged on “{snapshot.name}”. {' '.join(seen)}")
    settings = EvaluationSettings(checkpoint_id, snapshot_id)
    with caller.store.writing() as session:
        unfinished = select(Job).where(Job.kind == JobKind.EVALUATE, Job.state.in_(jobs.UNFINISHED))
        for other in session.scalars(unfinished):
            if other.settings == write_settings(settings):
                raise Conflict(f"The same evaluation is already under way as job {other.id}.")
        job = jobs.add_job(session, caller.actor, JobKind.EVALUATE, settings, snapshot_id=snapshot_id)
        audit.record(session, caller.actor, "start evaluation", f"job {job.id}", **job.settings)
    return jobs.place_job(caller.store, job.id)


@allowed(CLINICIANS)
def list_evaluations(caller: Caller, *, checkpoint_id: int) -> tuple[EvaluationRecord, ...]:
    """All looks with a checkpoint, newest first."""
    nth = func.row_number().over(partition_by=Evaluation.snapshot_id, order_by=Evaluation.id)
    query = (
        select(Evaluation, Snapshot, Person.display_name)
        .join(Snapshot, Snapshot.id == Evaluation.snapshot_id)
        .join(Person, Person.id == Evaluation.created_by)
        .where(Evaluation.checkpoint_id == checkpoint_id)
        .order_by(Evaluation.id.desc())
    )
    with caller.store.reading() as session:
        looks = {row[0]: int(row[1]) for row in session.execute(select(Evaluation.id, nth))}
        return tuple(
            EvaluationRecord(
                id=row.id,
                checkpoint_id=row.checkpoint_id,
                snapshot_id=row.snapshot_id,
                snapshot_name=snapshot.name,
                label_source=snapshot.label_source,
                simulated=snapshot.simulated,
                metrics=dict(row.metrics),
                created_by=person,
                created_at=row.created_at,
                look=looks[row.id],
            )
            for row, snapshot, person in session.execute(query)
        )
