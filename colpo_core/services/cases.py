"""Finding, reading and changing cases and their images."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected, NotFound
from colpo_core.records.cases import (
    CYTOLOGIES,
    AnnotationNeed,
    CaseFilter,
    CaseForm,
    CaseImage,
    CasePage,
    CaseRecord,
    CaseRow,
    ImageAnnotation,
    LabelChoice,
    LabelRecord,
    SpecimenRecord,
    SwedeRows,
)
from colpo_core.records.people import Actor
from colpo_core.services import audit, exposures
from colpo_core.services.annotator_blinding import images_without_model, is_hidden
from colpo_core.services.histology import relabel_case, specimen_site
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.services.stored_images import image_record, mark_image
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    CaseLabel,
    Histology,
    Image,
    Patient,
    Person,
    Prediction,
    Promotion,
)
from colpo_core.terms import AnnotationState, ExposureKind, Finding, Grade, Label, LabelSource, Stage

__all__ = [
    "CaseFilter",
    "get_case",
    "image_record",
    "list_cases",
    "mark_image",
    "needs_annotation",
    "update_case",
]
MAX_PAGE = 200
_CaseQuery = Select[int, str, date | None, bool, datetime, Grade | None, Label | None, str, bool]
_TEXT_LENGTHS = {"hpv_result": 80, "indication": 200, "device": 80, "earlier_treatment": 200}
_PLAIN_FIELDS = ("colposcopy", "age_years", "cytology", "menopausal_state", "hiv_status", "pregnant", "hpv_vaccinated")


def list_cases(
    store: Store,
    *,
    actor: Actor,
    where: CaseFilter | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> CasePage:
    """One page of cases, newest first.

    Args:
        store: The open store.
        actor: Who asks.
        where: Which cases; all when None.
        after: `next_after` of the page before; None for the first page.
        limit: Rows a page, 1 to 200.

    Raises:
        PermissionDenied: The actor is a reader.
        ValueError: The limit is out of range.
    """
    require(actor, CLINICIANS)
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must lie between 1 and {MAX_PAGE}, not {limit}")
    query = select_cases(where or CaseFilter(), after).limit(limit + 1)
    with store.reading() as session:
        found = session.execute(query).all()
        ids = [row.id for row in found[:limit]]
        images = _images_by_case(session, ids)
        states = _states_by_case(session, ids)
    exposures.note(store, actor, [seen for row in found[:limit] for seen in _seen_in_row(row.id, row.label, row.grade)])
    rows = tuple(
        CaseRow(
            id=row.id,
            patient_code=row.code,
            case_date=row.case_date,
            n_images=images.get(row.id, (0, None, 0))[0],
            first_image_id=images.get(row.id, (0, None, 0))[1],
            n_unannotated=images.get(row.id, (0, None, 0))[2],
            annotation_states=states.get(row.id, {}),
            grade=row.grade,
            label=row.label,
            reason=row.reason or "",
            flagged=bool(row.flagged),
            simulated=row.simulated,
            created_at=row.created_at,
        )
        for row in found[:limit]
    )
    return CasePage(rows, rows[-1].place if len(found) > limit else None)


def select_cases(where: CaseFilter, after: tuple[datetime, int] | None) -> _CaseQuery:
    """The query behind `list_cases`, for it and for the test of its plan."""
    query: _CaseQuery = (
        select(
            Case.id,
            Patient.code,
            Case.case_date,
            Case.simulated,
            Case.created_at,
            CaseLabel.grade,
            CaseLabel.label,
            CaseLabel.reason,
            CaseLabel.flagged,
        )
        .join(Patient, Patient.id == Case.patient_id)
        .outerjoin(CaseLabel, (CaseLabel.case_id == Case.id) & (CaseLabel.source == LabelSource.HISTOLOGY))
        .order_by(Case.created_at.desc(), Case.id.desc())
    )
    if after is not None:
        query = query.where(tuple_(Case.created_at, Case.id) < tuple_(*after))
    return query.where(*_conditions(where))


def needs_annotation() -> ColumnElement[bool]:
    """An image that waits for a first mask: acetic acid, shows the cervix, and no mask but rejected ones."""
    begun = exists().where(
        Annotation.image_id == Image.id,
        Annotation.finding == Finding.ACETOWHITE,
        Annotation.state != AnnotationState.REJECTED,
    )
    return (Image.stage == Stage.ACETIC_ACID) & Image.shows_cervix & ~begun


def get_case(store: Store, *, actor: Actor, case_id: int) -> CaseRecord:
    """One case with its images, histology and labels.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: There is no such case.
    """
    require(actor, CLINICIANS)
    record = _read_case(store, actor, case_id)
    exposures.note(store, actor, _seen_in(record))
    return record


def _read_case(store: Store, actor: Actor, case_id: int) -> CaseRecord:
    with store.reading() as session:
        case = session.get(Case, case_id)
        if case is None:
            raise _no_case(case_id)
        specimens = session.execute(
            select(Histology, Person.display_name)
            .join(Person, Person.id == Histology.entered_by)
            .where(Histology.case_id == case_id)
            .order_by(Histology.specimen_number)
        ).all()
        return CaseRecord(
            id=case.id,
            patient_id=case.patient_id,
            patient_code=case.patient.code,
            case_date=case.case_date,
            form=_form(case),
            swede_total=case.swede_total,
            version=case.version,
            simulated=case.simulated,
            created_at=case.created_at,
            images=_case_images(session, actor, case),
            specimens=tuple(_specimen(row, name) for row, name in specimens),
            labels=tuple(_label(row) for row in sorted(case.labels, key=lambda row: row.source)),
        )


def update_case(store: Store, *, actor: Actor, case_id: int, base_version: int, form: CaseForm) -> int:
    """Write what was entered of a case; its labels follow.

    Args:
        store: The open store.
        actor: Who enters it.
        case_id: Row of the case.
        base_version: Version of the record that the person saw.
        form: All fields as they shall be.

    Returns:
        The case's new version.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: There is no such case.
        Conflict: Somebody changed the case since; nothing was overwritten.
        InputRejected: A field holds what cannot be taken.
    """
    require(actor, CLINICIANS)
    values = _checked(form)
    with store.writing() as session:
        case = session.get(Case, case_id)
        if case is None:
            raise _no_case(case_id)
        if case.version != base_version:
            raise Conflict("Somebody changed this case while you were editing. Reload it and enter your changes again.")
        if form.swede.is_empty:
            had_rows = any(value is not None for value in _swede(case).values)
            values["swede_total"] = None if had_rows else case.swede_total
        else:
            values["swede_total"] = form.swede.total
        changed = sorted(name for name, value in values.items() if getattr(case, name) != value)
        if not changed:
            return case.version
        for name in changed:
            setattr(case, name, values[name])
        session.flush()
        audit.record(session, actor, "update case", f"case {case_id}", fields=changed)
        relabel_case(session, case)
        return case.version


def _conditions(where: CaseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if where.patient_code.strip():
        conditions.append(Patient.code.istartswith(where.patient_code.strip(), autoescape=True))
    if where.grade is not None:
        conditions.append(CaseLabel.grade == where.grade)
    if where.label is LabelChoice.FLAGGED:
        conditions.append(CaseLabel.flagged.is_(True))
    elif where.label is LabelChoice.UNLABELLED:
        conditions.append(CaseLabel.label.is_(None) & CaseLabel.flagged.is_not(True))
    elif where.label is LabelChoice.EXCLUDED:
        conditions.append(CaseLabel.label.is_(None))
    elif where.label is not None:
        conditions.append(CaseLabel.label == Label(where.label.value))
    if where.simulated is not None:
        conditions.append(Case.simulated == where.simulated)
    if where.annotation is AnnotationNeed.NONE:
        conditions.append(exists().where(Image.case_id == Case.id, needs_annotation()))
    elif where.annotation is not None:
        state = AnnotationState(where.annotation.value)
        conditions.append(
            exists().where(Image.case_id == Case.id, Annotation.image_id == Image.id, Annotation.state == state)
        )
    return conditions


def _images_by_case(session: Session, case_ids: list[int]) -> dict[int, tuple[int, int | None, int]]:
    """Of each case: how many images, which one to show small, how many wait for an annotation."""
    acetic = func.min(Image.id).filter(Image.stage == Stage.ACETIC_ACID, Image.shows_cervix)
    rows = session.execute(
        select(
            Image.case_id,
            func.count(),
            func.coalesce(acetic, func.min(Image.id)),
            func.count().filter(needs_annotation()),
        )
        .where(Image.case_id.in_(case_ids))
        .group_by(Image.case_id)
    )
    return {case_id: (n, first, waiting) for case_id, n, first, waiting in rows}


def _states_by_case(session: Session, case_ids: list[int]) -> dict[int, dict[AnnotationState, int]]:
    rows = session.execute(
        select(Image.case_id, Annotation.state, func.count())
        .join(Annotation, Annotation.image_id == Image.id)
        .where(Image.case_id.in_(case_ids))
        .group_by(Image.case_id, Annotation.state)
    )
    states: dict[int, dict[AnnotationState, int]] = {}
    for case_id, state, count in rows:
        states.setdefault(case_id, {})[state] = count
    return states


def _case_images(session: Session, actor: Actor, case: Case) -> tuple[CaseImage, ...]:
    annotations = session.execute(
        select(Annotation, Person.display_name)
        .join(Image, Image.id == Annotation.image_id)
        .join(Person, Person.id == Annotation.annotator_id)
        .where(Image.case_id == case.id)
        .order_by(Annotation.id)
    ).all()
    newest = session.execute(
        select(AnnotationVersion.annotation_id, func.max(AnnotationVersion.id))
        .where(AnnotationVersion.annotation_id.in_([row.id for row, _ in annotations]))
        .group_by(AnnotationVersion.annotation_id)
    )
    versions = dict(newest.all())
    by_image: dict[int, list[ImageAnnotation]] = {}
    for row, name in annotations:
        if is_hidden(session, actor, row):
            continue
        by_image.setdefault(row.image_id, []).append(
            ImageAnnotation(row.id, row.finding, row.state, name, versions.get(row.id))
        )
    predictions = _current_predictions(session, actor, case.id)
    return tuple(
        CaseImage(image_record(image), tuple(by_image.get(image.id, ())), *predictions.get(image.id, (None, None)))
        for image in case.images
    )


def _current_predictions(session: Session, actor: Actor, case_id: int) -> Mapping[int, tuple[int, float | None]]:
    """By image the current model's prediction and its probability, which is left out where it is kept back."""
    kept_back = set(session.scalars(images_without_model(actor)))
    current = select(Promotion.checkpoint_id).order_by(Promotion.id.desc()).limit(1).scalar_subquery()
    rows = session.execute(
        select(Prediction.image_id, Prediction.id, Prediction.prob_hsil_4ch)
        .join(Image, Image.id == Prediction.image_id)
        .where(Image.case_id == case_id, Prediction.checkpoint_id == current)
    )
    return {
        image_id: (prediction_id, None if image_id in kept_back else prob_hsil)
        for image_id, prediction_id, prob_hsil in rows
    }


