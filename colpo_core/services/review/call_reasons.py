"""Why a model called so: how its probabilities have held, labelled cases that look alike, what the mask changes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from colpo_core.errors import Conflict
from colpo_core.evaluation.likeness import likeness, unpack_features
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.jobs.settings import ExplanationSettings, ImageChange
from colpo_core.records.people import Actor
from colpo_core.records.review.explanations import CallReasons, LikeCase, WhatIfRecord
from colpo_core.records.statistics.figures import Proportion, ReliabilityBin
from colpo_core.services.annotations.submitted_masks import visible_masks
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import hidden_annotators, require_prediction_visible
from colpo_core.services.common.cache import LruCache
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs import control as jobs
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.services.snapshots.learned_copies import images_state
from colpo_core.store import Store
from colpo_core.store.dialects import among
from colpo_core.store.facts import find_one
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    CaseLabel,
    Checkpoint,
    Image,
    Job,
    Patient,
    Person,
    Prediction,
    PredictionFeatures,
    WhatIf,
)
from colpo_core.terms import Change, ExposureKind, Finding, JobKind, JobState, LabelSource

COVERED_FINDINGS = (Finding.ACETOWHITE, Finding.MOSAIC, Finding.PUNCTATION, Finding.ATYPICAL_VESSELS)
"""Findings that speak for a lesion: what a network says without them tells what it saw in them."""
# Of the widest network these are some 80 MB of memory, and a tenth of a second for each look.
_MOST_COMPARED = 20_000
_ASKED_AT_ONCE = 500
_NO_FEATURES = "This prediction is older than the comparison of cases. Predict the image again."
_NO_LABELS = "No case of another patient that this model has predicted has a label by histology yet."

_Stack = tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]
_STACKS: LruCache[tuple[str, int, int, int], _Stack] = LruCache(1)
_LEARNED: LruCache[tuple[str | int, ...], frozenset[int]] = LruCache(16)


@allowed(CLINICIANS)
def call_reasons(caller: Caller, *, prediction_id: int, n_like: int = 5) -> CallReasons:
    """What stands behind a call, beside the maps.

    Args:
        caller: An administrator or annotator.
        prediction_id: Row of the prediction.
        n_like: How many labelled cases that look alike, at most.

    Raises:
        Blinding: The prediction is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction, or the manifest of its model's snapshot is missing or damaged.
    """
    with caller.store.reading() as session:
        prediction, image = _prediction_and_image(session, caller.actor, prediction_id)
        checkpoint = session.get_one(Checkpoint, prediction.checkpoint_id)
        job = _newest_job(session, prediction_id)
        like, why_not = _like(caller.store, session, prediction, image, n_like)
        reasons = CallReasons(
            prediction_id,
            calibration_band(checkpoint.card, "3ch", prediction.prob_hsil_3ch),
            calibration_band(checkpoint.card, "4ch", prediction.prob_hsil_4ch),
            like,
            why_not,
            _what_ifs(session, caller.actor, prediction),
            job_id=job.id if job is not None and not job.state.is_over else None,
            failure=(job.error or "") if job is not None and job.state is JobState.FAILED else "",
        )
        case_id = image.case_id
    shown = [(case.case_id, kind) for case in like for kind in (ExposureKind.LABEL, ExposureKind.HISTOLOGY)]
    exposures.note(caller, [(case_id, ExposureKind.PREDICTION), *shown])
    return reasons


@allowed(CLINICIANS)
def start_what_ifs(caller: Caller, *, prediction_id: int) -> JobRecord:
    """Ask a prediction's model what it would say with another mask, or with the findings covered.

    The masks are those that the caller may see now; what was worked out before is replaced.

    Raises:
        Blinding: The prediction is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction.
        Conflict: It is being worked out already.
    """
    with caller.store.writing() as session:
        prediction, image = _prediction_and_image(session, caller.actor, prediction_id)
        newest = _newest_job(session, prediction_id)
        if newest is not None and not newest.state.is_over:
            raise Conflict(f"This is being worked out already, as job {newest.id}.")
        settings = ExplanationSettings(prediction.id, _changes(session, caller.actor, image.id))
        job = jobs.add_job(session, caller.actor, JobKind.EXPLAIN, settings)
        exposures.note_within(session, caller.actor, [(image.case_id, ExposureKind.PREDICTION)])
        audit.record(session, caller.actor, "ask what if", f"job {job.id}", prediction=prediction.id)
    return jobs.place_job(caller.store, job.id)


def calibration_band(card: Mapping[str, Any], channels: str, prob: float) -> ReliabilityBin | None:
    """The bin of a model card's calibration curve, by image, that a probability falls into; None where there is none.

    Args:
        card: The model card.
        channels: `3ch` or `4ch`.
        prob: Probability of HSIL, 0 to 1.
    """
    block = card.get("metrics", {}).get(f"classification_{channels}", {}).get("image") or {}
    bins = block.get("reliability") or ()
    inside = [bar for bar in bins if bar["low"] <= prob and (prob < bar["high"] or bar["high"] >= 1)]
    if not inside:
        return None
    bar = inside[0]
    return ReliabilityBin(bar["low"], bar["high"], bar["mean_prob"], Proportion(**bar["observed"]))


def _prediction_and_image(session: Session, actor: Actor, prediction_id: int) -> tuple[Prediction, Image]:
    query = select(Prediction, Image).join(Image, Image.id == Prediction.image_id).where(Prediction.id == prediction_id)
    prediction, image = find_one(session, query, prediction_id)
    require_prediction_visible(session, actor, image.id)
    return prediction, image


def _newest_job(session: Session, prediction_id: int) -> Job | None:
    mine = (Job.kind == JobKind.EXPLAIN, Job.settings["prediction_id"].as_integer() == prediction_id)
    return session.scalar(select(Job).where(*mine).order_by(Job.id.desc()).limit(1))


def _like(
    store: Store, session: Session, prediction: Prediction, image: Image, n_like: int
) -> tuple[tuple[LikeCase, ...], str]:
    mine = session.get(PredictionFeatures, prediction.id)
    if mine is None:
        return (), _NO_FEATURES
    patient_id = session.get_one(Case, image.case_id).patient_id
    ids, stack = _stack(store, session, prediction.checkpoint_id)
    alike = likeness(unpack_features([mine.features])[0], stack)
    key = (str(store.settings.data_dir), prediction.checkpoint_id, *images_state(session))
    learned = _LEARNED.find(key, lambda: patients_met(store, session, prediction.checkpoint_id))
    like_cases: dict[int, LikeCase] = {}
    order = np.argsort(-alike, kind="stable")
    for start in range(0, len(order), _ASKED_AT_ONCE):
        places = order[start : start + _ASKED_AT_ONCE]
        rows = _labelled(session, [int(ids[index]) for index in places], patient_id)
        for index in places:
            row = rows.get(int(ids[index]))
            if row is not None and row.case_id not in like_cases:
                like_cases[row.case_id] = LikeCase(
                    row.case_id, row.image_id, row.code, float(alike[index]), row.label, row.grade,
                    was_learned=row.patient_id in learned, simulated=row.simulated,
                )  # fmt: skip
            if len(like_cases) == n_like:
                return tuple(like_cases.values()), ""
    return tuple(like_cases.values()), "" if like_cases else _NO_LABELS


def _labelled(session: Session, prediction_ids: list[int], patient_id: int) -> dict[int, Any]:
    """By prediction, the case behind it, where histology has labelled it and it is another patient's."""
    query = (
        select(
            Prediction.id, Image.id.label("image_id"), Image.case_id, Case.patient_id, Patient.code, CaseLabel.label,
            CaseLabel.grade, Image.simulated,
        )
        .join(Image, Image.id == Prediction.image_id)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .join(CaseLabel, CaseLabel.case_id == Case.id)
        .where(
            among(Prediction.id, prediction_ids),
            CaseLabel.source == LabelSource.HISTOLOGY,
            CaseLabel.label.is_not(None),
            Case.patient_id != patient_id,
        )
    )  # fmt: skip
    return {row.id: row for row in session.execute(query)}


