"""Tables of lists: what cases are filtered and sorted by, in one row a case, and the views that people keep.

All but the kept views is derived. `colpo_core.store.case_summaries` writes it in the transaction that changes a case.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now, words
from colpo_core.terms import Grade, Label, Outcome, ReviewState, Verdict

_EQUAL = (
    "grade", "label", "flagged", "device", "simulated", "outcome", "networks_differ", "review_state",
    "awaits_annotation", "has_draft", "has_to_confirm", "has_submitted", "has_rejected",
)  # fmt: skip
_ORDERED = ("examined_on", "patient_key", "prob_hsil_4ch", "margin")


class CaseSummary(Base):
    """One case as lists find it. Each column that a filter asks for has an index, and so has each order.

    Attributes:
        examined_on: Day of the examination; where it is unknown, the day on which the case came in.
        patient_key: The patient's code in lower case.
        grade: Highest grade of the histology, with `label` and `flagged` as the rules decided by histology.
        n_annotators: Of the acetic-acid image that most people have annotated, how many submitted a mask of acetowhite
            epithelium.
        prob_hsil_3ch: Mean over the acetic-acid images that show the cervix, by the current model; NULL without any
            prediction, as are all columns that rest on it.
        margin: How far the 4-channel probability lies from its threshold.
        networks_differ: Whether the two networks call the case differently.
        outcome: The 4-channel call against the label.
        review_state: The gravest verdict on the current model's predictions.
    """

    __tablename__ = "case_summaries"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    examined_on: Mapped[date] = mapped_column(Date)
    patient_key: Mapped[str] = mapped_column(String(60))
    device: Mapped[str | None] = mapped_column(String(80))
    simulated: Mapped[bool]
    grade: Mapped[Grade | None] = mapped_column(words(Grade, "grade"))
    label: Mapped[Label | None] = mapped_column(words(Label, "label"))
    flagged: Mapped[bool]
    n_images: Mapped[int]
    n_unannotated: Mapped[int]
    thumbnail_image_id: Mapped[int | None]
    awaits_annotation: Mapped[bool]
    has_draft: Mapped[bool]
    has_to_confirm: Mapped[bool]
    has_submitted: Mapped[bool]
    has_rejected: Mapped[bool]
    n_annotators: Mapped[int]
    prob_hsil_3ch: Mapped[float | None]
    prob_hsil_4ch: Mapped[float | None]
    margin: Mapped[float | None]
    networks_differ: Mapped[bool | None]
    outcome: Mapped[Outcome | None] = mapped_column(words(Outcome, "outcome"))
    review_state: Mapped[ReviewState | None] = mapped_column(words(ReviewState, "review_state"))
    __table_args__ = (
        Index("ix_case_summaries_created_at_case_id", "created_at", "case_id"),
        *(Index(f"ix_case_summaries_{name}", name, "created_at", "case_id") for name in _EQUAL),
        *(Index(f"ix_case_summaries_{name}", name, "case_id") for name in _ORDERED),
        Index("ix_case_summaries_n_annotators", "n_annotators"),
    )


class CaseReviewer(Base):
    """A reviewer's gravest newest verdict on what the current model says of a case."""

    __tablename__ = "case_reviewers"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(words(Verdict, "verdict"))
    __table_args__ = (Index("ix_case_reviewers_reviewer_id_case_id", "reviewer_id", "case_id"),)


class CaseAgreement(Base):
    """How the annotators of a case agree, where several have annotated one of its images.

    `lowest_dice` is the lowest Dice of two of them on one image; NULL where none of their masks can be compared. A row
    goes when a mask of the case changes, and is made anew when somebody asks.
    """

    __tablename__ = "case_agreements"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    lowest_dice: Mapped[float | None]
    __table_args__ = (Index("ix_case_agreements_lowest_dice_case_id", "lowest_dice", "case_id"),)


class SavedView(Base):
    """Filters and order of a list under a name, for the person who keeps them."""

    __tablename__ = "saved_views"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (UniqueConstraint("person_id", "name"),)