def _swede(case: Case) -> SwedeRows:
    return SwedeRows(
        case.swede_aceto_uptake, case.swede_margins, case.swede_vessels, case.swede_lesion_size, case.swede_iodine
    )


def _form(case: Case) -> CaseForm:
    return CaseForm(
        **{name: getattr(case, name) for name in (*_PLAIN_FIELDS, *_TEXT_LENGTHS)},
        swede=_swede(case),
    )


def _checked(form: CaseForm) -> dict[str, object]:
    """The form as columns of a case."""
    if form.age_years is not None and not 10 <= form.age_years <= 110:
        raise InputRejected("The age lies between 10 and 110 years.")
    if form.cytology is not None and form.cytology not in CYTOLOGIES:
        raise InputRejected(f"The cytology is one of {', '.join(CYTOLOGIES)}.")
    if any(value not in (None, 0, 1, 2) for value in form.swede.values):
        raise InputRejected("Each row of the Swede score is 0, 1 or 2.")
    values: dict[str, object] = {
        **{name: getattr(form, name) for name in _PLAIN_FIELDS},
        "swede_aceto_uptake": form.swede.aceto_uptake,
        "swede_margins": form.swede.margins,
        "swede_vessels": form.swede.vessels,
        "swede_lesion_size": form.swede.lesion_size,
        "swede_iodine": form.swede.iodine,
    }
    for name, longest in _TEXT_LENGTHS.items():
        text = (getattr(form, name) or "").strip()
        if len(text) > longest:
            raise InputRejected(f"The field {name.replace('_', ' ')} takes {longest} characters. Shorten it.")
        values[name] = text or None
    return values


