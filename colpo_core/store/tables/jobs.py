"""Background jobs, and the GPUs that they hold."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now, words
from colpo_core.terms import JobKind, JobState


class Job(Base):
    """A background job. This row is the truth; every write of a runner carries its lease token.

    Lease times, and when somebody asked to cancel it, are seconds since 1970 by the database's clock. Of those that
    wait the one of the highest priority comes first, then the oldest; a paused one waits until somebody resumes it.
    """

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[JobKind] = mapped_column(words(JobKind, "kind"))
    state: Mapped[JobState] = mapped_column(words(JobState, "state"), default=JobState.QUEUED)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"))
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[float | None]
    host: Mapped[str | None] = mapped_column(String(120))
    pid: Mapped[int | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    cancel_requested_at: Mapped[float | None]
    paused: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(String(80), default="")
    epoch: Mapped[int] = mapped_column(default=0)
    epochs_total: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gpus: Mapped[list["HeldGpu"]] = relationship(cascade="all, delete-orphan", order_by="HeldGpu.gpu")
    __table_args__ = (Index("ix_jobs_state_id", "state", "id"),)


class HeldGpu(Base):
    """A GPU that a running job computes on: no two of them on the same one."""

    __tablename__ = "held_gpus"
    host: Mapped[str] = mapped_column(String(120), primary_key=True)
    gpu: Mapped[str] = mapped_column(String(80), primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)


class JobEvent(Base):
    """One line of a job's live record: losses and metrics of one epoch of one stage, or a message."""

    __tablename__ = "job_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    stage: Mapped[str] = mapped_column(String(80))
    epoch: Mapped[int]
    figures: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    message: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("ix_job_events_job_id_id", "job_id", "id"),)
