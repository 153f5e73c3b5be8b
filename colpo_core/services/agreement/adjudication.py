"""Adjudication: a senior decides which mask of a finding counts on an image that several have annotated.

A decision names a version: one of the annotators' as it is, or one that the adjudicator has combined or painted, which
is kept as a version of origin `adjudicated`. No decision is changed; the newest counts.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.images.masks import mask_png
from colpo_core.records.agreement import AdjudicationRecord
from colpo_core.records.annotations import SavedDraft
from colpo_core.records.colours import OVERLAYS, rgba
from colpo_core.records.people import Actor
from colpo_core.services.agreement.consensus import compute_consensus
from colpo_core.services.agreement.decisions import annotators_versions, decision_record, refusals
from colpo_core.services.annotations.drafts import checked_note, submit_draft
from colpo_core.services.annotations.rows import Document, find_own
from colpo_core.services.annotations.starts import write_start
from colpo_core.services.annotations.submitted_masks import AnnotatorMask, find_annotator_masks, visible_masks
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import store_mask
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Adjudication, Annotation, AnnotationVersion, Image
from colpo_core.terms import AdjudicationMethod, Combination, ExposureKind, Finding, MaskDoubt, MaskOrigin, Start

MAX_PAGE = 200


@allowed(CLINICIANS)
def take_mask(caller: Caller, *, version_id: int, note: str = "") -> AdjudicationRecord:
    """Decide that a mask counts as it is: the newest version of an annotator, or of an adjudicator.

    Raises:
        Blinding: The mask is one that the caller must not see yet.
        Conflict: The caller may not decide on this image (`image_agreement` says why), or the version is not the
            newest of its annotator any more, or waits for confirmation.
        InputRejected: The note is too long.
        NotFound: There is no such version.
        PermissionDenied: The caller is no administrator and adjudicates no task with this image.
    """
    note = checked_note(note)
    with caller.store.writing() as session:
        version = find_row(session, AnnotationVersion, version_id)
        annotation = version.annotation
        require_visible(session, caller.actor, annotation)
        _require_may(session, caller.actor, image_id=annotation.image_id, finding=annotation.finding)
        _counted(session, annotation, version)
        exposures.note_mask_within(session, caller.actor, annotation.image_id)
        return _decide(session, caller.actor, version, AdjudicationMethod.TAKEN, note)


@allowed(CLINICIANS)
def start_combination(
    caller: Caller,
    *,
    image_id: int,
    finding: Finding = Finding.ACETOWHITE,
    combination: Combination,
    version_ids: Sequence[int],
) -> SavedDraft:
    """Combine several masks into the caller's own draft, whatever it held, to go on from there and adjudicate it.

    Args:
        caller: Who adjudicates.
        image_id: The image.
        finding: What the masks show.
        combination: How to combine them.
        version_ids: The newest versions of at least two annotators.

    Raises:
        Conflict: The caller may not decide on this image.
        InputRejected: A version is not among those that the caller sees, or there are fewer than two.
        NotFound: There is no such image.
        PermissionDenied: The caller is no administrator and adjudicates no task with this image.
    """
    # The sums are done before the store is locked for writing; a version that they rest on never changes.
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        size = (image.height_px, image.width_px)
        _require_may(session, caller.actor, image_id=image_id, finding=finding)
        masks = _chosen(session, caller.actor, image_id=image_id, finding=finding, version_ids=version_ids)
        rle = compute_consensus(session, masks, finding=finding, method=combination).rle
    with caller.store.writing() as session:
        _require_may(session, caller.actor, image_id=image_id, finding=finding)
        document = Document(image_id, caller.person_id, finding)
        exposures.note_mask_within(session, caller.actor, image_id)
        saved = write_start(
            session, caller.actor, document, mask=store_mask(session, rle, *size), start=Start.COMBINATION
        )
        sources = sorted(mask.version_id for mask in masks)
        audit.record(
            session, caller.actor, "combine masks", f"image {image_id}", combination=combination.value, sources=sources
        )
        return saved


@allowed(CLINICIANS)
def adjudicate(
    caller: Caller,
    *,
    document_id: str,
    seq: int,
    note: str = "",
    sure: Collection[MaskDoubt] = (),
) -> AdjudicationRecord:
    """Decide that what the caller has painted or combined counts; it becomes a version of its own.

    It is asked about as a submitted one is; an empty mask that the caller is sure of says that nothing is there.

    Args:
        caller: Who decides; the document is theirs.
        document_id: From `open_annotation`.
        seq: Sequence of the mask that the person sees.
        note: Why.
        sure: What the mask may look like, since the caller was asked and has said that it is right.

    Raises:
        Conflict: The caller may not decide on this image, or what is stored is not what the person sees.
        InputRejected: Nothing changed since the caller's last version, or the note is too long.
        MaskDoubted: The mask looks like something that was not meant, and nobody has said that it is right.
        NotFound: There is no such document, or it is another person's.
        PermissionDenied: The caller is no administrator and adjudicates no task with this image.
    """
    document = Document.read(document_id, caller.actor)
    note = checked_note(note)
    with caller.store.writing() as session:
        find_row(session, Image, document.image_id)
        _require_may(session, caller.actor, image_id=document.image_id, finding=document.finding)
        method = _method(find_own(session, document))
        exposures.note_mask_within(session, caller.actor, document.image_id)
        version = submit_draft(
            session, caller.actor, document, seq=seq, note=note, origin=MaskOrigin.ADJUDICATED, sure=sure
        )
        return _decide(session, caller.actor, version, method, note)


@allowed(CLINICIANS)
def list_adjudications(
    caller: Caller,
    *,
    finding: Finding | None = None,
    image_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[AdjudicationRecord, ...]:
    """Decisions, the newest first; the newest of an image and finding counts.

    Args:
        caller: Who asks; decisions on masks that they must not see yet are left out.
        finding: Of this finding alone.
        image_id: On this image alone.
        before: Older than the decision of this row.
        limit: How many at most, 1 to 200.

    Raises:
        ValueError: The limit is out of range.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must lie between 1 and {MAX_PAGE}, not {limit}")
    query = select(Adjudication).order_by(Adjudication.id.desc()).limit(limit)
    if finding is not None:
        query = query.where(Adjudication.finding == finding)
    if image_id is not None:
        query = query.where(Adjudication.image_id == image_id)
    if before is not None:
        query = query.where(Adjudication.id < before)
    with caller.store.reading() as session:
        decided = [decision_record(session, caller.actor, decision) for decision in session.scalars(query)]
    records = tuple(record for record in decided if record is not None)
    exposures.note_images(caller, [record.image_id for record in records], ExposureKind.MASK)
    return records