def _specimen(row: Histology, entered_by: str) -> SpecimenRecord:
    return SpecimenRecord(
        id=row.id,
        number=row.specimen_number,
        kind=row.kind,
        grade=row.grade,
        clock_hour=row.clock_hour,
        note=row.note,
        entered_by=entered_by,
        created_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        site=specimen_site(row),
    )


def _label(row: CaseLabel) -> LabelRecord:
    return LabelRecord(row.source, row.label, row.grade, row.reason, row.flagged, row.rules_version, row.decided_at)


def _seen_in_row(case_id: int, label: Label | None, grade: Grade | None) -> Iterator[tuple[int, ExposureKind]]:
    if label is not None:
        yield case_id, ExposureKind.LABEL
    if grade is not None:
        yield case_id, ExposureKind.HISTOLOGY


def _seen_in(case: CaseRecord) -> Iterator[tuple[int, ExposureKind]]:
    if any(label.label is not None for label in case.labels):
        yield case.id, ExposureKind.LABEL
    if case.specimens:
        yield case.id, ExposureKind.HISTOLOGY
    if any(image.prob_hsil is not None for image in case.images):
        yield case.id, ExposureKind.PREDICTION


def _no_case(case_id: int) -> NotFound:
    return NotFound(f"There is no case {case_id}. Choose one from the list of cases.")
