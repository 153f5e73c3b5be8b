"""Annotation tasks."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now, words
from colpo_core.terms import (
    Finding,
    TaskItemState,
    TaskOrder,
)


class AnnotationTask(Base):
    """Images handed to people to annotate: so many annotators an image, blind to each other or not."""

    __tablename__ = "annotation_tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120), unique=True)
    finding: Mapped[Finding] = mapped_column(words(Finding, "finding"))
    n_annotators: Mapped[int]
    blind: Mapped[bool]
    proposals: Mapped[bool]
    order: Mapped[TaskOrder] = mapped_column(words(TaskOrder, "order"))
    seed: Mapped[int]
    adjudicator_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    items: Mapped[list["TaskItem"]] = relationship(back_populates="task", order_by="TaskItem.id")
    __table_args__ = (CheckConstraint("n_annotators >= 1", name="n_annotators"),)


class TaskItem(Base):
    """One image of a task for one person; `position` is its place in that person's queue."""

    __tablename__ = "task_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("annotation_tasks.id"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    position: Mapped[int]
    state: Mapped[TaskItemState] = mapped_column(words(TaskItemState, "state"), default=TaskItemState.WAITING)
    skip_reason: Mapped[str | None] = mapped_column(String(300))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("annotation_versions.id"))
    active_ms: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    task: Mapped[AnnotationTask] = relationship(back_populates="items")
    __table_args__ = (
        UniqueConstraint("task_id", "image_id", "annotator_id"),
        UniqueConstraint("task_id", "annotator_id", "position"),
        Index("ix_task_items_annotator_id_state", "annotator_id", "state"),
        Index("ix_task_items_image_id", "image_id"),
    )
