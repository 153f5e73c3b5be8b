"""Rows of what is imported: a patient, their case of a day and its images; also of simulated cases."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.images.decoding import CleanFile
from colpo_core.images.looks import ImageLooks, image_looks
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases.cases import ImportOutcome, ImportStatus
from colpo_core.records.people import Actor
from colpo_core.services.cases.contradictions import held_by_others
from colpo_core.services.cases.histology import relabel_case
from colpo_core.services.cases.image_questions import open_questions
from colpo_core.services.common import audit
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, ImageLook, Patient
from colpo_core.terms import Stage


@dataclass(frozen=True)
class StoredFile:
    """A clean file that is in the store, and what its image looks like.

    Attributes:
        sha256: Its hash, which is its name.
        media_type: What it holds.
        width_px: Width of the image.
        height_px: Height of the image.
        perceptual_hash: Hash of the look of the image, by which near copies are found.
        looks: Figures of the look of the image, from which questions about it arise; None leaves that to the next
            snapshot.
    """

    sha256: str
    media_type: str
    width_px: int
    height_px: int
    perceptual_hash: str
    looks: ImageLooks | None = None


def store_file(store: Store, clean: CleanFile, rgb: NDArray[np.uint8]) -> StoredFile:
    """Put a clean file into the store, and compute what its image looks like.

    Args:
        store: The open store.
        clean: The file.
        rgb: H x W x 3 uint8: its image.
    """
    height_px, width_px = rgb.shape[:2]
    sha256 = store.blobs.put(clean.content)
    return StoredFile(sha256, clean.media_type, width_px, height_px, perceptual_hash(rgb), image_looks(rgb))


def find_case(session: Session, *, patient_code: str, case_date: date | None) -> Case | None:
    """The case of a patient on a day, if there is one; upper and lower case of the code are alike."""
    patient = _patient(session, patient_code)
    if patient is None:
        return None
    day = Case.case_date.is_(None) if case_date is None else Case.case_date == case_date
    return session.scalar(select(Case).where(Case.patient_id == patient.id, day).order_by(Case.id).limit(1))


def find_or_add_case(
    session: Session, *, actor: Actor, patient_code: str, case_date: date | None, simulated: bool = False
) -> Case:
    """The case of a patient on a day, made with its patient where it is new.

    Args:
        session: The writing session.
        actor: Who brings it in.
        patient_code: A code that `check_patient_code` let pass.
        case_date: Day of the examination, or None where unknown: a patient has one case without a date.
        simulated: Whether the program drew it.
    """
    case = find_case(session, patient_code=patient_code, case_date=case_date)
    if case is not None:
        return case
    patient = _patient(session, patient_code)
    if patient is None:
        patient = Patient(code=patient_code, simulated=simulated)
        session.add(patient)
        session.flush()
    case = Case(patient_id=patient.id, case_date=case_date, simulated=simulated)
    session.add(case)
    session.flush()
    audit.record(session, actor, "add case", f"case {case.id}")
    relabel_case(session, case)
    return case


def import_image(
    session: Session,
    *,
    actor: Actor,
    name: str,
    patient_code: str,
    case_date: date | None,
    file: StoredFile,
    near: Collection[int],
    stage: Stage,
    seconds_after_acid: int | None = None,
    stage_guessed: bool = False,
) -> ImportOutcome:
    """Add an image to the case of a patient on a day, each made where it is new, and say what became of it.

    Args:
        session: The writing session.
        actor: Who imports it.
        name: Name of the file, for the outcome.
        patient_code: See `find_or_add_case`.
        case_date: Likewise.
        file: See `add_image`.
        near: Rows of stored images that it is a near copy of.
        stage: See `add_image`.
        seconds_after_acid: Likewise.
        stage_guessed: Likewise.
    """
    is_new_patient = _patient(session, patient_code) is None
    is_new_case = find_case(session, patient_code=patient_code, case_date=case_date) is None
    case = find_or_add_case(session, actor=actor, patient_code=patient_code, case_date=case_date)
    image = add_image(
        session,
        actor=actor,
        case_id=case.id,
        file=file,
        stage=stage,
        seconds_after_acid=seconds_after_acid,
        stage_guessed=stage_guessed,
    )
    asked = open_questions(session, [image.id])
    return ImportOutcome(
        name,
        ImportStatus.IMPORTED,
        image_id=image.id,
        case_id=case.id,
        copies=held_by_others(session, near, patient_id=case.patient_id),
        stage=stage,
        questions=asked[0].questions if asked else (),
        is_new_patient=is_new_patient,
        is_new_case=is_new_case,
    )


def find_image(session: Session, sha256: str) -> Image | None:
    """The first image whose clean file has a hash."""
    return session.scalar(select(Image).where(Image.sha256 == sha256).order_by(Image.id).limit(1))


def add_image(
    session: Session,
    *,
    actor: Actor,
    case_id: int,
    file: StoredFile,
    stage: Stage,
    seconds_after_acid: int | None = None,
    simulated: bool = False,
    stage_guessed: bool = False,
) -> Image:
    """Add an image whose file is stored, and say so in the log.

    Args:
        session: The writing session.
        actor: Who brings it in.
        case_id: Row of its case.
        file: The file.
        stage: When it was taken.
        seconds_after_acid: Seconds after acetic acid, where known.
        simulated: Whether the program drew it.
        stage_guessed: Whether nobody said the stage, so that it is asked about.
    """
    image = Image(
        case_id=case_id,
        sha256=file.sha256,
        media_type=file.media_type,
        width_px=file.width_px,
        height_px=file.height_px,
        stage=stage,
        seconds_after_acid=seconds_after_acid if stage is Stage.ACETIC_ACID else None,
        simulated=simulated,
        perceptual_hash=file.perceptual_hash,
        stage_guessed=stage_guessed,
    )
    session.add(image)
    session.flush()
    if file.looks is not None:
        session.add(ImageLook(image_id=image.id, **asdict(file.looks)))
    audit.record(session, actor, "import image", f"image {image.id}", case=case_id, stage=stage.value)
    return image


def _patient(session: Session, code: str) -> Patient | None:
    exact = session.scalar(select(Patient).where(Patient.code == code))
    if exact is not None:
        return exact
    return session.scalar(select(Patient).where(func.lower(Patient.code) == code.lower()).limit(1))
