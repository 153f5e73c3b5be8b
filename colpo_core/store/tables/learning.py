"""Tables of snapshots, jobs, checkpoints, their evaluations, predictions and reviews."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import Change, Finding, JobKind, JobState, LabelSource, MaskPolicy, ReviewReason, Verdict


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


class Job(Base):
    """A background job. This row is the truth; every write of a runner carries its lease token.

    Lease times, and when somebody asked to cancel it, are seconds since 1970 by the database's clock. Of those that
    wait the one of the highest priority comes first, then the oldest; a paused one waits until somebody resumes it.
    """

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[JobKind] = mapped_column(words(JobKind, "kind"))
    state: Mapped[JobState] = mapped_column(words(JobState, "state"), default=JobState.QUEUED)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"))
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[float | None]
    host: Mapped[str | None] = mapped_column(String(120))
    pid: Mapped[int | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    cancel_requested_at: Mapped[float | None]
    paused: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(String(80), default="")
    epoch: Mapped[int] = mapped_column(default=0)
    epochs_total: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gpus: Mapped[list["HeldGpu"]] = relationship(cascade="all, delete-orphan", order_by="HeldGpu.gpu")
    __table_args__ = (Index("ix_jobs_state_id", "state", "id"),)


class HeldGpu(Base):
    """A GPU that a running job computes on: no two of them on the same one."""

    __tablename__ = "held_gpus"
    host: Mapped[str] = mapped_column(String(120), primary_key=True)
    gpu: Mapped[str] = mapped_column(String(80), primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)


class RetrainingRule(Base):
    """When the program trains by itself. The newest row is the one that holds; it never promotes.

    `last_note` says what came of it last, `last_looked_at` when it was looked at.
    """

    __tablename__ = "retraining_rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    every_days: Mapped[int | None]
    at_new_labels: Mapped[int | None]
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    last_note: Mapped[str] = mapped_column(Text, default="")


class JobEvent(Base):
    """One line of a job's live record: losses and metrics of one epoch of one stage, or a message."""

    __tablename__ = "job_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    stage: Mapped[str] = mapped_column(String(80))
    epoch: Mapped[int]
    figures: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    message: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("ix_job_events_job_id_id", "job_id", "id"),)


class Checkpoint(Base):
    """Trained weights (a folder named by `name` under the store's checkpoints) with what made them."""

    __tablename__ = "checkpoints"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    sha256: Mapped[str] = mapped_column(Sha256)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), unique=True)
    label_source: Mapped[LabelSource] = mapped_column(words(LabelSource, "label_source"))
    simulated: Mapped[bool] = mapped_column(default=False)
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


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
    """Figures of an image that was predicted, as `images.statistics` measures them: they move with device and light."""

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
