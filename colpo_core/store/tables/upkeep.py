"""Tables of the store as a whole: who it is, when it is backed up by itself, and what checking it found."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now


class StoreIdentity(Base):
    """The one row that says which store this is. It is made with the store and goes with it into every copy."""

    __tablename__ = "store_identity"
    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    uuid: Mapped[str] = mapped_column(String(36), default=lambda: str(uuid4()))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class BackUpPlan(Base):
    """When the program backs up by itself. The newest row holds; one that is not on switches it off.

    `folder` is on the machine that serves, `hour` is by its clock, `kept` is how many earlier databases stay.
    """

    __tablename__ = "back_up_plans"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    folder: Mapped[str] = mapped_column(Text)
    hour: Mapped[int]
    kept: Mapped[int]
    set_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StoreCheck(Base):
    """What one walk over the whole store found. `unnamed` are files that no row names: harmless, and not backed up."""

    __tablename__ = "store_checks"
    id: Mapped[int] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    n_files: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    faults: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    unnamed: Mapped[list[str]] = mapped_column(JSON)
