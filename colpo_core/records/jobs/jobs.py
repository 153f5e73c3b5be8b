"""Records of background jobs: where one stands, and its live record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colpo_core.records.jobs.results import JobResult, write_result
from colpo_core.records.jobs.settings import JobSettings, write_settings
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.terms import JobKind, JobState


@dataclass(frozen=True)
class JobRecord:
    """One background job.

    Attributes:
        id: Row of the job.
        kind: What it does.
        state: Where it stands.
        silent: Whether it runs, but its process has not been heard within its lease: it will be taken up again.
        settings: What it is to do; None where another version of the program asked for it.
        snapshot_id: What a training learns from; None for a prediction.
        attempt: How often a runner has taken it up.
        max_attempts: After how many it is given up.
        cancel_requested: Whether somebody has asked to stop it.
        paused: Whether it waits for somebody to resume it, or is about to.
        priority: Of those that wait, the highest comes first.
        stage: What it is doing, in the words of `TrainingEvent`.
        epoch: Epochs finished in this stage.
        epochs_total: Epochs of this stage.
        progress: Share of the whole, 0 to 1.
        error: Why it failed, in a sentence.
        result: What it made; None before it is done, and where another version of the program made it.
        created_by: Name of the person who started it.
        created_at: When it was asked for.
        started_at: When a runner first took it up.
        finished_at: When it was over.
    """

    id: int
    kind: JobKind
    state: JobState
    silent: bool
    settings: JobSettings | None
    snapshot_id: int | None
    attempt: int
    max_attempts: int
    cancel_requested: bool
    paused: bool
    priority: int
    stage: str
    epoch: int
    epochs_total: int
    progress: float
    error: str | None
    result: JobResult | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def training_settings(self) -> TrainingSettings | None:
        """The settings of a training, or of an estimate of what it will take; None of other jobs."""
        return self.settings if isinstance(self.settings, TrainingSettings) else None

    @property
    def share(self) -> float:
        """How far it is as a bar on a page takes it: its progress, never outside 0 to 1."""
        return min(1.0, max(0.0, self.progress))

    @property
    def word(self) -> str:
        """Where it stands, in a word."""
        if self.state.is_over:
            return self.state.value
        if self.cancel_requested:
            return "stopping"
        if self.paused:
            return "paused" if self.state is JobState.QUEUED else "pausing"
        return self.state.value


def stored_values(job: JobRecord) -> dict[str, Any]:
    """A job's `settings` and `result` as its row keeps them; empty where they are None."""
    settings = {} if job.settings is None else write_settings(job.settings)
    return {"settings": settings, "result": write_result(job.result)}


@dataclass(frozen=True)
class JobEventRecord:
    """One line of a job's live record.

    Attributes:
        id: Row of the event; ask for those after it.
        at: When it happened.
        stage: In which stage.
        epoch: Epochs finished in that stage.
        figures: Losses and metrics by name, or empty.
        message: A sentence for the log, or empty.
    """

    id: int
    at: datetime
    stage: str
    epoch: int
    figures: dict[str, float]
    message: str


@dataclass(frozen=True)
class PredictionProgress:
    """How far a prediction is, whether one job makes it or several share it out.

    Attributes:
        job_id: Row of its job, or of the first of several.
        checkpoint_id: Whose prediction it is.
        n_jobs: How many jobs share it out.
        n_running: How many of them run.
        n_failed: How many of them have failed.
        n_images: How many images it is for.
        n_done: How many of them are done.
        images_per_second: How quick the running jobs are together of late; None where none has told.
    """

    job_id: int
    checkpoint_id: int
    n_jobs: int
    n_running: int
    n_failed: int
    n_images: int
    n_done: int
    images_per_second: float | None

    @property
    def job_ids(self) -> range:
        """Rows of all its jobs: they were queued at one stroke."""
        return range(self.job_id, self.job_id + self.n_jobs)

    @property
    def share(self) -> float:
        """What is done of it, 0 to 1."""
        return min(1.0, self.n_done / max(1, self.n_images))

    @property
    def seconds_left(self) -> float | None:
        """How long it will take yet at the pace of late; None where the pace is not known."""
        return (self.n_images - self.n_done) / self.images_per_second if self.images_per_second else None


def seconds_left(job: JobRecord, events: Sequence[JobEventRecord]) -> float | None:
    """How long a prediction will take yet, at the pace of late; None where that is not known, and once it is over."""
    speeds = [event.figures["images_per_second"] for event in events if "images_per_second" in event.figures]
    if job.state is not JobState.RUNNING or not speeds or speeds[-1] <= 0:
        return None
    return (job.epochs_total - job.epoch) / speeds[-1]


@dataclass(frozen=True)
class GpuState:
    """A GPU of this machine as its driver describes it.

    Attributes:
        uuid: The identifier that CUDA takes.
        name: Its model.
        memory_bytes: Its memory.
        free_bytes: What is free of it.
        load: Share of the last moment in which it computed, 0 to 1; None where it does not tell.
    """

    uuid: str
    name: str
    memory_bytes: int
    free_bytes: int
    load: float | None
