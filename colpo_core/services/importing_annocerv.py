"""Bringing in the AnnoCerv collection: images, experts' outlines as masks, Swede scores as impressions.

Each case is stored as a whole before the next is read, so that an interruption keeps what was done and a second run
goes on from there; nothing but one case is in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from colpo_core.errors import ImageRejected
from colpo_core.exchange.annocerv import AnnoCervCase, AnnoCervImage, read_annocerv
from colpo_core.images.decoding import CleanImage, decode_image, encode_clean
from colpo_core.images.outlines import fill_outline
from colpo_core.records.cases import ImportOutcome, ImportReport, ImportStatus
from colpo_core.records.people import Actor
from colpo_core.services.annotations import import_annotation
from colpo_core.services.arrivals import StoredFile, add_image, find_image, find_or_add_case
from colpo_core.services.histology import relabel_case
from colpo_core.services.opening import IMPORTER, program_actor
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, Case
from colpo_core.terms import Finding, Stage

_NOTE = "AnnoCerv, CC BY 4.0; outline filled by the program"


def import_annocerv(
    store: Store,
    *,
    actor: Actor,
    folder: Path,
    on_case: Callable[[AnnoCervCase], None] | None = None,
) -> ImportReport:
    """Bring in a folder in AnnoCerv's layout; what is in the store already stays as it is.

    Every outline becomes a mask that says how it was closed. What a guess closed waits for a person's confirmation.
    A Swede score becomes the case's impression and never counts as histology.

    Args:
        store: The open store.
        actor: Who brings it in; the masks themselves belong to the program's importer.
        folder: The folder with the folders `Case N`.
        on_case: Called after each case is stored.

    Raises:
        PermissionDenied: The actor is a reader.
        InputRejected: The folder is not laid out as AnnoCerv is.
    """
    require(actor, CLINICIANS)
    importer = program_actor(store, IMPORTER)
    outcomes: list[ImportOutcome] = []
    annotations = to_confirm = patients = 0
    for case in read_annocerv(folder):
        taken = _take_case(store, actor, importer, case)
        outcomes += taken.outcomes
        annotations += taken.annotations
        to_confirm += taken.annotations_to_confirm
        patients += any(outcome.image_id is not None for outcome in taken.outcomes)
        if on_case is not None:
            on_case(case)
    return ImportReport(tuple(outcomes), annotations, to_confirm, patients)


@dataclass(frozen=True, eq=False)
class _Decoded:
    """One image of the case, decoded and its file stored, before any row is written."""

    source: AnnoCervImage
    image: CleanImage
    file: StoredFile


def _take_case(store: Store, actor: Actor, importer: Actor, case: AnnoCervCase) -> ImportReport:
    decoded: list[_Decoded] = []
    refused: list[ImportOutcome] = []
    for source in case.images:
        try:
            image = decode_image(source.load())
        except ImageRejected as error:
            refused.append(ImportOutcome(source.name, ImportStatus.REFUSED, str(error)))
            continue
        clean = encode_clean(image)
        sha256 = store.blobs.put(clean.content)
        decoded.append(_Decoded(source, image, StoredFile(sha256, clean.media_type, image.width_px, image.height_px)))
    if not decoded:
        return ImportReport(tuple(refused))
    placed = _place_case(store, actor, case, decoded)
    annotations = to_confirm = 0
    for item, outcome in zip(decoded, placed, strict=True):
        if item.source.outline is None or not item.source.outline.any() or outcome.image_id is None:
            continue
        waits = _annotate(store, importer, outcome.image_id, item)
        annotations += waits is not None
        to_confirm += waits is True
    return ImportReport((*placed, *refused), annotations, to_confirm)


def _place_case(store: Store, actor: Actor, case: AnnoCervCase, decoded: list[_Decoded]) -> list[ImportOutcome]:
    """Write the rows of one case and its images in one transaction."""
    outcomes = []
    with store.writing() as session:
        row: Case | None = None
        for item in decoded:
            known = find_image(session, item.file.sha256)
            if known is not None:
                reason = f"This image is in the store already, in case {known.case_id}."
                outcomes.append(
                    ImportOutcome(item.source.name, ImportStatus.DUPLICATE, reason, known.id, known.case_id)
                )
                continue
            row = row or find_or_add_case(session, actor=actor, patient_code=case.patient_code, case_date=None)
            image = add_image(session, actor=actor, case_id=row.id, file=item.file, stage=Stage.ACETIC_ACID)
            outcomes.append(ImportOutcome(item.source.name, ImportStatus.IMPORTED, image_id=image.id, case_id=row.id))
        if row is not None and row.swede_total is None and case.swede_score is not None:
            row.swede_total = case.swede_score
            session.flush()
            relabel_case(session, row)
    return outcomes


def _annotate(store: Store, importer: Actor, image_id: int, item: _Decoded) -> bool | None:
    """Store the filled outline once.

    Returns:
        Whether it waits for a person, or None if the image has the importer's annotation already.
    """
    with store.reading() as session:
        known = session.scalar(
            select(Annotation.id).where(
                Annotation.image_id == image_id,
                Annotation.annotator_id == importer.person_id,
                Annotation.finding == Finding.ACETOWHITE,
            )
        )
    if known is not None or item.source.outline is None:
        return None
    filled = fill_outline(item.source.outline, item.image.rgb)
    import_annotation(
        store,
        actor=importer,
        image_id=image_id,
        mask=filled.mask,
        origin=filled.origin,
        finding=Finding.ACETOWHITE,
        note=_NOTE,
    )
    return filled.origin.is_guess
