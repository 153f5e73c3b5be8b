"""What the clinic has set for the whole program."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now


class Preference(Base):
    """One setting that an administrator has changed; what has no row stands as the program sets it."""

    __tablename__ = "preferences"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
