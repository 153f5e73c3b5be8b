"""Which masks training may use: of acetowhite epithelium, submitted, and chosen by the snapshot's mask policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import LeftOut
from colpo_core.services.agreement.consensus import Consensus, compute_consensus
from colpo_core.services.annotations.submitted_masks import AnnotatorMask, find_annotator_masks, is_confirmed_clear
from colpo_core.store.tables import Adjudication, AnnotationVersion, Mask
from colpo_core.terms import Combination, Finding, MaskOrigin, MaskPolicy

WRONG_SIZE = "the mask's size is not its image's"
OTHER_ANNOTATOR = "the mask is not the chosen annotator's"
ONLY_ADJUDICATED = "the mask is an adjudicated one, and no annotator's is there"
UNDECIDED = "several annotators' masks, and nobody has adjudicated"


@dataclass(frozen=True)
class TrainableMask:
    """A mask that training may use.

    Attributes:
        sha256: Hash of its run-length code.
        origin: How it came to be.
        consensus: What was computed, where it was made of several; to be stored when the snapshot is frozen.
        confirmed_clear: Whether it is empty because it is confirmed that nothing acetowhite is there; of one made of
            several, whether each of them says so.
    """

    sha256: str
    origin: MaskOrigin
    consensus: Consensus | None = None
    confirmed_clear: bool = False


_Chosen = tuple[dict[int, TrainableMask], list[LeftOut]]


def find_masks(
    session: Session,
    sizes: Mapping[int, tuple[int, int]],
    *,
    policy: MaskPolicy = MaskPolicy.NEWEST,
    annotator_id: int | None = None,
) -> _Chosen:
    """The mask of acetowhite epithelium of each image that a policy takes.

    - `newest`: the newest submitted mask, whoever made it, an adjudicator too.
    - `annotator`: the newest of one person.
    - `majority` and `staple`: made of the newest mask of each annotator; adjudicated ones are not among them, and a
      single annotator's mask stays what it is.
    - `adjudicated`: the one that was decided on; where nobody has decided, a single annotator's. Of several without a
      decision none is taken.

    Args:
        session: A reading session.
        sizes: Height and width in pixels of each image that takes part.
        policy: Which mask of an image counts.
        annotator_id: Whose, for the policy `annotator`.

    Returns:
        Mask by image, and the annotations left out with their reason.
    """
    usable: dict[int, list[AnnotatorMask]] = {}
    left_out: list[LeftOut] = []
    for candidate in find_annotator_masks(session, finding=Finding.ACETOWHITE):
        if candidate.image_id not in sizes:
            continue
        reason = candidate.reason
        if (
            candidate.mask is not None
            and (candidate.mask.height_px, candidate.mask.width_px) != sizes[candidate.image_id]
        ):
            reason = WRONG_SIZE
        if candidate.mask is None or reason:
            left_out.append(LeftOut("annotation", candidate.annotation_id, reason))
        else:
            usable.setdefault(candidate.image_id, []).append(candidate.mask)
    if policy is MaskPolicy.NEWEST:
        chosen: _Chosen = {image_id: _as_it_is(masks[-1]) for image_id, masks in usable.items()}, []
    elif policy is MaskPolicy.ANNOTATOR:
        chosen = _of_annotator(usable, annotator_id)
    elif policy is MaskPolicy.ADJUDICATED:
        chosen = _adjudicated(session, usable, sizes)
    else:
        chosen = _combined(session, usable, Combination(policy.value))
    return chosen[0], left_out + chosen[1]


def _of_annotator(usable: Mapping[int, Sequence[AnnotatorMask]], annotator_id: int | None) -> _Chosen:
    masks, left_out = {}, []
    for image_id, of_image in usable.items():
        own = [mask for mask in of_image if mask.annotator_id == annotator_id]
        if own:
            masks[image_id] = _as_it_is(own[-1])
        else:
            left_out += [LeftOut("annotation", mask.annotation_id, OTHER_ANNOTATOR) for mask in of_image]
    return masks, left_out


def _combined(session: Session, usable: Mapping[int, Sequence[AnnotatorMask]], method: Combination) -> _Chosen:
    masks, left_out = {}, []
    for image_id, of_image in usable.items():
        independent = [mask for mask in of_image if not mask.is_adjudicated]
        if len(independent) > 1:
            made = compute_consensus(session, independent, finding=Finding.ACETOWHITE, method=method)
            masks[image_id] = TrainableMask(
                made.sha256, MaskOrigin(method.value), made, all(mask.confirmed_clear for mask in independent)
            )
        elif independent:
            masks[image_id] = _as_it_is(independent[0])
        else:
            left_out += [LeftOut("annotation", mask.annotation_id, ONLY_ADJUDICATED) for mask in of_image]
    return masks, left_out


def _adjudicated(
    session: Session, usable: Mapping[int, Sequence[AnnotatorMask]], sizes: Mapping[int, tuple[int, int]]
) -> _Chosen:
    masks, left_out = {}, []
    decided = _decisions(session)
    for image_id, of_image in usable.items():
        independent = [mask for mask in of_image if not mask.is_adjudicated]
        if image_id in decided:
            annotation_id, sha256, size, is_clear = decided[image_id]
            if size == sizes[image_id]:
                masks[image_id] = TrainableMask(sha256, MaskOrigin.ADJUDICATED, confirmed_clear=is_clear)
            else:
                left_out.append(LeftOut("annotation", annotation_id, WRONG_SIZE))
        elif len(independent) == 1:
            masks[image_id] = _as_it_is(independent[0])
        else:
            left_out += [LeftOut("annotation", mask.annotation_id, UNDECIDED) for mask in of_image]
    return masks, left_out


def _decisions(session: Session) -> dict[int, tuple[int, str, tuple[int, int], bool]]:
    """By image, the newest decision: row of the annotation, hash of the mask, its size, and whether it is confirmed."""
    rows = session.execute(
        select(Adjudication.image_id, AnnotationVersion, Mask)
        .join(AnnotationVersion, AnnotationVersion.id == Adjudication.version_id)
        .join(Mask, Mask.id == AnnotationVersion.mask_id)
        .where(Adjudication.finding == Finding.ACETOWHITE)
        .order_by(Adjudication.id)
    )
    return {
        image_id: (
            version.annotation_id,
            mask.sha256,
            (mask.height_px, mask.width_px),
            is_confirmed_clear(version, mask.area_px),
        )
        for image_id, version, mask in rows
    }


def _as_it_is(mask: AnnotatorMask) -> TrainableMask:
    return TrainableMask(mask.sha256, mask.origin, confirmed_clear=mask.confirmed_clear)
