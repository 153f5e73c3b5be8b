"""Snapshots."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import LabelSource, MaskPolicy


class Snapshot(Base):
    """A frozen list of images, masks and labels with their split; the manifest is a blob named by its hash.

    An external one is a test set: its patients stand in no other snapshot, and nothing is ever trained on it.
    `shortcuts` is what came of the last search for shortcuts in it, NULL where none was made.
    """

    __tablename__ = "snapshots"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    sha256: Mapped[str] = mapped_column(Sha256, unique=True)
    label_source: Mapped[LabelSource] = mapped_column(words(LabelSource, "label_source"))
    rules_version: Mapped[str] = mapped_column(String(40))
    mask_policy: Mapped[MaskPolicy] = mapped_column(words(MaskPolicy, "mask_policy"), default=MaskPolicy.NEWEST)
    mask_annotator_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    seed: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    simulated: Mapped[bool] = mapped_column(default=False)
    external: Mapped[bool] = mapped_column(default=False)
    shortcuts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
