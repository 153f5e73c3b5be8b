"""Checkpoints, what was decided about them, and what they predict."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import LabelSource


class Checkpoint(Base):
    """Trained weights (a folder named by `name` under the store's checkpoints) with what made them.

    `learning_recorded` says whether it is known whom and what it learned from: see `CheckpointPatient`.
    """

    __tablename__ = "checkpoints"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    sha256: Mapped[str] = mapped_column(Sha256)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), unique=True)
    label_source: Mapped[LabelSource] = mapped_column(words(LabelSource, "label_source"))
    simulated: Mapped[bool] = mapped_column(default=False)
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    learning_recorded: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class CheckpointPatient(Base):
    """A patient whom a checkpoint has learned from, or who chose its epoch and thresholds, by the code of then.

    Written when the checkpoint is published, and never changed. Whoever is found to be the same woman since is not
    here: see `services.snapshots.learned`.
    """

    __tablename__ = "checkpoint_patients"
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoints.id", ondelete="CASCADE"), primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), primary_key=True)


class CheckpointImage(Base):
    """An image that a checkpoint has learned from: whatever comes in later is compared with its look."""

    __tablename__ = "checkpoint_images"
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoints.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)


class Evaluation(Base):
    """One look at how a checkpoint does on an external test set. Each look is a row, so that looks are counted."""

    __tablename__ = "evaluations"
    id: Mapped[int] = mapped_column(primary_key=True)
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoints.id"))
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"))
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (
        Index("ix_evaluations_checkpoint_id_id", "checkpoint_id", "id"),
        Index("ix_evaluations_snapshot_id_id", "snapshot_id", "id"),
    )


class Promotion(Base):
    """A checkpoint became the clinic's current model. The newest row names the current one.

    `overruled` are the sentences that held the promotion back and that an administrator overruled, `unchecked` says
    what could not be looked at.
    """

    __tablename__ = "promotions"
    id: Mapped[int] = mapped_column(primary_key=True)
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoints.id"))
    promoted_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(Text)
    overruled: Mapped[list[str]] = mapped_column(JSON, default=list)
    unchecked: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Prediction(Base):
    """What one checkpoint says of one image. Maps lie in a blob named by `maps_sha256`.

    `acetowhite_sha256` names the blob with the probabilities that the mask was made of; NULL in rows of an older store.
    `mask_entropy` is the mean binary entropy of the segmentation over the image, 0 to 1 bit; NULL in rows of an older
    store.
    """

    __tablename__ = "predictions"
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoints.id"))
    prob_hsil_3ch: Mapped[float]
    prob_hsil_4ch: Mapped[float]
    threshold_3ch: Mapped[float]
    threshold_4ch: Mapped[float]
    acetowhite_fraction: Mapped[float]
    mask_entropy: Mapped[float | None]
    mask_id: Mapped[int] = mapped_column(ForeignKey("masks.id"), index=True)
    maps_sha256: Mapped[str] = mapped_column(Sha256)
    acetowhite_sha256: Mapped[str | None] = mapped_column(Sha256)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    __table_args__ = (
        UniqueConstraint("image_id", "checkpoint_id"),
        Index("ix_predictions_checkpoint_id", "checkpoint_id"),
    )


class PredictionFeatures(Base):
    """Where the 4-channel network's last features of an image point: float16, little-endian, of length one.

    They stand apart from their prediction, so that lists of predictions stay short to read.
    """

    __tablename__ = "prediction_features"
    prediction_id: Mapped[int] = mapped_column(ForeignKey("predictions.id"), primary_key=True)
    features: Mapped[bytes] = mapped_column(LargeBinary)


class ImageFigures(Base):
    """Figures of an image that was predicted, by `images.quality_figures`: they move with device and light."""

    __tablename__ = "image_figures"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    brightness: Mapped[float]
    contrast: Mapped[float]
    saturation: Mapped[float]
    sharpness: Mapped[float]


class ImageSurroundings(Base):
    """What an image shows beside the cervix, as `images.surroundings` packs it."""

    __tablename__ = "image_surroundings"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    version: Mapped[int]
    figures: Mapped[bytes] = mapped_column(LargeBinary)
