"""Rules by which the program trains by itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now


class RetrainingRule(Base):
    """When the program trains by itself. The newest row is the one that holds; it never promotes.

    `last_note` says what came of it last, `last_looked_at` when it was looked at.
    """

    __tablename__ = "retraining_rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    every_days: Mapped[int | None]
    at_new_labels: Mapped[int | None]
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    last_note: Mapped[str] = mapped_column(Text, default="")
