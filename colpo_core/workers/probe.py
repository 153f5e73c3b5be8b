"""A probing job's work: estimate what a training will take, by a few steps of its networks."""

from collections.abc import Callable
from dataclasses import replace

from colpo_core.records.jobs.settings import read_settings
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.jobs import gpus
from colpo_core.services.jobs.leases import Finish, Lease
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store.tables import Job, Snapshot
from colpo_core.workers.live_record import LiveRecord


def run_probe(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    """Work out what a training on the job's snapshot with the job's settings will take.

    Args:
        lease: The right to write for the job.
        must_stop: Asked between the steps.

    Returns:
        What gives the job's result: a `ResourceEstimate`.

    Raises:
        JobCancelled: `must_stop` said so.
        InputRejected: The settings ask for what the machine has not.
        JobFailed: The memory does not suffice for a step.
        NotFound: The snapshot's file is missing or damaged.
        LeaseLost: Another runner has the job.
    """
    # Only here, in the runner: torch takes seconds to import, and must never enter the web process.
    from colpo_core.training.progress import ProgressReporter
    from colpo_core.training.resource_estimate import estimate_resources

    with lease.store.reading() as session:
        job = session.get_one(Job, lease.job_id)
        settings = read_settings(TrainingSettings, job.settings)
        if gpus.is_across_machines(lease.store.settings, settings):
            settings = replace(settings, devices=1)  # the steps are made here, on this machine's share of a device
        sha256 = session.get_one(Snapshot, job.snapshot_id).sha256
    progress = ProgressReporter(LiveRecord(lease).write, must_stop)
    estimate = estimate_resources(read_manifest(lease.store, sha256), settings, progress=progress)
    return lambda _session, _job: estimate
