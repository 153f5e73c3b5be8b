"""The cohort over time, and the current model on it. Counted by the database, and kept until something changes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Executable, case, func, select, true
from sqlalchemy.orm import Session

from colpo_core.evaluation.calibration import reliability
from colpo_core.evaluation.drift import score_drift
from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.roc import auc_estimate, roc_points
from colpo_core.records.overview.cohort import (
    AgreementSpread,
    AnnotatorProgress,
    AreaSpread,
    Drift,
    MonthCount,
    QueueState,
    ReviewerRate,
    UnseenFigures,
)
from colpo_core.services.cases import lowest_agreement
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs import leases
from colpo_core.services.overview.figures_cache import cached_figures
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.dialects import month_of
from colpo_core.store.tables import (
    Annotation,
    AnnotationTask,
    AnnotationVersion,
    Case,
    CaseAgreement,
    CaseReviewer,
    CaseSummary,
    Checkpoint,
    Image,
    ImageFigures,
    Job,
    Person,
    Prediction,
    Snapshot,
    TaskItem,
)
from colpo_core.terms import Finding, Grade, Label, Split, TaskItemState, Verdict

MOST_JUDGED = 2_000
_RESAMPLES = 300
_QUARTERS = (0, 0.25, 0.5, 0.75, 1)
_DRIFTING = {
    "Probability of HSIL, 4 channels": Prediction.prob_hsil_4ch,
    "Probability of HSIL, 3 channels": Prediction.prob_hsil_3ch,
    "Acetowhite share of the image": Prediction.acetowhite_fraction,
    "Entropy of the mask": Prediction.mask_entropy,
    "Brightness of the image": ImageFigures.brightness,
    "Contrast of the image": ImageFigures.contrast,
    "Saturation of the image": ImageFigures.saturation,
    "Sharpness of the image": ImageFigures.sharpness,
}


@allowed(CLINICIANS)
def recruitment(caller: Caller, *, include_simulated: bool = True) -> tuple[MonthCount, ...]:
    """Cases by month, grade and label, the oldest month first."""
    month = month_of(CaseSummary.examined_on)
    query = (
        select(month, CaseSummary.grade, CaseSummary.label, func.count())
        .where(_real(include_simulated))
        .group_by(month, CaseSummary.grade, CaseSummary.label)
        .order_by(month)
    )
    with caller.store.reading() as session:
        return cached_figures(
            caller.store, session, "recruitment", (include_simulated,),
            lambda: tuple(MonthCount(*row) for row in _rows(session, query)),
        )  # fmt: skip


@allowed(CLINICIANS)
def area_by_grade(caller: Caller, *, include_simulated: bool = True) -> tuple[AreaSpread, ...]:
    """How much of the image the current model marks, by grade from the lowest; cases without a grade last."""
    with caller.store.reading() as session:
        return cached_figures(
            caller.store, session, "areas", (include_simulated,), lambda: _areas(session, _real(include_simulated))
        )


@allowed(CLINICIANS)
def reviewer_rates(caller: Caller) -> tuple[ReviewerRate, ...]:
    """How often each reviewer overruled the current model, case by case, by name."""
    counts = [func.sum(case((CaseReviewer.verdict == verdict, 1), else_=0)) for verdict in Verdict]
    query = (
        select(Person.id, Person.display_name, *counts)
        .join(CaseReviewer, CaseReviewer.reviewer_id == Person.id)
        .group_by(Person.id)
        .order_by(func.lower(Person.display_name), Person.id)
    )
    with caller.store.reading() as session:
        rows = cached_figures(caller.store, session, "reviewers", (), lambda: list(_rows(session, query)))
    rates = []
    for person_id, name, *numbers in rows:
        n_of = dict(zip(Verdict, numbers, strict=True))
        rate = exact_share(n_of[Verdict.OVERRULE], n_of[Verdict.OVERRULE] + n_of[Verdict.AGREE])
        rates.append(ReviewerRate(person_id, name, rate, n_of[Verdict.UNSURE]))
    return tuple(rates)


@allowed(CLINICIANS)
def unseen_figures(caller: Caller, *, include_simulated: bool = True) -> tuple[UnseenFigures, ...]:
    """ROC curve and calibration of the current model's networks on labelled cases that it has not met, by histology.

    Of very many cases the newest 2,000 are taken.

    Args:
        caller: Who asks.
        include_simulated: Whether cases that the program drew take part.

    Returns:
        One for each network; none before a model is promoted.

    Raises:
        NotFound: The manifest of the model's snapshot is missing or damaged.
    """
    with caller.store.reading() as session:
        checkpoint_id = current_id(session)
        if checkpoint_id is None:
            return ()
        return cached_figures(
            caller.store, session, "unseen", (include_simulated,),
            lambda: _unseen(caller.store, session, checkpoint_id, include_simulated),
        )  # fmt: skip


@allowed(CLINICIANS)
def model_drift(caller: Caller) -> tuple[Drift, ...]:
    """Whether the current model's figures on cases since its training have moved from those on its test side.

    Returns:
        One for each figure; none before a model is promoted.

    Raises:
        NotFound: The manifest of the model's snapshot is missing or damaged.
    """
    with caller.store.reading() as session:
        snapshot = _current_snapshot(session)
        if snapshot is None:
            return ()
        return cached_figures(caller.store, session, "drift", (), lambda: _drift(caller.store, session, *snapshot))


@allowed(CLINICIANS)
def annotator_progress(caller: Caller) -> tuple[AnnotatorProgress, ...]:
    """How far each annotator of acetowhite epithelium is, by name, and how long she paints an image.

    The time is that of all versions of an annotation together, while the person was at work on it.
    """
    with caller.store.reading() as session:
        return cached_figures(caller.store, session, "annotators", (), lambda: _progress(session))


@allowed(CLINICIANS)
def agreement_spread(caller: Caller) -> AgreementSpread:
    """How annotators agree on acetowhite epithelium, case by case; without cases that the caller paints blind.

    Of the cases whose masks were compared: a list of cases by disagreement compares those that have changed, here they
    are counted.
    """
    query = select(CaseAgreement.lowest_dice).where(
        CaseAgreement.lowest_dice.is_not(None),
        CaseAgreement.case_id.not_in(lowest_agreement.cases_annotated_blind(caller.actor)),
    )
    with caller.store.reading() as session:
        lowest = [dice for dice in session.scalars(query) if dice is not None]
        n_uncompared = lowest_agreement.count_uncompared(session)
    if not lowest:
        return AgreementSpread(0, n_uncompared, None, None, None)
    return AgreementSpread(len(lowest), n_uncompared, *np.quantile(lowest, (0.25, 0.5, 0.75)).tolist())


@allowed(CLINICIANS)
def queue_state(caller: Caller) -> QueueState:
    """How many jobs are in which state."""
    with caller.store.reading() as session:
        counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        now = leases.database_now(session)
        running = session.scalars(select(Job).where(Job.state == "running")).all()
        return QueueState(counts, sum(not leases.is_held(job, now) for job in running))


def _rows(session: Session, query: Executable) -> Iterator[Any]:
    """Rows whose kinds are too many for the types to follow."""
    yield from session.execute(query)


def _real(include_simulated: bool) -> ColumnElement[bool]:
    return true() if include_simulated else CaseSummary.simulated.is_(False)


def _areas(session: Session, real: ColumnElement[bool]) -> tuple[AreaSpread, ...]:
    areas = (
        select(CaseSummary.grade, func.avg(Prediction.acetowhite_fraction).label("area"))
        .join(Image, Image.case_id == CaseSummary.case_id)
        .join(Prediction, Prediction.image_id == Image.id)
        .where(Prediction.checkpoint_id == current_id(session), Image.is_readable, real)
        .group_by(CaseSummary.case_id)
    )
    by_grade: dict[Grade | None, list[float]] = {}
    for grade, area in _rows(session, areas):
        by_grade.setdefault(grade, []).append(area)
    return tuple(
        AreaSpread(grade, len(by_grade[grade]), *np.quantile(by_grade[grade], _QUARTERS).tolist())
        for grade in (*Grade, None)
        if grade in by_grade
    )


def _current_snapshot(session: Session) -> tuple[str, datetime] | None:
    """Hash of what the current model has learned from, and when that was frozen."""
    row = session.execute(
        select(Snapshot.sha256, Snapshot.created_at)
        .join(Checkpoint, Checkpoint.snapshot_id == Snapshot.id)
        .where(Checkpoint.id == current_id(session))
    ).one_or_none()
    return None if row is None else (row.sha256, row.created_at)


def _unseen(store: Store, session: Session, checkpoint_id: int, include_simulated: bool) -> tuple[UnseenFigures, ...]:
    met = patients_met(store, session, checkpoint_id)
    rows = session.execute(
        select(
            Case.patient_id, CaseSummary.case_id, CaseSummary.label, CaseSummary.prob_hsil_3ch,
            CaseSummary.prob_hsil_4ch,
        )
        .join(Case, Case.id == CaseSummary.case_id)
        .where(CaseSummary.label.is_not(None), CaseSummary.prob_hsil_4ch.is_not(None), _real(include_simulated))
        .order_by(CaseSummary.created_at.desc(), CaseSummary.case_id.desc())
    ).all()  # fmt: skip
    unseen = [row for row in rows if row.patient_id not in met]
    taken = unseen[:MOST_JUDGED]
    return tuple(_unseen_network(channels, taken, len(unseen)) for channels in (4, 3))


def _unseen_network(channels: int, rows: list[Any], n_all: int) -> UnseenFigures:
    judged = [
        Judged(row.patient_id, row.case_id, Label(row.label), row.prob_hsil_4ch if channels == 4 else row.prob_hsil_3ch)
        for row in rows
    ]
    truth, probs = [row.label for row in judged], [row.prob_hsil for row in judged]
    patients = [row.patient_id for row in judged]
    return UnseenFigures(
        channels=channels,
        n_cases=len(judged),
        n_all=n_all,
        auc=auc_estimate(truth, probs, patients),
        roc=roc_points(truth, probs),
        reliability=reliability(judged),
    )


def _drift(store: Store, session: Session, snapshot_sha256: str, frozen_at: datetime) -> tuple[Drift, ...]:
    judged_on = {item.image_id for item in read_manifest(store, snapshot_sha256).items if item.split is Split.TEST}
    query = (
        select(Image.id, Image.created_at, *_DRIFTING.values())
        .join(Prediction, Prediction.image_id == Image.id)
        .outerjoin(ImageFigures, ImageFigures.image_id == Image.id)
        .where(Prediction.checkpoint_id == current_id(session), Image.is_readable)
    )
    before: list[tuple[float | None, ...]] = []
    since: list[tuple[float | None, ...]] = []
    for image_id, created_at, *values in _rows(session, query):
        if image_id in judged_on:
            before.append(tuple(values))
        elif created_at > frozen_at:
            since.append(tuple(values))
    return tuple(score_drift(name, _known(before, index), _known(since, index)) for index, name in enumerate(_DRIFTING))


def _progress(session: Session) -> tuple[AnnotatorProgress, ...]:
    taken = (
        select(Annotation.annotator_id, Annotation.id, func.sum(AnnotationVersion.active_ms))
        .join(AnnotationVersion, AnnotationVersion.annotation_id == Annotation.id)
        .where(Annotation.finding == Finding.ACETOWHITE)
        .group_by(Annotation.id)
    )
    times: dict[int, list[int | None]] = {}
    for annotator_id, _, active_ms in _rows(session, taken):
        times.setdefault(annotator_id, []).append(active_ms)
    waits = (
        select(TaskItem.annotator_id, func.count())
        .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
        .where(TaskItem.state == TaskItemState.WAITING, AnnotationTask.closed_at.is_(None))
        .group_by(TaskItem.annotator_id)
    )
    waiting = dict(map(tuple, _rows(session, waits)))
    people = select(Person.id, Person.display_name).where(Person.id.in_({*times, *waiting}))
    progress = []
    for person_id, name in session.execute(people.order_by(func.lower(Person.display_name), Person.id)):
        timed = [active_ms / 1000 for active_ms in times.get(person_id, []) if active_ms]
        median = float(np.median(timed)) if timed else None
        n_images = len(times.get(person_id, []))
        progress.append(AnnotatorProgress(person_id, name, n_images, waiting.get(person_id, 0), median, len(timed)))
    return tuple(progress)


def _known(rows: list[tuple[float | None, ...]], index: int) -> list[float]:
    return [row[index] for row in rows if row[index] is not None]  # type: ignore[misc]
