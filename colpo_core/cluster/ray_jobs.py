"""Ray as the engine: jobs are placed as jobs of a Ray cluster, which finds a machine with room for each.

Ray's own record of jobs may vanish with its head, so it is never asked how a job stands: the job table says that, and
whoever reconciles submits what nobody holds.

Source: https://docs.ray.io (job submission).
"""

import logging
import threading

from colpo_core.records.jobs.settings import settings_of_kind
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.jobs import gpus, runner_processes
from colpo_core.services.jobs.engine import ClusterJobs
from colpo_core.settings import PROGRAM_DIR
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind

log = logging.getLogger(__name__)
RUNNER_SHARE = 0.01
"""Of a device for the process of a training across machines; a process of its fits takes the rest of one."""


class RayJobs(ClusterJobs):
    """Jobs are placed as jobs of a Ray cluster, which finds a machine for each."""

    def place(self, store: Store, job: Job) -> None:
        """Submit the runner of a job; one that was submitted for this attempt and has not ended is left alone.

        Args:
            store: The open store, on PostgreSQL and on files that all machines share.
            job: The job; its `attempt` says how often it was taken up so far.
        """
        from ray.job_submission import JobStatus, JobSubmissionClient

        n_cpus, n_gpus = _needs(store, job)
        name = f"colpodesk-{job.id}-{job.attempt}"
        try:
            client = JobSubmissionClient(store.settings.ray_address)
            known = {submitted.submission_id: submitted.status for submitted in client.list_jobs()}
            repeat = 0
            while (status := known.get(f"{name}-{repeat}")) is not None:
                if status in (JobStatus.PENDING, JobStatus.RUNNING):
                    return
                repeat += 1
            client.submit_job(
                entrypoint=" ".join(runner_processes.runner_command(job.id)),
                submission_id=f"{name}-{repeat}",
                runtime_env={"env_vars": process_environment(store)},
                entrypoint_num_cpus=n_cpus,
                entrypoint_num_gpus=n_gpus or None,
            )
        except (ConnectionError, RuntimeError) as error:
            # The job waits in the table; it is submitted again when the cluster answers.
            log.warning("job %d could not be submitted to Ray: %s", job.id, error)

    def work(self, store: Store, *, end_requested: threading.Event) -> None:
        """Wait: the cluster's own processes run the jobs."""
        end_requested.wait()


def process_environment(store: Store) -> dict[str, str]:
    """Variables of every process that Ray starts: the store's settings, and where the program lies."""
    return store.settings.to_environment() | {"PYTHONPATH": str(PROGRAM_DIR)}


def _needs(store: Store, job: Job) -> tuple[float, float]:
    """Processors and GPUs to ask the cluster for; no GPU where the settings say that its machines have none.

    The process of a training across machines takes a sliver of one device: its fits take nearly all of as many as the
    training's settings say, and it computes between them.
    """
    settings = settings_of_kind(job.kind, job.settings)
    across = (
        job.kind is JobKind.TRAIN
        and isinstance(settings, TrainingSettings)
        and gpus.is_across_machines(store.settings, settings)
    )
    share = RUNNER_SHARE if across else 1.0
    if store.settings.gpus == () or job.kind not in gpus.WAIT_FOR_A_GPU:
        return share, 0.0
    return 1.0, share
