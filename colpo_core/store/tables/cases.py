"""Tables of patients, cases, images, histology and labels."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ColumnElement, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.store.tables.base import Base, Sha256, UtcDateTime, utc_now, words
from colpo_core.terms import (
    Colposcopy,
    Grade,
    HivStatus,
    ImageQuestion,
    Label,
    LabelSource,
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
    with an outline of its own; there it stands twice, and a snapshot keeps the two patients on one side. By the
    perceptual hash it does the same with near copies; in rows of an older store it is NULL until a snapshot needs it.
    A stage that nobody gave was guessed from the file's name, and is asked about.
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
    stage_guessed: Mapped[bool] = mapped_column(default=False)
    perceptual_hash: Mapped[str | None] = mapped_column("fingerprint", String(400))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    case: Mapped[Case] = relationship(back_populates="images")
    __table_args__ = (Index("ix_images_stage", "stage"),)

    @hybrid_property
    def is_readable(self) -> bool:
        """Whether networks read it, and people annotate it: acetic acid, and it shows the cervix."""
        return self.stage is Stage.ACETIC_ACID and self.shows_cervix

    @is_readable.inplace.expression
    @classmethod
    def _is_readable(cls) -> ColumnElement[bool]:
        return (cls.stage == Stage.ACETIC_ACID) & cls.shows_cervix


class ImageLook(Base):
    """What an image looks like in a few figures, by which there may be something to ask about it; see `ImageLooks`."""

    __tablename__ = "image_looks"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    green_minus_blue: Mapped[float]
    green_minus_red: Mapped[float]
    colourfulness: Mapped[float]
    redness: Mapped[float]
    brightest: Mapped[float]
    palest: Mapped[float]
    sharpness: Mapped[float]
    flatness: Mapped[float]


class ImageAnswer(Base):
    """A person's word that an image is right as it is filed, so that the question is not asked again."""

    __tablename__ = "image_answers"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    question: Mapped[ImageQuestion] = mapped_column(words(ImageQuestion, "question"), primary_key=True)
    answered_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Histology(Base):
    """A pathologist's result for one specimen. A withdrawn one stays, and counts no more.

    Its site is a point on one image of the case, in pixels, origin top left.
    """

    __tablename__ = "histology"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    specimen_number: Mapped[int]
    kind: Mapped[SpecimenKind] = mapped_column(words(SpecimenKind, "kind"))
    grade: Mapped[Grade] = mapped_column(words(Grade, "grade"))
    clock_hour: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    site_image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"), index=True)
    site_x_px: Mapped[float | None]
    site_y_px: Mapped[float | None]
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
