"""Bringing in the AnnoCerv collection: images, experts' outlines as masks, Swede scores as impressions.

Each case is stored as a whole before the next is read, so that after an interruption a second run continues where the
first one stopped; only one case is in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import exists, select

from colpo_core.errors import ImageRejected, InputRejected
from colpo_core.exchange.annocerv import AnnoCervCase, AnnoCervImage, read_annocerv
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.outlines import fill_outline
from colpo_core.images.photographs import decode_photograph
from colpo_core.records.cases.cases import ImportOutcome, ImportReport, ImportStatus
from colpo_core.records.people import Actor
from colpo_core.services.annotations.imported_masks import import_annotation
from colpo_core.services.cases.contradictions import near_copy_text
from colpo_core.services.cases.fingerprints import StoredLooks, count_without_fingerprint
from colpo_core.services.cases.histology import relabel_case
from colpo_core.services.common.actors import IMPORTER, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.machine_errors import machine_error
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.imports.rows import StoredFile, find_case, find_image, import_image, store_file
from colpo_core.store import Store
from colpo_core.store.tables import Annotation
from colpo_core.terms import AnnotationState, Finding, Stage

_NOTE = "AnnoCerv, CC BY 4.0; outline filled by the program"


@allowed(CLINICIANS)
def import_annocerv(
    caller: Caller,
    *,
    folder: Path,
    on_case: Callable[[AnnoCervCase], None] | None = None,
) -> ImportReport:
    """Bring in a folder in AnnoCerv's layout; what is in the store already stays as it is.

    Every outline becomes a mask that says how it was closed. What a guess closed, and what looks like something that
    was not meant, waits for a person's confirmation. An image without an outline is not taken for one without a
    lesion: `clear_images.list_unmarked` lists those that wait for a person's word.
    A Swede score becomes the case's impression and never counts as histology.

    Args:
        caller: Who brings it in; the masks themselves belong to the program's importer.
        folder: The folder with the folders `Case N`.
        on_case: Called after each case is stored.

    Raises:
        InputRejected: The folder is not laid out as AnnoCerv is.
    """
    importer = program_actor(caller.store, IMPORTER)
    outcomes: list[ImportOutcome] = []
    annotations = to_confirm = patients = 0
    stored = StoredLooks()
    for case in read_annocerv(folder):
        try:
            report = _import_case(caller, importer, stored, case)
        except Exception as error:
            known = machine_error(error)
            if known is None:
                raise
            # The cases before are kept; none after it is tried.
            outcomes += [ImportOutcome(image.name, ImportStatus.REFUSED, str(known)) for image in case.images]
            break
        outcomes += report.outcomes
        annotations += report.annotations
        to_confirm += report.annotations_to_confirm
        patients += any(outcome.status is ImportStatus.IMPORTED for outcome in report.outcomes)
        if on_case is not None:
            on_case(case)
    with caller.store.reading() as session:
        not_compared = count_without_fingerprint(session)
    return ImportReport(tuple(outcomes), annotations, to_confirm, patients, not_compared)


@dataclass(frozen=True, eq=False)
class _Decoded:
    """One image of the case, decoded and its file stored, before any row is written."""

    source: AnnoCervImage
    image: CleanImage
    file: StoredFile


def _import_case(caller: Caller, importer: Actor, stored: StoredLooks, case: AnnoCervCase) -> ImportReport:
    decoded: list[_Decoded] = []
    refused: list[ImportOutcome] = []
    for source in case.images:
        try:
            image = decode_photograph(source.load())
        except (ImageRejected, InputRejected) as error:
            refused.append(ImportOutcome(source.name, ImportStatus.REFUSED, str(error)))
            continue
        file = store_file(caller.store, encode_clean(image), image.rgb)
        decoded.append(_Decoded(source, image, file))
    if not decoded:
        return ImportReport(tuple(refused))
    outcomes = _store_case(caller, stored, case, decoded)
    annotations = to_confirm = 0
    for index, item in enumerate(decoded):
        try:
            waits = _annotate(caller.store, importer, outcomes[index].image_id, item)
        except InputRejected as error:
            outcomes[index] = replace(outcomes[index], reason=f"The image is stored without its outline. {error}")
            continue
        annotations += waits is not None
        to_confirm += waits is True
    return ImportReport((*outcomes, *refused), annotations, to_confirm)


def _store_case(
    caller: Caller, stored_looks: StoredLooks, case: AnnoCervCase, decoded: list[_Decoded]
) -> list[ImportOutcome]:
    """Write the rows of one case and its images in one transaction.

    The collection holds some files twice, also under two patients, each with an outline of its own: they are kept
    apart, so an image counts as stored before only where this very case holds it.
    """
    outcomes = []
    with caller.store.writing() as session:
        row = find_case(session, patient_code=case.patient_code, case_date=None)
        stored: dict[str, list[int]] = {}
        for image in row.images if row is not None else ():
            stored.setdefault(image.sha256, []).append(image.id)
        for item in decoded:
            name, sha256 = item.source.name, item.file.sha256
            if row is not None and stored.get(sha256):
                reason = f"This image is in the store already, in case {row.id}."
                image_id = stored[sha256].pop(0)
                outcomes.append(ImportOutcome(name, ImportStatus.DUPLICATE, reason, image_id, row.id))
                continue
            twin = find_image(session, sha256)
            near = stored_looks.near(session, item.file.perceptual_hash)
            added = import_image(
                session,
                actor=caller.actor,
                name=name,
                patient_code=case.patient_code,
                case_date=None,
                file=item.file,
                near=near,
                stage=Stage.ACETIC_ACID,
            )
            row = row or find_case(session, patient_code=case.patient_code, case_date=None)
            if twin is not None:
                added = replace(added, reason=f"The same image stands in case {twin.case_id}; both were kept.")
            elif added.copies:
                added = replace(added, notes=(near_copy_text(added.copies),))
            outcomes.append(added)
        if row is not None and row.swede_total is None and case.swede_score is not None:
            row.swede_total = case.swede_score
            session.flush()
            relabel_case(session, row)
    return outcomes


def _annotate(store: Store, importer: Actor, image_id: int | None, item: _Decoded) -> bool | None:
    """Store the filled outline once.

    Returns:
        Whether it waits for a person, or None where there is nothing to store: no outline, or stored before.

    Raises:
        InputRejected: The drawing cannot be read or does not fit its image.
    """
    if image_id is None or _is_annotated(store, importer, image_id):
        return None
    outline = item.source.outline
    if outline is None or not outline.any():
        return None
    if outline.shape != (item.image.height_px, item.image.width_px):
        raise InputRejected("The drawing is of another size than its image. Fetch both again from the data set.")
    filled = fill_outline(outline, item.image.rgb)
    annotation_id = import_annotation(
        Caller(store, importer),
        image_id=image_id,
        mask=filled.mask,
        origin=filled.origin,
        finding=Finding.ACETOWHITE,
        note=_NOTE,
    )
    with store.reading() as session:
        return session.get_one(Annotation, annotation_id).state is AnnotationState.TO_CONFIRM


def _is_annotated(store: Store, importer: Actor, image_id: int) -> bool:
    with store.reading() as session:
        return bool(
            session.scalar(
                select(
                    exists().where(
                        Annotation.image_id == image_id,
                        Annotation.annotator_id == importer.person_id,
                        Annotation.finding == Finding.ACETOWHITE,
                    )
                )
            )
        )