def _stack(store: Store, session: Session, checkpoint_id: int) -> _Stack:
    """The newest predictions of a checkpoint and their features; what is added since is read anew."""
    mine = select(PredictionFeatures.prediction_id, PredictionFeatures.features).join(
        Prediction, Prediction.id == PredictionFeatures.prediction_id
    )
    mine = mine.where(Prediction.checkpoint_id == checkpoint_id)
    newest, count = session.execute(
        select(func.max(Prediction.id), func.count()).where(Prediction.checkpoint_id == checkpoint_id)
    ).one()

    def read() -> _Stack:
        rows = session.execute(mine.order_by(Prediction.id.desc()).limit(_MOST_COMPARED)).all()
        return np.array([row[0] for row in rows], np.int64), unpack_features([row[1] for row in rows])

    return _STACKS.find((str(store.settings.data_dir), checkpoint_id, newest or 0, count), read)


def _changes(session: Session, actor: Actor, image_id: int) -> tuple[ImageChange, ...]:
    """What is tried: the channel emptied, each visible outline of acetowhite in it, and each finding covered."""
    by_finding = {
        finding: visible_masks(session, actor, finding=finding, image_id=image_id).get(image_id, ())
        for finding in COVERED_FINDINGS
    }
    changes = [ImageChange(Change.MASK_EMPTIED, None, None)]
    acetowhite = by_finding[Finding.ACETOWHITE]
    changes.extend(ImageChange(Change.MASK_OF_EXPERT, Finding.ACETOWHITE, mask.version_id) for mask in acetowhite)
    changes.append(ImageChange(Change.COVERED, Finding.ACETOWHITE, None))
    for finding, masks in by_finding.items():
        changes.extend(ImageChange(Change.COVERED, finding, mask.version_id) for mask in masks)
    return tuple(changes)


def _what_ifs(session: Session, actor: Actor, prediction: Prediction) -> tuple[WhatIfRecord, ...]:
    """What was worked out, without what rests on masks that the actor may not see."""
    author = aliased(Person)
    query = (
        select(WhatIf, author.display_name, author.id)
        .outerjoin(AnnotationVersion, AnnotationVersion.id == WhatIf.version_id)
        .outerjoin(Annotation, Annotation.id == AnnotationVersion.annotation_id)
        .outerjoin(author, author.id == Annotation.annotator_id)
        .where(WhatIf.prediction_id == prediction.id)
        .order_by(WhatIf.id)
    )
    hidden = {
        finding: hidden_annotators(session, actor, image_id=prediction.image_id, finding=finding)
        for finding in COVERED_FINDINGS
    }
    return tuple(
        WhatIfRecord(
            row.change, row.finding, name or "", person_id, row.prob_hsil_3ch, row.prob_hsil_4ch, row.created_at
        )
        for row, name, person_id in session.execute(query)
        if row.finding is None or person_id not in hidden[row.finding]
    )
