"""Tables of the exposure ledger and of the amendments to sealed studies."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now, words
from colpo_core.terms import AmendmentKind, ExposureKind


class Exposure(Base):
    """That a person has seen something of a case that a blinded reader must not know: one row a kind.

    `within_study` is the study whose own screens showed it, such as the model's output of an aided arm, and 0 for
    everything else: what a study shows by its design is not held against its readers in that same study.
    """

    __tablename__ = "exposures"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, index=True)
    kind: Mapped[ExposureKind] = mapped_column(words(ExposureKind, "kind"), primary_key=True)
    within_study: Mapped[int] = mapped_column(primary_key=True, default=0)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    times: Mapped[int] = mapped_column(default=1)


class StudyClosing(Base):
    """What was found when a study was closed, and by which methods. Triggers refuse changes and deletions.

    A study that was closed before this table has no row. `found` holds the primary results, each with its figures, and
    how many labels had changed since the seal.
    """

    __tablename__ = "study_closings"
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    code_version: Mapped[str] = mapped_column(String(80))
    methods_version: Mapped[int]
    found: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class StudyAmendment(Base):
    """A change to a sealed study, and why. Triggers refuse changes and deletions."""

    __tablename__ = "study_amendments"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[AmendmentKind] = mapped_column(words(AmendmentKind, "kind"))
    change: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str] = mapped_column(Text)
    __table_args__ = (Index("ix_study_amendments_study_id_id", "study_id", "id"),)
