"""Cases for use outside: tables of what is known and predicted of them, with their images and masks where wished."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.exchange.archives import zip_bytes
from colpo_core.images.masks import mask_png
from colpo_core.records.cases.lists import MOST_SELECTED
from colpo_core.records.models.marks import marks_text
from colpo_core.records.people import Actor
from colpo_core.services.annotations.submitted_masks import AnnotatorMask, visible_masks
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import images_without_model
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.model_marks import marks_of
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store import Store
from colpo_core.store.facts import no_such
from colpo_core.store.tables import Case, CaseLabel, Checkpoint, Image, Mask, Patient, Prediction
from colpo_core.studies.export import csv_bytes
from colpo_core.terms import ExposureKind, Finding, LabelSource

MOST_WITH_FILES = 200
"""So many cases at most leave with their images and masks."""
_README = """Cases exported from ColpoDesk

cases.csv        one row a case: what is recorded, its label and why
images.csv       one row an image
predictions.csv  what the current model says of each acetic-acid image, with its thresholds and what to mind of it
masks.csv        the newest submitted mask of acetowhite epithelium of each annotator
images/, masks/  the files that images.csv and masks.csv name; masks are 0 and 255 at the image's size

Patients are named by their pseudonymous codes alone. What an open task keeps back from whoever exported this is not
in it. For research; not for diagnosis.
"""
_CASE_COLUMNS = (
    "case_id", "patient_code", "case_date", "age_years", "hpv_result", "cytology", "indication", "device",
    "colposcopy", "swede_total", "simulated", "label", "grade", "reason", "rules_version",
)  # fmt: skip
_IMAGE_COLUMNS = (
    "image_id", "case_id", "stage", "seconds_after_acid", "shows_cervix", "width_px", "height_px", "sha256", "file",
)  # fmt: skip
_PREDICTION_COLUMNS = (
    "image_id", "case_id", "checkpoint", "prob_hsil_3ch", "threshold_3ch", "prob_hsil_4ch", "threshold_4ch",
    "acetowhite_fraction", "predicted_at", "model_marks",
)  # fmt: skip
_MASK_COLUMNS = ("image_id", "annotator", "version_id", "origin", "sha256", "file")


@allowed(CLINICIANS)
def export_cases(caller: Caller, *, case_ids: Collection[int], with_files: bool = False) -> bytes:
    """A ZIP file of cases.

    Args:
        caller: Who takes them out; the log says so.
        case_ids: Rows of the cases.
        with_files: Whether images and masks are in it, for 200 cases at most.

    Raises:
        InputRejected: No case is named, or too many.
        NotFound: One of them is not in the store, or an image's file is missing or damaged.
    """
    most = MOST_WITH_FILES if with_files else MOST_SELECTED
    if not 1 <= len(case_ids) <= most:
        raise InputRejected(f"Select 1 to {most:,} cases{' to export with their files' if with_files else ''}.")
    ids = sorted(set(case_ids))
    with caller.store.reading() as session:
        cases = session.execute(_cases(ids)).all()
        if len(cases) < len(ids):
            raise no_such(Case, next(iter(set(ids) - {row.case_id for row in cases})))
        images = session.scalars(select(Image).where(Image.case_id.in_(ids)).order_by(Image.id)).all()
        predictions = session.execute(_predictions(session, caller.actor, ids)).all()
        marks = marks_text(marks_of(session, current_id(session)))
        masks = [mask for image in images for mask in _masks(session, caller.actor, image.id)]
        files = list(_files(caller.store, session, images, masks)) if with_files else []
    tables = {
        "README.txt": _README.encode(),
        "cases.csv": csv_bytes(_CASE_COLUMNS, cases),
        "images.csv": csv_bytes(_IMAGE_COLUMNS, (_image_row(image, with_files=with_files) for image in images)),
        "predictions.csv": csv_bytes(_PREDICTION_COLUMNS, ((*row, marks) for row in predictions)),
        "masks.csv": csv_bytes(_MASK_COLUMNS, (_mask_row(mask, with_files=with_files) for mask in masks)),
    }
    _log_export(caller, ids, {row.case_id for row in predictions}, [mask.image_id for mask in masks])
    return zip_bytes([*tables.items(), *files])


def _cases(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Case.id.label("case_id"), Patient.code, Case.case_date, Case.age_years, Case.hpv_result, Case.cytology,
            Case.indication, Case.device, Case.colposcopy, Case.swede_total, Case.simulated, CaseLabel.label,
            CaseLabel.grade, CaseLabel.reason, CaseLabel.rules_version,
        )
        .join(Patient, Patient.id == Case.patient_id)
        .outerjoin(CaseLabel, (CaseLabel.case_id == Case.id) & (CaseLabel.source == LabelSource.HISTOLOGY))
        .where(Case.id.in_(ids))
        .order_by(Case.id)
    )  # fmt: skip


def _predictions(session: Session, actor: Actor, ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Prediction.image_id, Image.case_id, Checkpoint.name, Prediction.prob_hsil_3ch, Prediction.threshold_3ch,
            Prediction.prob_hsil_4ch, Prediction.threshold_4ch, Prediction.acetowhite_fraction, Prediction.created_at,
        )
        .join(Image, Image.id == Prediction.image_id)
        .join(Checkpoint, Checkpoint.id == Prediction.checkpoint_id)
        .where(
            Image.case_id.in_(ids),
            Prediction.checkpoint_id == current_id(session),
            Prediction.image_id.not_in(images_without_model(actor)),
        )
        .order_by(Prediction.image_id)
    )  # fmt: skip


def _masks(session: Session, actor: Actor, image_id: int) -> tuple[AnnotatorMask, ...]:
    return visible_masks(session, actor, finding=Finding.ACETOWHITE, image_id=image_id).get(image_id, ())


def _files(
    store: Store, session: Session, images: Sequence[Image], masks: Sequence[AnnotatorMask]
) -> Iterator[tuple[str, bytes]]:
    for image in images:
        yield _image_file(image), store.blobs.get(image.sha256)
    for mask in masks:
        yield _mask_file(mask), mask_png(mask_pixels(session.get_one(Mask, mask.mask_id)))


def _image_row(image: Image, *, with_files: bool) -> tuple[object, ...]:
    return (
        image.id, image.case_id, image.stage, image.seconds_after_acid, image.shows_cervix, image.width_px,
        image.height_px, image.sha256, _image_file(image) if with_files else None,
    )  # fmt: skip


def _mask_row(mask: AnnotatorMask, *, with_files: bool) -> tuple[object, ...]:
    file = _mask_file(mask) if with_files else None
    return (mask.image_id, mask.annotator, mask.version_id, mask.origin, mask.sha256, file)


def _image_file(image: Image) -> str:
    return f"images/image-{image.id}.{'jpg' if image.media_type == 'image/jpeg' else 'png'}"


def _mask_file(mask: AnnotatorMask) -> str:
    return f"masks/image-{mask.image_id}-version-{mask.version_id}.png"


def _log_export(
    caller: Caller, case_ids: Sequence[int], predicted: Collection[int], masked_images: Sequence[int]
) -> None:
    known = [(case_id, kind) for case_id in case_ids for kind in (ExposureKind.LABEL, ExposureKind.HISTOLOGY)]
    exposures.note(caller, [*known, *((case_id, ExposureKind.PREDICTION) for case_id in predicted)])
    exposures.note_images(caller, masked_images, ExposureKind.MASK)
    with caller.store.writing() as session:
        ends = {"first": case_ids[0], "last": case_ids[-1]}
        audit.record(session, caller.actor, "export cases", f"{len(case_ids)} cases", **ends)
