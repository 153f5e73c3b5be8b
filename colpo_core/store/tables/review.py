"""Verdicts on predictions, and predictions of changed images."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, UtcDateTime, utc_now, words
from colpo_core.terms import Change, Finding, ReviewReason, Verdict


class WhatIf(Base):
    """What a prediction's checkpoint says of its image once something of it is changed.

    `version_id` is the mask that was put in or covered; NULL where the model's own mask was. Those of a prediction are
    made together, and made anew together.
    """

    __tablename__ = "what_ifs"
    id: Mapped[int] = mapped_column(primary_key=True)
    prediction_id: Mapped[int] = mapped_column(ForeignKey("predictions.id"))
    change: Mapped[Change] = mapped_column(words(Change, "change"))
    finding: Mapped[Finding | None] = mapped_column(words(Finding, "finding"))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("annotation_versions.id"))
    prob_hsil_3ch: Mapped[float]
    prob_hsil_4ch: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (Index("ix_what_ifs_prediction_id_id", "prediction_id", "id"),)


class Review(Base):
    """A clinician's verdict on a prediction. The newest of a reviewer counts; none is changed.

    `because` is one word for why, `reason` the person's own; either may be missing where she agrees.
    """

    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    prediction_id: Mapped[int] = mapped_column(ForeignKey("predictions.id"))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    verdict: Mapped[Verdict] = mapped_column(words(Verdict, "verdict"))
    because: Mapped[ReviewReason | None] = mapped_column(words(ReviewReason, "because"))
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (Index("ix_reviews_prediction_id_id", "prediction_id", "id"),)
