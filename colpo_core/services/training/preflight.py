"""Before a training: what is missing, what it will write, how long it will take and how much memory.

Labels and the disk are looked at at once. Time and memory are measured by a job of its own, which makes a few steps of
the very networks; what it found is kept with its row and shown for as long as snapshot and settings are the same.
"""

import psutil
from sqlalchemy import select

from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.jobs.settings import write_settings
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, check_available
from colpo_core.records.training.estimates import ResourceEstimate
from colpo_core.records.training.preflight import Preflight
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs import control as jobs
from colpo_core.services.snapshots.count_checks import judge_counts
from colpo_core.services.snapshots.freezing import get_snapshot
from colpo_core.services.training.disk_space import training_disk_space
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState


@allowed(CLINICIANS)
def preflight(caller: Caller, *, snapshot_id: int, settings: TrainingSettings) -> Preflight:
    """What is known of a training that has not begun.

    Raises:
        NotFound: There is no such snapshot.
    """
    probe = _newest_probe(caller, snapshot_id, settings)
    estimate = probe.result if probe is not None and isinstance(probe.result, ResourceEstimate) else None
    snapshot = get_snapshot(caller, snapshot_id=snapshot_id)
    weights_bytes = estimate.weights_bytes if estimate else 0
    space = training_disk_space(
        caller.store, snapshot.sha256, snapshot.count("images"), settings, weights_bytes=weights_bytes
    )
    problems, warnings = judge_counts(snapshot.counts)
    problems += space.problems
    if probe is not None and probe.state is JobState.FAILED and probe.error:
        problems += (probe.error,)
    return Preflight(
        problems=problems,
        warnings=warnings + _of_memory(estimate),
        disk_needed_bytes=space.needed_bytes,
        disk_free_bytes=space.free_bytes,
        probe=probe,
        outlook=estimate,
    )


@allowed(CLINICIANS)
def start_probe(caller: Caller, *, snapshot_id: int, settings: TrainingSettings) -> JobRecord:
    """Ask for a look ahead: a few steps of each network, in a process of its own.

    Returns:
        The job: one that waits or runs already with the same snapshot and settings, or a new one.

    Raises:
        InputRejected: A network's optional packages are not installed.
        NotFound: There is no such snapshot.
    """
    check_available(SEGMENTERS[settings.segmenter], CLASSIFIERS[settings.classifier])
    newest = _newest_probe(caller, snapshot_id, settings)
    if newest is not None and not newest.state.is_over:
        return newest
    get_snapshot(caller, snapshot_id=snapshot_id)
    with caller.store.writing() as session:
        job = jobs.add_job(session, caller.actor, JobKind.PROBE, settings, snapshot_id=snapshot_id, max_attempts=1)
        audit.record(session, caller.actor, "look ahead", f"job {job.id}", snapshot=snapshot_id)
    return jobs.place_job(caller.store, job.id)


def _newest_probe(caller: Caller, snapshot_id: int, settings: TrainingSettings) -> JobRecord | None:
    wanted = write_settings(settings)
    query = select(Job).where(Job.kind == JobKind.PROBE, Job.snapshot_id == snapshot_id).order_by(Job.id.desc())
    with caller.store.reading() as session:
        newest_id = next((job.id for job in session.scalars(query) if job.settings == wanted), None)
    return None if newest_id is None else jobs.get_job(caller, job_id=newest_id)


def _of_memory(estimate: ResourceEstimate | None) -> tuple[str, ...]:
    if estimate is None:
        return ()
    available = psutil.virtual_memory().available
    if estimate.memory_bytes <= available:
        return ()
    return (
        f"{estimate.memory_bytes / 1e9:.1f} GB of memory are needed and {available / 1e9:.1f} GB are free now. Close "
        "other programs, or choose a smaller batch, a smaller size or a narrower SegNet.",
    )
