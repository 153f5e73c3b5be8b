"""Tables of masks: in the making, submitted, judged between annotators; the tasks that hand them out; biopsy points."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.store.tables.cases import Image
from colpo_core.terms import (
    AnnotationState,
    Finding,
    MaskOrigin,
    Start,
)


class Mask(Base):
    """A mask as its run-length code (see `colpo_core.images.masks`), once for all that refer to it."""

    __tablename__ = "masks"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(Sha256)
    width_px: Mapped[int]
    height_px: Mapped[int]
    area_px: Mapped[int]
    rle: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (UniqueConstraint("sha256", "width_px", "height_px"),)


class Annotation(Base):
    """One annotator's mask of one finding on one image; its versions never change.

    `draft_mask_id` and `draft_seq` hold what has been painted since the last version; every stroke raises the
    sequence. The other `draft_` columns say what the draft started from and what it took; the next version takes
    them over.
    """

    __tablename__ = "annotations"
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    finding: Mapped[Finding] = mapped_column(words(Finding, "finding"))
    state: Mapped[AnnotationState] = mapped_column(words(AnnotationState, "state"))
    document_id: Mapped[str] = mapped_column(String(40), unique=True)
    draft_mask_id: Mapped[int | None] = mapped_column(ForeignKey("masks.id"), index=True)
    draft_seq: Mapped[int] = mapped_column(default=0)
    draft_saved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    draft_start: Mapped[Start] = mapped_column(words(Start, "draft_start"), default=Start.NOTHING)
    draft_start_mask_id: Mapped[int | None] = mapped_column(ForeignKey("masks.id"), index=True)
    draft_start_version_id: Mapped[int | None] = mapped_column(ForeignKey("annotation_versions.id", use_alter=True))
    draft_start_prediction_id: Mapped[int | None] = mapped_column(ForeignKey("predictions.id"))
    draft_proposal_shown: Mapped[bool] = mapped_column(default=False)
    draft_strokes: Mapped[int] = mapped_column(default=0)
    draft_active_ms: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    image: Mapped[Image] = relationship()
    versions: Mapped[list["AnnotationVersion"]] = relationship(
        back_populates="annotation",
        order_by="AnnotationVersion.number",
        foreign_keys="AnnotationVersion.annotation_id",
    )
    __table_args__ = (
        UniqueConstraint("image_id", "annotator_id", "finding"),
        Index("ix_annotations_state", "state"),
        Index("ix_annotations_annotator_id_state", "annotator_id", "state"),
    )


class AnnotationVersion(Base):
    """One submitted, immutable version of an annotation.

    From `start` to `added_share` it says how it was made; NULL where that was not recorded (imported masks, and
    versions of an older store). `kept_share` is the share of the start's pixels that the version still marks,
    `added_share` the share of the version's pixels that the start did not mark; NULL where that is 0 of 0.
    `absence_confirmed` is set where the mask is empty and its annotator was asked, and said that the finding is not
    there.
    """

    __tablename__ = "annotation_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id"))
    number: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    mask_id: Mapped[int] = mapped_column(ForeignKey("masks.id"), index=True)
    origin: Mapped[MaskOrigin] = mapped_column(words(MaskOrigin, "origin"))
    base_number: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    start: Mapped[Start | None] = mapped_column(words(Start, "start"))
    start_mask_id: Mapped[int | None] = mapped_column(ForeignKey("masks.id"), index=True)
    start_version_id: Mapped[int | None] = mapped_column(ForeignKey("annotation_versions.id"))
    start_prediction_id: Mapped[int | None] = mapped_column(ForeignKey("predictions.id"))
    proposal_shown: Mapped[bool | None]
    strokes: Mapped[int | None]
    active_ms: Mapped[int | None]
    kept_share: Mapped[float | None]
    added_share: Mapped[float | None]
    absence_confirmed: Mapped[bool | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    annotation: Mapped[Annotation] = relationship(back_populates="versions", foreign_keys=[annotation_id])
    mask: Mapped[Mask] = relationship(foreign_keys=[mask_id])
    __table_args__ = (UniqueConstraint("annotation_id", "number"),)


class BiopsyPoint(Base):
    """Where a biopsy was taken or is proposed, in pixels of the image, origin top left."""

    __tablename__ = "biopsy_points"
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    position: Mapped[int]
    x_px: Mapped[float]
    y_px: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (UniqueConstraint("image_id", "annotator_id", "position"),)
