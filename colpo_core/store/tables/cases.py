"""Tables of patients, cases, images, annotations, histology and labels."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import (
    AnnotationState,
    Colposcopy,
    Finding,
    Grade,
    HivStatus,
    Label,
    LabelSource,
    MaskOrigin,
    MenopausalState,
    SpecimenKind,
    Stage,
)


class Patient(Base):
    """A woman, known by a pseudonymous code alone."""

    __tablename__ = "patients"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    simulated: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    cases: Mapped[list["Case"]] = relationship(back_populates="patient", order_by="Case.id")


class Case(Base):
    """One colposcopic examination. The date is unknown for some imported collections."""

    __tablename__ = "cases"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    case_date: Mapped[date | None] = mapped_column(Date)
    colposcopy: Mapped[Colposcopy] = mapped_column(words(Colposcopy, "colposcopy"), default=Colposcopy.NOT_RECORDED)
    age_years: Mapped[int | None]
    hpv_result: Mapped[str | None] = mapped_column(String(80))
    cytology: Mapped[str | None] = mapped_column(String(40))
    indication: Mapped[str | None] = mapped_column(String(200))
    device: Mapped[str | None] = mapped_column(String(80))
    earlier_treatment: Mapped[str | None] = mapped_column(String(200))
    menopausal_state: Mapped[MenopausalState | None] = mapped_column(words(MenopausalState, "menopausal_state"))
    hiv_status: Mapped[HivStatus | None] = mapped_column(words(HivStatus, "hiv_status"))
    pregnant: Mapped[bool | None]
    hpv_vaccinated: Mapped[bool | None]
    swede_aceto_uptake: Mapped[int | None]
    swede_margins: Mapped[int | None]
    swede_vessels: Mapped[int | None]
    swede_lesion_size: Mapped[int | None]
    swede_iodine: Mapped[int | None]
    swede_total: Mapped[int | None]
    simulated: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    version: Mapped[int] = mapped_column()
    patient: Mapped[Patient] = relationship(back_populates="cases")
    images: Mapped[list["Image"]] = relationship(back_populates="case", order_by="Image.id")
    specimens: Mapped[list["Histology"]] = relationship(back_populates="case", order_by="Histology.specimen_number")
    labels: Mapped[list["CaseLabel"]] = relationship(back_populates="case")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form
    __table_args__ = (
        UniqueConstraint("patient_id", "case_date"),
        Index("ix_cases_created_at_id", "created_at", "id"),
        CheckConstraint("age_years IS NULL OR age_years BETWEEN 10 AND 110", name="age_years"),
        CheckConstraint("swede_total IS NULL OR swede_total BETWEEN 0 AND 10", name="swede_total"),
    )


class Image(Base):
    """One clean image: the hash names its file under the store's blobs.

    An import refuses a file that is there already. Published collections hold the same file under two patients, each
    with an outline of its own; there it stands twice, and a snapshot keeps the two patients on one side.
    """

    __tablename__ = "images"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    sha256: Mapped[str] = mapped_column(Sha256, index=True)
    media_type: Mapped[str] = mapped_column(String(40))
    width_px: Mapped[int]
    height_px: Mapped[int]
    stage: Mapped[Stage] = mapped_column(words(Stage, "stage"))
    seconds_after_acid: Mapped[int | None]
    shows_cervix: Mapped[bool] = mapped_column(default=True)
    simulated: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    case: Mapped[Case] = relationship(back_populates="images")
    annotations: Mapped[list["Annotation"]] = relationship(back_populates="image")
    __table_args__ = (Index("ix_images_stage", "stage"),)


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

    `draft_mask_id` and `draft_seq` hold what has been painted since the last version; every stroke raises the sequence.
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
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    image: Mapped[Image] = relationship(back_populates="annotations")
    versions: Mapped[list["AnnotationVersion"]] = relationship(
        back_populates="annotation", order_by="AnnotationVersion.number"
    )
    __table_args__ = (
        UniqueConstraint("image_id", "annotator_id", "finding"),
        Index("ix_annotations_state", "state"),
        Index("ix_annotations_annotator_id_state", "annotator_id", "state"),
    )


class AnnotationVersion(Base):
    """One submitted, immutable version of an annotation."""

    __tablename__ = "annotation_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id"))
    number: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    mask_id: Mapped[int] = mapped_column(ForeignKey("masks.id"), index=True)
    origin: Mapped[MaskOrigin] = mapped_column(words(MaskOrigin, "origin"))
    base_number: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    annotation: Mapped[Annotation] = relationship(back_populates="versions")
    mask: Mapped[Mask] = relationship()
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


class Histology(Base):
    """A pathologist's result for one specimen. A withdrawn one stays, and counts no more."""

    __tablename__ = "histology"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    specimen_number: Mapped[int]
    kind: Mapped[SpecimenKind] = mapped_column(words(SpecimenKind, "kind"))
    grade: Mapped[Grade] = mapped_column(words(Grade, "grade"))
    clock_hour: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    entered_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    case: Mapped[Case] = relationship(back_populates="specimens")
    __table_args__ = (
        UniqueConstraint("case_id", "specimen_number"),
        CheckConstraint("clock_hour IS NULL OR clock_hour BETWEEN 1 AND 12", name="clock_hour"),
    )


class CaseLabel(Base):
    """A case's label as the rules decided it, or its exclusion with the reason; one a source."""

    __tablename__ = "labels"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    source: Mapped[LabelSource] = mapped_column(words(LabelSource, "source"))
    label: Mapped[Label | None] = mapped_column(words(Label, "label"))
    grade: Mapped[Grade | None] = mapped_column(words(Grade, "grade"))
    reason: Mapped[str] = mapped_column(String(300))
    flagged: Mapped[bool] = mapped_column(default=False)
    rules_version: Mapped[str] = mapped_column(String(40))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    case: Mapped[Case] = relationship(back_populates="labels")
    __table_args__ = (
        UniqueConstraint("case_id", "source"),
        Index("ix_labels_label", "label"),
        Index("ix_labels_grade", "grade"),
    )
