"""Tables of reading studies."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import Arm, Label, StudyState


class Study(Base):
    """A reading study. The seal is the hash of its design, taken before the first reading."""

    __tablename__ = "studies"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    question: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[StudyState] = mapped_column(words(StudyState, "state"), default=StudyState.DRAFT)
    seed: Mapped[int]
    design: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    seal_sha256: Mapped[str | None] = mapped_column(Sha256)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StudyCase(Base):
    """A case of a study, the image that is shown for it, and its reference standard when the study was sealed."""

    __tablename__ = "study_cases"
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    truth: Mapped[Label] = mapped_column(words(Label, "truth"))


class StudyReader(Base):
    """Who reads in a study."""

    __tablename__ = "study_readers"
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)


class StudyCheckpoint(Base):
    """A checkpoint that is compared with the readers."""

    __tablename__ = "study_checkpoints"
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoints.id"), primary_key=True)


class StudyPracticeCase(Base):
    """A case with which readers practise before a study; it is not among the study's cases."""

    __tablename__ = "study_practice_cases"
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    truth: Mapped[Label] = mapped_column(words(Label, "truth"))


class PracticeReading(Base):
    """A practice case as it was put before a reader, and what the reader called. No analysis reads this table."""

    __tablename__ = "practice_readings"
    token: Mapped[str] = mapped_column(String(60), primary_key=True)
    study_id: Mapped[int]
    reader_id: Mapped[int]
    case_id: Mapped[int]
    shown_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    call: Mapped[Label | None] = mapped_column(words(Label, "call"))
    confidence: Mapped[int | None]
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("study_id", "reader_id", "case_id"),
        ForeignKeyConstraint(
            ["study_id", "case_id"], ["study_practice_cases.study_id", "study_practice_cases.case_id"]
        ),
        ForeignKeyConstraint(["study_id", "reader_id"], ["study_readers.study_id", "study_readers.person_id"]),
    )


class Presentation(Base):
    """A case as it was put before a reader: since when, and the random token by which the reader's browser knows it."""

    __tablename__ = "presentations"
    token: Mapped[str] = mapped_column(String(60), primary_key=True)
    study_id: Mapped[int]
    reader_id: Mapped[int]
    case_id: Mapped[int]
    session: Mapped[int] = mapped_column(default=1)
    occurrence: Mapped[int] = mapped_column(default=1)
    shown_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (
        UniqueConstraint("study_id", "reader_id", "case_id", "session", "occurrence"),
        Index("ix_presentations_reader_id_case_id", "reader_id", "case_id"),
        ForeignKeyConstraint(["study_id", "case_id"], ["study_cases.study_id", "study_cases.case_id"]),
        ForeignKeyConstraint(["study_id", "reader_id"], ["study_readers.study_id", "study_readers.person_id"]),
    )


class ReadingDraft(Base):
    """What a reader has set on a case that was put before her, while its call of a phase is awaited.

    It is gone with the answer; no analysis reads this table.
    """

    __tablename__ = "reading_drafts"
    token: Mapped[str] = mapped_column(ForeignKey("presentations.token", ondelete="CASCADE"), primary_key=True)
    phase: Mapped[int] = mapped_column(primary_key=True)
    points: Mapped[list[list[float]]] = mapped_column(JSON, default=list)
    findings: Mapped[list[str]] = mapped_column(JSON, default=list)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Reading(Base):
    """One reader's blinded call on one case. Triggers refuse changes and deletions.

    `occurrence` is 2 for a hidden repeat within the session, `phase` 2 for a second call on the same showing.
    `active_ms` is the time without breaks; NULL in rows of an older store, or where no browser measured it.
    `points` are biopsy sites as (x, y) in pixels of the image that was shown, `findings` words of `Finding`; NULL where
    the study does not ask for them.
    """

    __tablename__ = "readings"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int]
    reader_id: Mapped[int]
    case_id: Mapped[int]
    call: Mapped[Label] = mapped_column(words(Label, "call"))
    confidence: Mapped[int]
    shown_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    session: Mapped[int] = mapped_column(default=1)
    arm: Mapped[Arm] = mapped_column(words(Arm, "arm"), default=Arm.UNAIDED)
    occurrence: Mapped[int] = mapped_column(default=1)
    phase: Mapped[int] = mapped_column(default=1)
    active_ms: Mapped[int | None]
    points: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))
    findings: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    __table_args__ = (
        UniqueConstraint("study_id", "reader_id", "case_id", "session", "occurrence", "phase"),
        Index("ix_readings_reader_id_case_id", "reader_id", "case_id"),
        CheckConstraint("active_ms >= 0", name="active_ms"),
        CheckConstraint("confidence BETWEEN 0 AND 100", name="confidence"),
        ForeignKeyConstraint(["study_id", "case_id"], ["study_cases.study_id", "study_cases.case_id"]),
        ForeignKeyConstraint(["study_id", "reader_id"], ["study_readers.study_id", "study_readers.person_id"]),
    )
