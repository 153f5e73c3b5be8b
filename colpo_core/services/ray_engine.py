"""Ray as the engine: jobs are placed as jobs of a Ray cluster, which finds a machine with room for each.

Ray's own record of jobs may vanish with its head, so it is never asked how a job stands: the job table says that, and
whoever reconciles submits what nobody holds.

Source: https://docs.ray.io (job submission).
"""

import logging

from colpo_core.services import gpus, runner_processes
from colpo_core.store import Store
from colpo_core.store.tables import Job

log = logging.getLogger(__name__)


def submit(store: Store, job_id: int, *, attempt: int) -> None:
    """Submit the runner of a job; one that was submitted for this attempt and has not ended is left alone.

    Args:
        store: The open store, on PostgreSQL and on a folder that all machines share.
        job_id: Row of the job.
        attempt: How often it was taken up so far.
    """
    from ray.job_submission import JobStatus, JobSubmissionClient

    with store.reading() as session:
        job = session.get_one(Job, job_id)
        n_gpus = _gpus_of(store, job)
    name = f"colpodesk-{job_id}-{attempt}"
    try:
        client = JobSubmissionClient(store.settings.ray_address)
        known = {one.submission_id: one.status for one in client.list_jobs()}
        repeat = 0
        while (status := known.get(f"{name}-{repeat}")) is not None:
            if status in (JobStatus.PENDING, JobStatus.RUNNING):
                return
            repeat += 1
        client.submit_job(
            entrypoint=" ".join(runner_processes.runner_command(job_id)),
            submission_id=f"{name}-{repeat}",
            runtime_env={"env_vars": store.settings.to_environment()},
            entrypoint_num_cpus=1,
            entrypoint_num_gpus=n_gpus or None,
        )
    except (ConnectionError, RuntimeError) as error:
        # The job waits in the table; it is submitted again when the cluster answers.
        log.warning("job %d could not be submitted to Ray: %s", job_id, error)


def _gpus_of(store: Store, job: Job) -> int:
    """GPUs to ask the cluster for; none where the settings say that its machines have none."""
    if store.settings.gpus == () or job.kind not in gpus.WAIT_FOR_A_GPU:
        return 0
    return int(job.settings.get("devices", 1)) or 1
