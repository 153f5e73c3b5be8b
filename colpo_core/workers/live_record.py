"""What a running training writes for its page to draw."""

import time

import numpy as np

from colpo_core.records.training.settings import TrainingEvent
from colpo_core.services.jobs import gpus
from colpo_core.services.jobs.leases import Lease
from colpo_core.store.tables import JobEvent

_HEARTBEAT_SECONDS = 1.0


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