@allowed(CLINICIANS)
def combination_overlay(
    caller: Caller,
    *,
    image_id: int,
    finding: Finding = Finding.ACETOWHITE,
    combination: Combination,
    version_ids: Sequence[int],
) -> bytes:
    """What a combination of masks would mark, as a PNG that is white there and transparent elsewhere.

    Raises:
        InputRejected: A version is not among those that the caller sees, or there are fewer than two.
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        find_row(session, Image, image_id)
        masks = _chosen(session, caller.actor, image_id=image_id, finding=finding, version_ids=version_ids)
        made = compute_consensus(session, masks, finding=finding, method=combination)
    exposures.note_images(caller, [image_id], ExposureKind.MASK)
    return mask_png(made.pixels, rgba=rgba(OVERLAYS["white"]))


def _require_may(session: Session, actor: Actor, *, image_id: int, finding: Finding) -> None:
    masks = visible_masks(session, actor, finding=finding, image_id=image_id)
    refused = refusals(session, actor, finding=finding, masks={image_id: masks.get(image_id, ())})
    if image_id in refused:
        raise refused[image_id]


def _chosen(
    session: Session, actor: Actor, *, image_id: int, finding: Finding, version_ids: Sequence[int]
) -> list[AnnotatorMask]:
    shown = visible_masks(session, actor, finding=finding, image_id=image_id).get(image_id, ())
    by_version = {mask.version_id: mask for mask in shown}
    wanted = set(version_ids)
    if not wanted <= by_version.keys():
        raise InputRejected(
            "One of these masks is not the newest of an annotator of this image, or is hidden from you. Load the page "
            "again."
        )
    if len(wanted) < 2:
        raise InputRejected("Choose the masks of at least two annotators; a single one can be taken as it is.")
    chosen = [by_version[version_id] for version_id in sorted(wanted)]
    if len({(mask.width_px, mask.height_px) for mask in chosen}) > 1:
        raise InputRejected("These masks are of different sizes, so they cannot be combined.")
    return chosen


def _counted(session: Session, annotation: Annotation, version: AnnotationVersion) -> None:
    candidates = find_annotator_masks(session, finding=annotation.finding, image_ids=[annotation.image_id])
    counted = {candidate.mask.version_id for candidate in candidates if candidate.mask is not None}
    if version.id not in counted:
        raise Conflict(
            "This mask cannot be taken: its annotator has submitted a newer one, or it waits for confirmation. Load "
            "the page again."
        )


def _method(annotation: Annotation | None) -> AdjudicationMethod:
    """How a draft came about: as it was combined or taken over, or painted."""
    if annotation is None or annotation.draft_mask_id is None:
        return AdjudicationMethod.PAINTED
    if annotation.draft_mask_id != annotation.draft_start_mask_id:
        return AdjudicationMethod.PAINTED
    return {
        Start.COMBINATION: AdjudicationMethod.COMBINED,
        Start.OTHER_VERSION: AdjudicationMethod.TAKEN,
    }.get(annotation.draft_start, AdjudicationMethod.PAINTED)


def _decide(
    session: Session, actor: Actor, version: AnnotationVersion, method: AdjudicationMethod, note: str
) -> AdjudicationRecord:
    annotation = version.annotation
    image_id, finding = annotation.image_id, annotation.finding
    decision = Adjudication(
        image_id=image_id,
        finding=finding,
        version_id=version.id,
        method=method,
        sources=list(annotators_versions(session, image_id=image_id, finding=finding)),
        decided_by=actor.person_id,
        note=note,
    )
    session.add(decision)
    session.flush()
    audit.record(
        session,
        actor,
        "adjudicate",
        f"image {image_id}",
        finding=finding.value,
        version_id=version.id,
        method=method.value,
    )
    record = decision_record(session, actor, decision)
    if record is None:
        raise RuntimeError("a decision was taken on a mask that must not be seen")
    return record
