"""Decisions between annotators, and masks made of several."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import (
    AdjudicationMethod,
    Combination,
    Finding,
)


class Adjudication(Base):
    """A senior's decision which mask of a finding counts on an image; the newest counts, none is changed.

    `sources` lists the versions that were looked at.
    """

    __tablename__ = "adjudications"
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    finding: Mapped[Finding] = mapped_column(words(Finding, "finding"))
    version_id: Mapped[int] = mapped_column(ForeignKey("annotation_versions.id"))
    method: Mapped[AdjudicationMethod] = mapped_column(words(AdjudicationMethod, "method"))
    sources: Mapped[list[int]] = mapped_column(JSON)
    decided_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (Index("ix_adjudications_image_id_finding", "image_id", "finding"),)


class ConsensusMask(Base):
    """A mask that was computed from several annotators' versions and frozen in a snapshot."""

    __tablename__ = "consensus_masks"
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    finding: Mapped[Finding] = mapped_column(words(Finding, "finding"))
    method: Mapped[Combination] = mapped_column(words(Combination, "method"))
    sources_sha256: Mapped[str] = mapped_column(Sha256)
    sources: Mapped[list[int]] = mapped_column(JSON)
    mask_id: Mapped[int] = mapped_column(ForeignKey("masks.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (UniqueConstraint("image_id", "finding", "method", "sources_sha256"),)
