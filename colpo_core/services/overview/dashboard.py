"""The cohort in figures, and how the clinic's current model agrees with the labels.

Everything is counted by the database, but for the agreement, which needs to know whom the model has met.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from colpo_core.errors import ColpoError
from colpo_core.evaluation.calls import call_figures
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.overview.worklist import Acquaintance, Dashboard, ModelAgreement, ModelFigures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.models.registry import current_checkpoint
from colpo_core.services.overview.figures_cache import cached_figures
from colpo_core.services.review.desk import agreement
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.store.facts import is_called_hsil, needs_annotation
from colpo_core.store.tables import Annotation, Case, CaseLabel, Image, Prediction
from colpo_core.terms import AnnotationState, Grade, Label, LabelSource, Stage

Word = TypeVar("Word")


@allowed(CLINICIANS)
def dashboard(caller: Caller, *, include_simulated: bool = True) -> Dashboard:
    """The cohort in figures.

    Args:
        caller: Who asks.
        include_simulated: Whether cases that the program drew are counted.
    """
    real = true() if include_simulated else Case.simulated.is_(False)
    checkpoint = current_checkpoint(caller.store)
    problem, agreed = "", None
    with caller.store.reading() as session:
        if checkpoint is not None:
            try:
                agreed = cached_figures(
                    caller.store, session, "agreement", (include_simulated,),
                    lambda: _agreement(caller, checkpoint, real),
                )  # fmt: skip
            except ColpoError as error:
                problem = str(error)  # the cohort can be shown all the same; the page says what is missing
        counted = cached_figures(
            caller.store, session, "dashboard", (include_simulated,), lambda: _counted(session, real, include_simulated)
        )
    return replace(counted, agreement=agreed, problem=problem)


def _counted(session: Session, real: ColumnElement[bool], include_simulated: bool) -> Dashboard:
    """The cohort, without the model."""
    histology, impression = (CaseLabel.source == source for source in LabelSource)
    return Dashboard(
        includes_simulated=include_simulated,
        patients=session.scalar(select(func.count(Case.patient_id.distinct())).where(real)) or 0,
        cases=session.scalar(select(func.count(Case.id)).where(real)) or 0,
        images=session.scalar(select(func.count(Image.id)).join(Case).where(real)) or 0,
        simulated_cases=session.scalar(select(func.count(Case.id)).where(Case.simulated.is_(True), real)) or 0,
        grades=_counts(session, CaseLabel.grade, (*Grade, None), histology, real),
        labels=_counts(session, CaseLabel.label, (*Label, None), histology, real),
        impressions=_counts(session, CaseLabel.label, (*Label, None), impression, real),
        exclusions=_exclusions(session, histology, real),
        stages=_counts(session, Image.stage, Stage, real),
        not_cervix=session.scalar(select(func.count(Image.id)).join(Case).where(Image.shows_cervix.is_(False), real))
        or 0,
        annotation_states=_counts(session, Annotation.state, AnnotationState, real),
        unannotated=session.scalar(select(func.count(Image.id)).join(Case).where(needs_annotation(), real)) or 0,
        agreement=None,
    )


@dataclass(frozen=True)
class _JudgedCase:
    """A case with a label and what the current model says of it."""

    patient_id: int
    label: Label
    calls: dict[int, Label]


def _agreement(caller: Caller, checkpoint: CheckpointRecord, real: ColumnElement[bool]) -> ModelAgreement:
    with caller.store.reading() as session:
        met = patients_met(caller.store, session, checkpoint.id)
        compared_with = LabelSource.HISTOLOGY
        judged = _judged_cases(session, checkpoint.id, compared_with, real)
        if not judged and checkpoint.label_source is LabelSource.IMPRESSION:
            compared_with = LabelSource.IMPRESSION
            judged = _judged_cases(session, checkpoint.id, compared_with, real)
        predicted = session.scalar(
            select(func.count(Case.id.distinct()))
            .join(Image, Image.case_id == Case.id)
            .join(Prediction, Prediction.image_id == Image.id)
            .where(Prediction.checkpoint_id == checkpoint.id, real)
        )
    seen = [case for case in judged if case.patient_id in met]
    unseen = [case for case in judged if case.patient_id not in met]
    return ModelAgreement(
        checkpoint_name=checkpoint.name,
        trained_on=checkpoint.label_source,
        compared_with=compared_with,
        trained_on_simulated=checkpoint.simulated,
        rows=(*_figures(Acquaintance.UNSEEN, unseen), *_figures(Acquaintance.SEEN, seen)),
        n_cases_predicted=predicted or 0,
        reviews=agreement(caller, checkpoint_id=checkpoint.id),
        marks=checkpoint.marks,
    )


def _judged_cases(
    session: Session, checkpoint_id: int, source: LabelSource, real: ColumnElement[bool]
) -> list[_JudgedCase]:
    """Labelled cases with the mean probability over their acetic-acid images, called at the frozen thresholds."""
    rows = session.execute(
        select(
            Case.patient_id,
            CaseLabel.label,
            is_called_hsil(func.avg(Prediction.prob_hsil_3ch), func.max(Prediction.threshold_3ch)),
            is_called_hsil(func.avg(Prediction.prob_hsil_4ch), func.max(Prediction.threshold_4ch)),
        )
        .join(Image, Image.case_id == Case.id)
        .join(Prediction, Prediction.image_id == Image.id)
        .join(CaseLabel, CaseLabel.case_id == Case.id)
        .where(
            Prediction.checkpoint_id == checkpoint_id,
            Image.is_readable,
            CaseLabel.source == source,
            CaseLabel.label.is_not(None),
            real,
        )
        .group_by(Case.id, CaseLabel.id)
        .order_by(Case.id)
    )
    return [
        _JudgedCase(patient_id, label, {3: _call(is_hsil_3ch), 4: _call(is_hsil_4ch)})
        for patient_id, label, is_hsil_3ch, is_hsil_4ch in rows
        if label is not None
    ]


def _call(is_hsil: bool) -> Label:
    return Label.HSIL if is_hsil else Label.NORMAL


def _figures(acquaintance: Acquaintance, cases: list[_JudgedCase]) -> Iterable[ModelFigures]:
    truth = [case.label for case in cases]
    n_patients = len({case.patient_id for case in cases})
    for channels in (3, 4):
        figures = call_figures(truth, [case.calls[channels] for case in cases])
        yield ModelFigures(acquaintance, channels, len(cases), n_patients, figures)


def _counts(
    session: Session, column: InstrumentedAttribute[Word], words: Iterable[Word], *where: ColumnElement[bool]
) -> tuple[tuple[Word, int], ...]:
    """How many rows of a table that belongs to cases hold each word, in the order of the words."""
    table = column.class_
    rows = select(column, func.count(table.id)).select_from(table)
    rows = rows.join(Image).join(Case) if table is Annotation else rows.join(Case)
    counts = dict(session.execute(rows.where(*where).group_by(column)).all())
    return tuple((word, counts.get(word, 0)) for word in words)


def _exclusions(
    session: Session, histology: ColumnElement[bool], real: ColumnElement[bool]
) -> tuple[tuple[str, int], ...]:
    rows = session.execute(
        select(CaseLabel.reason, func.count())
        .join(Case)
        .where(histology, CaseLabel.label.is_(None), real)
        .group_by(CaseLabel.reason)
        .order_by(func.count().desc(), CaseLabel.reason)
        .limit(20)
    )
    return tuple((reason, count) for reason, count in rows.all())
