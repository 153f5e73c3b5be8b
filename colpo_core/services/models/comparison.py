"""Two models on the same cases, of patients that neither has met: what changed, and which cases flipped."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.paired import compare_arms
from colpo_core.records.statistics.comparisons import FlippedCase, ModelComparison
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import images_without_model
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.models.registry import read_checkpoint
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.store.tables import Case, CaseLabel, Image, Patient, Prediction
from colpo_core.terms import ExposureKind, Label, LabelSource


@dataclass(frozen=True)
class _Row:
    """A labelled case with what both models say of it; None where one has not predicted it."""

    judged: Judged
    patient_code: str
    first: float | None
    second: float | None


@allowed(CLINICIANS)
def compare_models(caller: Caller, *, first_id: int, second_id: int, channels: int = 4) -> ModelComparison:
    """Hold two models against each other, case by case, by histology.

    Args:
        caller: Who asks.
        first_id: Row of the one checkpoint, such as the older.
        second_id: Row of the other.
        channels: Which of their networks, 3 or 4.

    Raises:
        InputRejected: Both are one, or there is no network of so many channels.
        NotFound: There is no such checkpoint, or the manifest of a snapshot is missing or damaged.
    """
    if first_id == second_id:
        raise InputRejected("Choose two models to compare.")
    if channels not in (3, 4):
        raise InputRejected("A model has a network of 3 channels and one of 4.")
    both = [read_checkpoint(caller.store, row_id) for row_id in (first_id, second_id)]
    with caller.store.reading() as session:
        met = patients_met(caller.store, session, first_id, second_id)
        rows = _rows(session, first_id, second_id, channels)
        thresholds = [_threshold(session, row_id, channels) for row_id in (first_id, second_id)]
        hidden = set(session.scalars(select(Image.case_id).where(Image.id.in_(images_without_model(caller.actor)))))
    unseen = [row for row in rows if row.judged.patient_id not in met]
    shared = [row for row in unseen if row.first is not None and row.second is not None]
    flips = tuple(flip for flip in _flips(shared, thresholds) if flip.case_id not in hidden)
    seen = (ExposureKind.LABEL, ExposureKind.PREDICTION)
    exposures.note(caller, [(flip.case_id, kind) for flip in flips for kind in seen])
    return ModelComparison(
        first=both[0].name,
        second=both[1].name,
        channels=channels,
        difference=compare_arms(
            [_judged(shared, is_second=False)],
            [_judged(shared, is_second=True)],
            thresholds_first=thresholds[:1],
            thresholds_second=thresholds[1:],
        )
        if shared
        else None,
        n_met=len(rows) - len(unseen),
        n_missing_first=sum(row.first is None for row in unseen),
        n_missing_second=sum(row.second is None for row in unseen),
        flips=flips,
        scores=tuple((row.judged.label, row.first or 0.0, row.second or 0.0) for row in shared),
    )


def _rows(session: Session, first_id: int, second_id: int, channels: int) -> list[_Row]:
    """Every labelled case that one of the two has predicted."""
    prob = Prediction.prob_hsil_3ch if channels == 3 else Prediction.prob_hsil_4ch
    means = [func.avg(prob).filter(Prediction.checkpoint_id == row_id) for row_id in (first_id, second_id)]
    rows: Any = session.execute(
        select(Case.id, Case.patient_id, Patient.code, CaseLabel.label, *means)
        .join(Patient, Patient.id == Case.patient_id)
        .join(CaseLabel, CaseLabel.case_id == Case.id)
        .join(Image, Image.case_id == Case.id)
        .join(Prediction, Prediction.image_id == Image.id)
        .where(
            CaseLabel.source == LabelSource.HISTOLOGY,
            CaseLabel.label.is_not(None),
            Image.is_readable,
            Prediction.checkpoint_id.in_((first_id, second_id)),
        )
        .group_by(Case.id, Patient.id, CaseLabel.id)
        .order_by(Case.id)
    )
    return [
        _Row(Judged(patient_id, case_id, Label(label), 0.0), code, first, second)
        for case_id, patient_id, code, label, first, second in rows
    ]


def _threshold(session: Session, checkpoint_id: int, channels: int) -> float:
    """The threshold that was frozen with the model, as its predictions keep it."""
    column = Prediction.threshold_3ch if channels == 3 else Prediction.threshold_4ch
    threshold = session.scalar(select(column).where(Prediction.checkpoint_id == checkpoint_id).limit(1))
    return 0.5 if threshold is None else threshold


def _judged(rows: list[_Row], *, is_second: bool) -> list[Judged]:
    return [
        Judged(
            row.judged.patient_id, row.judged.case_id, row.judged.label, (row.second if is_second else row.first) or 0.0
        )
        for row in rows
    ]


def _flips(rows: list[_Row], thresholds: list[float]) -> list[FlippedCase]:
    flips = []
    for row in rows:
        first, second = row.first or 0.0, row.second or 0.0
        calls = Label.called(first, threshold=thresholds[0]), Label.called(second, threshold=thresholds[1])
        if calls[0] is not calls[1]:
            flips.append(
                FlippedCase(
                    row.judged.case_id, row.patient_code, row.judged.label, first, second, calls[1] is row.judged.label
                )
            )
    return flips
