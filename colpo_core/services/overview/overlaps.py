"""How the current model's masks overlap the annotators' on images of patients that it has not met."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from colpo_core.evaluation.blind import BlindReference
from colpo_core.evaluation.intervals import mean_by_patients
from colpo_core.evaluation.masks import mask_figures
from colpo_core.records.overview.cohort import OverlapFigures, OverlapRow
from colpo_core.records.people import Actor
from colpo_core.records.statistics.figures import Bounds, Estimate
from colpo_core.services.annotations.submitted_masks import find_annotator_masks
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import hidden_annotators, images_without_model
from colpo_core.services.common.cache import LruCache
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.overview.figures_cache import cached_figures
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    Checkpoint,
    Image,
    Mask,
    Patient,
    Prediction,
)
from colpo_core.terms import ExposureKind, Finding, Start

MOST_COMPARED = 300
_MOST_READ = 2 * MOST_COMPARED
N_BINS = 10
_N_LOWEST = 10
_BLIND: LruCache[tuple[str, str], float] = LruCache(50_000)
_PAIRS: LruCache[tuple[str, str], float | None] = LruCache(50_000)


@allowed(CLINICIANS)
def overlap_figures(caller: Caller, *, include_simulated: bool = True) -> OverlapFigures | None:
    """IoU of the model's masks with the newest annotated one of each image, as its distribution.

    Beside it stands what the mean training mask reaches on the same images, which looks at none, and how much the model
    marks where a person has confirmed that nothing is. Left out are patients that the model has met, images without
    annotated acetowhite epithelium (their IoU is not defined), and masks that were made from a model's proposal: they
    agree with it because they began as it. Of very many images the newest 300 are taken.

    Args:
        caller: Who asks.
        include_simulated: Whether images that the program drew take part.

    Returns:
        None before a model is promoted.

    Raises:
        NotFound: The manifest of the model's snapshot is missing or damaged.
    """
    with caller.store.reading() as session:
        checkpoint_id = current_id(session)
        if checkpoint_id is None:
            return None
        figures, annotator_of = cached_figures(
            caller.store, session, "overlaps", (include_simulated,),
            lambda: _figures(caller.store, session, checkpoint_id, include_simulated),
        )  # fmt: skip
        kept_back = set(session.scalars(images_without_model(caller.actor)))
        shown = tuple(
            row for row in figures.lowest if _may_see(session, caller.actor, row, annotator_of[row.image_id], kept_back)
        )
    seen = (ExposureKind.PREDICTION, ExposureKind.MASK)
    exposures.note(caller, [(row.case_id, kind) for row in shown for kind in seen])
    return replace(figures, lowest=shown)


def _may_see(session: Session, actor: Actor, row: OverlapRow, annotator_id: int, kept_back: set[int]) -> bool:
    hidden = hidden_annotators(session, actor, image_id=row.image_id, finding=Finding.ACETOWHITE)
    return row.image_id not in kept_back and annotator_id not in hidden


def _figures(
    store: Store, session: Session, checkpoint_id: int, include_simulated: bool
) -> tuple[OverlapFigures, dict[int, int]]:
    """The figures, and whose mask of each of the lowest images it is."""
    met = patients_met(store, session, checkpoint_id)
    candidates = session.execute(_candidates(checkpoint_id, include_simulated))
    unseen = [row for row in candidates if row.patient_id not in met]
    rows = unseen[:_MOST_READ]
    masks = {}
    for candidate in find_annotator_masks(
        session, finding=Finding.ACETOWHITE, image_ids=[row.image_id for row in rows]
    ):
        if candidate.mask is not None:
            masks[candidate.image_id] = candidate.mask  # the newest comes last
    proposed = _from_proposal(session, [mask.version_id for mask in masks.values()])
    reference = BlindReference.from_card(session.get_one(Checkpoint, checkpoint_id).card)
    judged: list[tuple[int, OverlapRow]] = []
    blind: list[float] = []
    free: list[tuple[int, float]] = []
    n_compared = 0
    for row in rows:
        mask = masks.get(row.image_id)
        if mask is None or mask.version_id in proposed:
            continue
        if mask.confirmed_clear:
            marked = session.get_one(Mask, row.mask_id)
            free.append((row.patient_id, marked.area_px / (marked.width_px * marked.height_px)))
            continue
        if n_compared == MOST_COMPARED:
            continue
        n_compared += 1
        iou = _iou(session, row.mask_id, row.mask_sha256, mask.mask_id, mask.sha256)
        if iou is not None:
            judged.append((row.patient_id, OverlapRow(row.case_id, row.image_id, row.prediction_id, row.code, iou)))
            if reference is not None:
                blind.append(_blind_iou(session, reference, mask.mask_id, mask.sha256))
    values = [row.iou for _, row in judged]
    patients = [patient_id for patient_id, _ in judged]

    def mean(of: Sequence[float], of_patients: Sequence[int], within: Bounds = (0.0, 1.0)) -> Estimate:
        return mean_by_patients(of, of_patients, within=within)

    lowest = tuple(sorted((row for _, row in judged), key=lambda row: row.iou)[:_N_LOWEST])
    figures = OverlapFigures(
        iou=mean(values, patients),
        median=float(np.median(values)) if values else None,
        counts=tuple(int(count) for count in np.histogram(values, bins=N_BINS, range=(0, 1))[0]),
        n_compared=len(values),
        n_unseen=len(unseen),
        n_from_proposal=len(proposed),
        lowest=lowest,
        blind=None if reference is None else mean(blind, patients),
        difference=None
        if reference is None
        else mean([own - other for own, other in zip(values, blind, strict=True)], patients, (-1.0, 1.0)),
        lesion_free_area=mean([area for _, area in free], [patient_id for patient_id, _ in free]),
    )
    return figures, {row.image_id: masks[row.image_id].annotator_id for row in lowest}


def _candidates(checkpoint_id: int, include_simulated: bool) -> Select[int, int, int, str, int, int, str]:
    """Images that both the model and somebody have marked, the newest first."""
    annotated = (
        select(Annotation.image_id)
        .join(AnnotationVersion, AnnotationVersion.annotation_id == Annotation.id)
        .where(Annotation.finding == Finding.ACETOWHITE)
    )
    query = (
        select(
            Image.id.label("image_id"), Image.case_id, Case.patient_id, Patient.code,
            Prediction.id.label("prediction_id"), Prediction.mask_id, Mask.sha256.label("mask_sha256"),
        )
        .join(Prediction, Prediction.image_id == Image.id)
        .join(Mask, Mask.id == Prediction.mask_id)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .where(Prediction.checkpoint_id == checkpoint_id, Image.id.in_(annotated))
        .order_by(Image.id.desc())
    )  # fmt: skip
    return query if include_simulated else query.where(Image.simulated.is_(False))


def _from_proposal(session: Session, version_ids: list[int]) -> set[int]:
    """Of some versions, those whose annotation was made from a model's proposal at any time."""
    proposed = select(AnnotationVersion.annotation_id).where(
        (AnnotationVersion.start == Start.PROPOSAL) | AnnotationVersion.start_prediction_id.is_not(None)
    )
    query = select(AnnotationVersion.id).where(AnnotationVersion.annotation_id.in_(proposed))
    return set(session.scalars(query)) & set(version_ids)


def _blind_iou(session: Session, reference: BlindReference, mask_id: int, mask_sha256: str) -> float:
    """IoU of the mean training mask with an annotated one that marks something."""

    def compare() -> float:
        annotated = mask_pixels(session.get_one(Mask, mask_id))
        drawn = reference.mean_mask(*annotated.shape)
        return float(np.count_nonzero(annotated & drawn) / np.count_nonzero(annotated | drawn))

    return _BLIND.find((reference.fingerprint, mask_sha256), compare)


def _iou(session: Session, own_id: int, own_sha256: str, other_id: int, other_sha256: str) -> float | None:
    def compare() -> float | None:
        own, annotated = (mask_pixels(session.get_one(Mask, mask_id)) for mask_id in (own_id, other_id))
        return mask_figures(annotated, own).iou_acetowhite if own.shape == annotated.shape else None

    return _PAIRS.find((own_sha256, other_sha256), compare)
