"""Tables of the colposcopic findings form (IFCPC 2011 terminology)."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from colpo_core.ifcpc import Iodine, Junction, LesionLocation, Sign
from colpo_core.store.tables.base import Base, UtcDateTime, utc_now, words


class FindingsForm(Base):
    """What the colposcopist found in one case; NULL where nothing was entered.

    `proposed_from` names the version of a mask from which size, quadrants and clock positions were proposed, where a
    clinician confirmed such a proposal.
    """

    __tablename__ = "findings_forms"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), unique=True)
    adequate: Mapped[bool | None]
    junction: Mapped[Junction | None] = mapped_column(words(Junction, "junction"))
    transformation_zone: Mapped[int | None]
    location: Mapped[LesionLocation | None] = mapped_column(words(LesionLocation, "location"))
    clock_hours: Mapped[list[int]] = mapped_column(JSON, default=list)
    quadrants: Mapped[int | None]
    cervix_percent: Mapped[float | None]
    iodine: Mapped[Iodine | None] = mapped_column(words(Iodine, "iodine"))
    note: Mapped[str] = mapped_column(Text, default="")
    proposed_from: Mapped[int | None] = mapped_column(ForeignKey("annotation_versions.id"))
    entered_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    version: Mapped[int] = mapped_column()
    signs: Mapped[list["FindingsSign"]] = relationship(
        back_populates="form", cascade="all, delete-orphan", order_by="FindingsSign.id"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form
    __table_args__ = (
        CheckConstraint("transformation_zone IS NULL OR transformation_zone BETWEEN 1 AND 3", name="zone"),
        CheckConstraint("quadrants IS NULL OR quadrants BETWEEN 0 AND 4", name="quadrants"),
        CheckConstraint("cervix_percent IS NULL OR cervix_percent BETWEEN 0 AND 100", name="cervix_percent"),
    )


class FindingsSign(Base):
    """One sign that was seen."""

    __tablename__ = "findings_signs"
    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("findings_forms.id"))
    sign: Mapped[Sign] = mapped_column(words(Sign, "sign"))
    form: Mapped[FindingsForm] = relationship(back_populates="signs")
    __table_args__ = (UniqueConstraint("form_id", "sign"),)
