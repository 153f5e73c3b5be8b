"""Waiting for a job, and what it says of itself on the way."""

import time
from collections.abc import Callable
from itertools import count

from colpo_core.cli.output import note
from colpo_core.errors import JobFailed
from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as job_service
from colpo_core.services.jobs import engine
from colpo_core.terms import JobState

POLL_SECONDS = 1.0


def wait_for(caller: Caller, job_id: int) -> JobRecord:
    """Follow a job until it is over, and say on standard error how it goes.

    Raises:
        JobFailed: It failed or was cancelled.
    """
    seen = 0
    while True:
        job = job_service.get_job(caller, job_id=job_id)
        for event in job_service.job_events(caller, job_id=job_id, after_id=seen):
            seen = event.id
            note(progress_line(event, progress=job.progress))
        if job.state is JobState.DONE:
            return job
        if job.state.is_over:
            raise JobFailed(job.error or f"Job {job_id} was {job.state.value}.")
        engine.reconcile(caller.store)
        time.sleep(POLL_SECONDS)


def counting(text: str, total: int | None = None) -> Callable[..., None]:
    """What is called after each step of a work, and says at every tenth and at the last how many are done.

    Args:
        text: What it says, with `{}` where the number stands.
        total: How many steps there are; None where that is not known.
    """
    steps = count(1)

    def step(*_: object) -> None:
        done = next(steps)
        if done % 10 == 0 or done == total:
            note(text.format(done))

    return step


def progress_line(event: JobEventRecord | TrainingEvent, *, progress: float | None = None) -> str:
    """How a training goes, in a line.

    Args:
        event: A step of its live record.
        progress: Share of the whole that is done, 0 to 1; None where the whole is not known.
    """
    share = "" if progress is None else f"{progress:4.0%}  "
    return f"{share}{event.stage} {event.epoch or ''}  {figures_text(event)} {event.message}".rstrip()


def figures_text(event: JobEventRecord | TrainingEvent) -> str:
    """The losses and metrics of one event in a line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in event.figures.items())
