"""Reading and changing cases and their images. How they are found is in `lists`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.records.cases.cases import (
    CYTOLOGIES,
    SWEDE_ROWS,
    CaseForm,
    CaseImage,
    CaseRecord,
    ImageAnnotation,
    LabelRecord,
    SpecimenRecord,
    SwedeRows,
)
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.services.cases.histology import relabel_case, specimen_site
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import images_without_model, is_hidden
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.model_marks import marks_of
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import image_record
from colpo_core.store import Store
from colpo_core.store.facts import current_checkpoint_id, find_row
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    Histology,
    Image,
    Person,
    Prediction,
)
from colpo_core.terms import ExposureKind

_TEXT_LENGTHS = {"hpv_result": 80, "indication": 200, "device": 80, "earlier_treatment": 200}
_PLAIN_FIELDS = ("colposcopy", "age_years", "cytology", "menopausal_state", "hiv_status", "pregnant", "hpv_vaccinated")


@allowed(CLINICIANS)
def get_case(caller: Caller, *, case_id: int, with_predictions: bool = True) -> CaseRecord:
    """One case with its images, histology and labels.

    Args:
        caller: Who looks.
        case_id: Row of the case.
        with_predictions: Whether what the current model says is wanted: it then counts as seen.

    Raises:
        NotFound: There is no such case.
    """
    record = read_case(caller.store, caller.actor, case_id)
    if not with_predictions:
        images = tuple(replace(image, prediction_id=None, prob_hsil=None) for image in record.images)
        record = replace(record, images=images, model_marks=())
    exposures.note(caller, seen_in(record))
    return record


def read_case(store: Store, actor: Actor, case_id: int) -> CaseRecord:
    """A case for another service, as the actor may see it; nothing counts as seen: see `seen_in`.

    Raises:
        NotFound: There is no such case.
    """
    with store.reading() as session:
        case = find_row(session, Case, case_id)
        specimens = session.execute(
            select(Histology, Person.display_name)
            .join(Person, Person.id == Histology.entered_by)
            .where(Histology.case_id == case_id)
            .order_by(Histology.specimen_number)
        ).all()
        images = _case_images(session, actor, case)
        has_predictions = any(image.prob_hsil is not None for image in images)
        return copied(
            CaseRecord,
            case,
            patient_code=case.patient.code,
            form=_form(case),
            images=images,
            specimens=tuple(
                copied(SpecimenRecord, row, number=row.specimen_number, entered_by=entered_by, site=specimen_site(row))
                for row, entered_by in specimens
            ),
            labels=tuple(copied(LabelRecord, row) for row in sorted(case.labels, key=lambda row: row.source)),
            model_marks=marks_of(session, current_id(session)) if has_predictions else (),
        )


@allowed(CLINICIANS)
def update_case(caller: Caller, *, case_id: int, base_version: int, form: CaseForm) -> int:
    """Write what was entered of a case; its labels follow.

    Args:
        caller: Who enters it.
        case_id: Row of the case.
        base_version: Version of the record that the person saw.
        form: All fields as they shall be.

    Returns:
        The case's new version.

    Raises:
        NotFound: There is no such case.
        Conflict: Somebody changed the case since; nothing was overwritten.
        InputRejected: A field holds what cannot be taken.
    """
    values = _checked(form)
    with caller.store.writing() as session:
        case = find_row(session, Case, case_id)
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
        audit.record(session, caller.actor, "update case", f"case {case_id}", fields=changed)
        relabel_case(session, case)
        return case.version


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
    rows = session.execute(
        select(Prediction.image_id, Prediction.id, Prediction.prob_hsil_4ch)
        .join(Image, Image.id == Prediction.image_id)
        .where(Image.case_id == case_id, Prediction.checkpoint_id == current_checkpoint_id())
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
        **{f"swede_{name}": getattr(form.swede, name) for name in SWEDE_ROWS},
    }
    for name, longest in _TEXT_LENGTHS.items():
        text = (getattr(form, name) or "").strip()
        if len(text) > longest:
            raise InputRejected(f"The field {name.replace('_', ' ')} takes {longest} characters. Shorten it.")
        values[name] = text or None
    return values


def seen_in(case: CaseRecord) -> Iterator[tuple[int, ExposureKind]]:
    """What whoever is shown a case has seen of it."""
    if any(label.label is not None for label in case.labels):
        yield case.id, ExposureKind.LABEL
    if case.specimens:
        yield case.id, ExposureKind.HISTOLOGY
    if any(image.prob_hsil is not None for image in case.images):
        yield case.id, ExposureKind.PREDICTION
