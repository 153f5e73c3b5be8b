"""What starts a training, and what runs a job again."""

from sqlalchemy import select

from colpo_core.errors import Conflict, InputRejected
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.jobs.settings import read_settings, write_settings
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, check_available
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs.control import UNFINISHED, add_job, get_job, place_job
from colpo_core.services.snapshots.count_checks import judge_counts
from colpo_core.services.snapshots.external_sets import refuse_training
from colpo_core.services.training.disk_space import training_disk_space
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Job, Snapshot
from colpo_core.terms import JobKind, JobState


@allowed(CLINICIANS)
def start_training(caller: Caller, *, snapshot_id: int, settings: TrainingSettings) -> JobRecord:
    """Ask for a training; it begins in a process of its own, at once or when the one before it is over.

    Raises:
        NotFound: There is no such snapshot.
        InputRejected: The snapshot lacks what a training needs or is an external test set, the disk is too full, or a
            network's optional packages are not installed.
        LeakageFound: The snapshot holds patients of an external test set that was frozen since.
        Conflict: The same training is already waiting or running.
    """
    check_available(SEGMENTERS[settings.segmenter], CLASSIFIERS[settings.classifier])
    refuse_training(caller.store, snapshot_id)
    with caller.store.writing() as session:
        snapshot = session.get_one(Snapshot, snapshot_id)
        problems, _ = judge_counts(snapshot.counts)
        problems += training_disk_space(
            caller.store, snapshot.sha256, snapshot.counts["images"]["total"], settings
        ).problems
        if problems:
            raise InputRejected(" ".join(("This training cannot begin.", *problems)))
        wanted = write_settings(settings)
        unfinished = select(Job).where(Job.snapshot_id == snapshot_id, Job.state.in_(UNFINISHED))
        for other in session.scalars(unfinished):
            if other.settings == wanted:
                raise Conflict(f"The same training is already under way as job {other.id}.")
        job = add_job(session, caller.actor, JobKind.TRAIN, settings, snapshot_id=snapshot_id)
        audit.record(session, caller.actor, "start training", f"job {job.id}", snapshot=snapshot_id, settings=wanted)
    return place_job(caller.store, job.id)


@allowed(CLINICIANS)
def run_again(caller: Caller, *, job_id: int) -> JobRecord:
    """Put a failed or cancelled job back into the queue, where it goes on; a finished training starts anew as another.

    Returns:
        The job that waits now.

    Raises:
        NotFound: There is no such job.
        InputRejected: A finished training's settings are not those of this version of the program.
        LeakageFound: It is a training on a snapshot that holds patients of an external test set frozen since.
        Conflict: The job waits or runs, or is a finished prediction or evaluation.
    """
    job = get_job(caller, job_id=job_id)
    if job.state is JobState.DONE and job.kind is JobKind.TRAIN and job.snapshot_id is not None:
        with caller.store.reading() as session:
            settings = read_settings(TrainingSettings, find_row(session, Job, job_id).settings)
        return start_training(caller, snapshot_id=job.snapshot_id, settings=settings)
    if job.kind is JobKind.TRAIN and job.snapshot_id is not None:
        refuse_training(caller.store, job.snapshot_id)
    with caller.store.writing() as session:
        row = find_row(session, Job, job_id)
        if row.state not in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict(f"Job {job_id} is {row.state.value}; only a failed or cancelled job can be run again.")
        row.state = JobState.QUEUED
        row.attempt = 0
        row.cancel_requested = row.paused = False
        row.cancel_requested_at = None
        row.error = row.finished_at = None
        audit.record(session, caller.actor, "run job again", f"job {job_id}")
    return place_job(caller.store, job_id)
