"""Histology of a case, and the label that follows from it in the same transaction."""

from math import isfinite

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.labels import LabelDecision, label_from_histology, label_from_impression
from colpo_core.records.cases.cases import SpecimenSite
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Case, CaseLabel, Histology, Image, utc_now
from colpo_core.terms import ExposureKind, Grade, LabelSource, SpecimenKind

MAX_NOTE = 500
_DECIDED = ("label", "grade", "reason", "rules_version")


@allowed(CLINICIANS)
def add_specimen(
    caller: Caller,
    *,
    case_id: int,
    kind: SpecimenKind,
    grade: Grade,
    clock_hour: int | None = None,
    note: str = "",
    site: SpecimenSite | None = None,
) -> int:
    """Enter a pathologist's result for one specimen; the case's label follows.

    Args:
        caller: Who enters it.
        case_id: Row of the case.
        kind: How the tissue was taken.
        grade: The pathologist's grade.
        clock_hour: Where on the cervix, 1 to 12, if known.
        note: A remark without anything that names the patient.
        site: Where it was taken, on an image of this case, if known.

    Returns:
        Row of the specimen.

    Raises:
        NotFound: There is no such case.
        InputRejected: The clock position is not one, the remark is too long, or the site is on no image of the case.
    """
    _check_hour(clock_hour)
    if len(note) > MAX_NOTE:
        raise InputRejected(f"The remark is longer than {MAX_NOTE} characters. Shorten it.")
    with caller.store.writing() as session:
        case = find_row(session, Case, case_id)
        last = session.scalar(select(func.max(Histology.specimen_number)).where(Histology.case_id == case_id))
        specimen = Histology(
            case_id=case_id,
            specimen_number=(last or 0) + 1,
            kind=kind,
            grade=grade,
            clock_hour=clock_hour,
            note=note.strip(),
            entered_by=caller.person_id,
        )
        _put_site(session, specimen, site)
        exposures.note_within(session, caller.actor, [(case_id, ExposureKind.HISTOLOGY)])
        session.add(specimen)
        session.flush()
        audit.record(
            session, caller.actor, "add specimen", f"case {case_id}", number=specimen.specimen_number, grade=grade.value
        )
        relabel_case(session, case)
        return specimen.id


@allowed(CLINICIANS)
def set_site(caller: Caller, *, specimen_id: int, site: SpecimenSite | None) -> None:
    """Say where a specimen was taken, in place of what was said before; None takes the site away.

    Raises:
        NotFound: There is no such specimen.
        InputRejected: The specimen was withdrawn, or the site is not on an image of its case.
    """
    with caller.store.writing() as session:
        specimen = _counting(session, specimen_id)
        _put_site(session, specimen, site)
        audit.record(
            session,
            caller.actor,
            "set specimen site",
            f"case {specimen.case_id}",
            number=specimen.specimen_number,
            image_id=specimen.site_image_id,
        )


@allowed(CLINICIANS)
def set_clock_hour(caller: Caller, *, specimen_id: int, clock_hour: int | None) -> None:
    """Say at which hour a specimen was taken, 1 to 12, or that it is not known.

    Raises:
        NotFound: There is no such specimen.
        InputRejected: The specimen was withdrawn, or the clock position is not one.
    """
    _check_hour(clock_hour)
    with caller.store.writing() as session:
        specimen = _counting(session, specimen_id)
        specimen.clock_hour = clock_hour
        number = specimen.specimen_number
        audit.record(session, caller.actor, "set specimen clock position", f"case {specimen.case_id}", number=number)


def specimen_site(row: Histology) -> SpecimenSite | None:
    """The site of a specimen's row, or None where none was set."""
    if row.site_image_id is None or row.site_x_px is None or row.site_y_px is None:
        return None
    return SpecimenSite(row.site_image_id, row.site_x_px, row.site_y_px)


@allowed(CLINICIANS)
def withdraw_specimen(caller: Caller, *, specimen_id: int) -> None:
    """Let a specimen's result count no more; it stays to be seen, and the case's label follows.

    Raises:
        NotFound: There is no such specimen.
        InputRejected: It was withdrawn before.
    """
    with caller.store.writing() as session:
        specimen = _counting(session, specimen_id)
        specimen.withdrawn_at = utc_now()
        session.flush()
        audit.record(
            session, caller.actor, "withdraw specimen", f"case {specimen.case_id}", number=specimen.specimen_number
        )
        relabel_case(session, find_row(session, Case, specimen.case_id))


def relabel_case(session: Session, case: Case) -> None:
    """Bring a case's label rows up to what is known of it now.

    Histology always decides a row, if only an exclusion with its reason. An impression decides one where a complete
    Swede score exists; where the score has become incomplete, the row stays as an exclusion that says so.

    Args:
        session: The writing session of the change, already flushed.
        case: The case that has changed.
    """
    grades = session.scalars(
        select(Histology.grade).where(Histology.case_id == case.id, Histology.withdrawn_at.is_(None))
    ).all()
    rows = {row.source: row for row in session.scalars(select(CaseLabel).where(CaseLabel.case_id == case.id))}
    _write(session, case.id, rows.get(LabelSource.HISTOLOGY), label_from_histology(grades, case.colposcopy))
    impression = rows.get(LabelSource.IMPRESSION)
    if impression is not None or case.swede_total is not None:
        _write(session, case.id, impression, label_from_impression(case.swede_total))
    session.flush()


def _check_hour(clock_hour: int | None) -> None:
    if clock_hour is not None and not 1 <= clock_hour <= 12:
        raise InputRejected("The clock position lies between 1 and 12.")


def _counting(session: Session, specimen_id: int) -> Histology:
    """A specimen that was not withdrawn."""
    specimen = find_row(session, Histology, specimen_id)
    if specimen.withdrawn_at is not None:
        raise InputRejected("This specimen was withdrawn before. Reload the case.")
    return specimen


def _put_site(session: Session, specimen: Histology, site: SpecimenSite | None) -> None:
    if site is None:
        specimen.site_image_id = specimen.site_x_px = specimen.site_y_px = None
        return
    image = session.get(Image, site.image_id)
    if image is None or image.case_id != specimen.case_id:
        raise InputRejected("The site lies on an image of another case. Choose one of this case's images.")
    x_px, y_px = site.x_px, site.y_px
    if not (isfinite(x_px) and isfinite(y_px) and 0 <= x_px <= image.width_px and 0 <= y_px <= image.height_px):
        raise InputRejected("The site lies outside the image. Set it again; nothing was changed.")
    specimen.site_image_id, specimen.site_x_px, specimen.site_y_px = image.id, x_px, y_px


def _write(session: Session, case_id: int, row: CaseLabel | None, decision: LabelDecision) -> None:
    if row is None:
        row = CaseLabel(case_id=case_id, source=decision.source)
        session.add(row)
    elif all(getattr(row, name) == getattr(decision, name) for name in _DECIDED):
        return  # nothing new was decided, so the time of the decision stays
    for name in (*_DECIDED, "flagged"):
        setattr(row, name, getattr(decision, name))
    row.decided_at = utc_now()
