"""Keeping the summaries of cases true: what a transaction changes of a case is summed up anew before it commits.

Lists of a hundred thousand cases are filtered and sorted by what lies in ten tables: labels, annotations, predictions
of the current model, verdicts. One narrow row a case makes each of these a walk along one index.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    Subquery,
    bindparam,
    case,
    delete,
    distinct,
    event,
    exists,
    func,
    insert,
    inspect,
    literal,
    null,
    select,
)
from sqlalchemy import Date as SqlDate
from sqlalchemy.orm import Session, UOWTransaction, aliased

from colpo_core.store.facts import current_checkpoint_id, is_called_hsil, needs_annotation
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    CaseAgreement,
    CaseLabel,
    CaseReviewer,
    CaseSummary,
    Image,
    Patient,
    Prediction,
    Promotion,
    Review,
)
from colpo_core.terms import AnnotationState, Finding, Label, LabelSource, Outcome, ReviewState, Verdict

Ids = BindParameter[Any] | None
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
_AT_ONCE = 5_000
_IDS = "case_ids"
_GRAVITY = {Verdict.AGREE: 1, Verdict.UNSURE: 2, Verdict.OVERRULE: 3}


class Touched:
    """What a session has changed: rows of cases by the table that names them."""

    def __init__(self) -> None:
        self.everything = False
        self.cases: set[int] = set()
        self.patients: set[int] = set()
        self.images: set[int] = set()
        self.masks_of_images: set[int] = set()
        self.annotations: set[int] = set()
        self.predictions: set[int] = set()

    def add(self, row: object, *, is_new_or_gone: bool) -> None:
        """Take a row in that was written."""
        match row:
            case Case():
                self.cases.add(row.id)
            case CaseLabel():
                self.cases.add(row.case_id)
            case Image():
                self.cases.add(row.case_id)
            case Patient():
                self.patients.add(row.id)
            case Annotation() if is_new_or_gone or _has_changed(row, "state"):
                self.masks_of_images.add(row.image_id)
            case AnnotationVersion():
                self.annotations.add(row.annotation_id)
            case Prediction():
                self.images.add(row.image_id)
            case Review():
                self.predictions.add(row.prediction_id)
            case Promotion():
                self.everything = True
            case _:
                pass


class FollowedSession(Session):
    """A session that notes what it changes of cases."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(*arguments, **options)
        self.touched = Touched()


@event.listens_for(FollowedSession, "after_flush")
def _note(session: FollowedSession, _context: UOWTransaction) -> None:
    for row in session.dirty:
        if session.is_modified(row):
            session.touched.add(row, is_new_or_gone=False)
    for row in (*session.new, *session.deleted):
        session.touched.add(row, is_new_or_gone=True)


def settle(session: FollowedSession) -> None:
    """Sum up the cases that a session has changed, before it commits."""
    session.flush()
    touched = session.touched
    repainted = _cases_of_masks(session, touched)
    for ids in _portions(repainted):
        session.execute(delete(CaseAgreement).where(CaseAgreement.case_id.in_(ids)))
    if touched.everything:
        sum_up(session, None)
        return
    for ids in _portions(repainted | _cases_of(session, touched)):
        sum_up(session, ids)


def sum_up(session: Session, case_ids: Iterable[int] | None) -> None:
    """Write the summaries of some cases anew, or of all.

    Args:
        session: A writing session whose changes are flushed.
        case_ids: Rows of at most a few thousand cases; all of the store when None.
    """
    if case_ids is None:
        for table, query in ((CaseReviewer, _verdicts(None)), (CaseSummary, _summaries(None))):
            session.execute(delete(table))
            session.execute(insert(table).from_select([column.name for column in query.selected_columns], query))
        return
    ids = sorted(case_ids)
    for table, query in _queries_of_some():
        session.execute(delete(table).where(table.case_id.in_(ids)))
        rows = [dict(row) for row in session.execute(query, {_IDS: ids}).mappings()]
        if rows:
            session.execute(insert(table), rows)


def differing_summaries(session: Session) -> list[int]:
    """Rows of cases whose summary is not what counting anew gives, or is missing or left over."""
    differing: set[int] = set()
    for table, query in ((CaseReviewer, _verdicts(None)), (CaseSummary, _summaries(None))):
        names = [column.name for column in query.selected_columns]
        kept = select(*(table.__table__.c[name] for name in names))
        counted = _comparable(session, query, names)
        for key, values in _comparable(session, kept, names).items():
            if counted.pop(key, None) != values:
                differing.add(key[0])
        differing.update(key[0] for key in counted)
    return sorted(differing)


def _comparable(session: Session, query: Select[Any], names: list[str]) -> dict[tuple[int, ...], tuple[Any, ...]]:
    """Rows by their keys; numbers are rounded, since the order of a sum changes its last digits."""
    n_keys = 2 if "reviewer_id" in names else 1
    rows = {}
    for row in session.execute(query):
        values = tuple(round(value, 9) if isinstance(value, float) else str(value) for value in row)
        rows[tuple(row[:n_keys])] = values
    return rows


@cache
def _queries_of_some() -> tuple[tuple[type[CaseReviewer] | type[CaseSummary], Select[Any]], ...]:
    """What the summaries of some cases are made from, in turn; built once, since building takes longer than asking."""
    ids: BindParameter[Any] = bindparam(_IDS, expanding=True)
    return ((CaseReviewer, _verdicts(ids)), (CaseSummary, _summaries(ids)))


def lacks_summaries() -> Select[int]:
    """A case that has no summary, such as in a store that was just upgraded."""
    return select(Case.id).where(~exists().where(CaseSummary.case_id == Case.id)).limit(1)


def _has_changed(row: object, name: str) -> bool:
    return bool(inspect(row).attrs[name].history.has_changes())


def _portions(case_ids: set[int]) -> Iterator[list[int]]:
    ordered = sorted(case_ids)
    for first in range(0, len(ordered), _AT_ONCE):
        yield ordered[first : first + _AT_ONCE]


def _cases_of_masks(session: Session, touched: Touched) -> set[int]:
    of_images = select(Image.case_id)
    of_annotations = of_images.join(Annotation, Annotation.image_id == Image.id)
    return {
        *_ids(session, of_images, Image.id, touched.masks_of_images),
        *_ids(session, of_annotations, Annotation.id, touched.annotations),
    }


def _cases_of(session: Session, touched: Touched) -> set[int]:
    of_images = select(Image.case_id)
    of_predictions = of_images.join(Prediction, Prediction.image_id == Image.id)
    return {
        *touched.cases,
        *_ids(session, select(Case.id), Case.patient_id, touched.patients),
        *_ids(session, of_images, Image.id, touched.images),
        *_ids(session, of_predictions, Prediction.id, touched.predictions),
    }


def _ids(session: Session, query: Select[int], column: SQLColumnExpression[int], rows: set[int]) -> set[int]:
    case_ids: set[int] = set()
    for portion in _portions(rows):
        case_ids.update(session.scalars(query.where(column.in_(portion))))
    return case_ids


def _only(query: Query, column: SQLColumnExpression[int], ids: Ids) -> Query:
    return query if ids is None else query.where(column.in_(ids))


def _verdicts(ids: Ids) -> Select[Any]:
    """Each reviewer's newest verdict on each prediction of the current model, the gravest of a case."""
    later = aliased(Review)
    is_newest = ~exists().where(
        later.prediction_id == Review.prediction_id, later.reviewer_id == Review.reviewer_id, later.id > Review.id
    )
    query = (
        select(Image.case_id, Review.reviewer_id, func.max(_gravity(Review.verdict)).label("gravity"))
        .join(Prediction, Prediction.id == Review.prediction_id)
        .join(Image, Image.id == Prediction.image_id)
        .where(Prediction.checkpoint_id == current_checkpoint_id(), is_newest)
        .group_by(Image.case_id, Review.reviewer_id)
    )
    gravest = _only(query, Image.case_id, ids).subquery()
    words = case({rank: word.value for word, rank in _GRAVITY.items()}, value=gravest.c.gravity)
    return select(gravest.c.case_id, gravest.c.reviewer_id, words.label("verdict"))


def _gravity(verdict: SQLColumnExpression[Any]) -> ColumnElement[int]:
    return case(_GRAVITY, value=verdict)


def _summaries(ids: Ids) -> Select[Any]:
    images, states, annotators = _images(ids), _states(ids), _annotators(ids)
    predictions, reviews = _predictions(ids), _reviews(ids)
    label = CaseLabel.label
    calls_3ch = is_called_hsil(predictions.c.prob_3ch, predictions.c.threshold_3ch)
    calls_4ch = is_called_hsil(predictions.c.prob_4ch, predictions.c.threshold_4ch)
    query = (
        select(
            Case.id.label("case_id"),
            Case.created_at,
            func.coalesce(Case.case_date, func.date(Case.created_at, type_=SqlDate)).label("examined_on"),
            func.lower(Patient.code).label("patient_key"),
            Case.device,
            Case.simulated,
            CaseLabel.grade,
            label,
            func.coalesce(CaseLabel.flagged, literal(value=False)).label("flagged"),
            func.coalesce(images.c.n, 0).label("n_images"),
            func.coalesce(images.c.n_waiting, 0).label("n_unannotated"),
            images.c.thumbnail.label("thumbnail_image_id"),
            (func.coalesce(images.c.n_waiting, 0) > 0).label("awaits_annotation"),
            *(
                (func.coalesce(states.c[state.value], 0) > 0).label(f"has_{state.value}")
                for state in AnnotationState
            ),
            func.coalesce(annotators.c.n, 0).label("n_annotators"),
            predictions.c.prob_3ch.label("prob_hsil_3ch"),
            predictions.c.prob_4ch.label("prob_hsil_4ch"),
            func.abs(predictions.c.prob_4ch - predictions.c.threshold_4ch).label("margin"),
            (calls_3ch != calls_4ch).label("networks_differ"),
            case(
                (predictions.c.prob_4ch.is_(None) | label.is_(None), null()),
                ((label == Label.HSIL) & calls_4ch, Outcome.TRUE_POSITIVE.value),
                ((label == Label.NORMAL) & calls_4ch, Outcome.FALSE_POSITIVE.value),
                (label == Label.HSIL, Outcome.FALSE_NEGATIVE.value),
                else_=Outcome.TRUE_NEGATIVE.value,
            ).label("outcome"),
            case(
                (reviews.c.gravity == _GRAVITY[Verdict.OVERRULE], ReviewState.OVERRULED.value),
                (reviews.c.gravity == _GRAVITY[Verdict.UNSURE], ReviewState.UNSURE.value),
                (reviews.c.gravity.is_not(None), ReviewState.AGREED.value),
                (predictions.c.prob_4ch.is_not(None), ReviewState.WAITING.value),
                else_=null(),
            ).label("review_state"),
        )
        .select_from(Case)
        .join(Patient, Patient.id == Case.patient_id)
        .outerjoin(CaseLabel, (CaseLabel.case_id == Case.id) & (CaseLabel.source == LabelSource.HISTOLOGY))
    )  # fmt: skip
    for part in (images, states, annotators, predictions, reviews):
        query = query.outerjoin(part, part.c.case_id == Case.id)
    return _only(query, Case.id, ids)


def _images(ids: Ids) -> Subquery:
    query = select(
        Image.case_id,
        func.count().label("n"),
        func.count().filter(needs_annotation()).label("n_waiting"),
        func.coalesce(func.min(Image.id).filter(Image.is_readable), func.min(Image.id)).label("thumbnail"),
    ).group_by(Image.case_id)
    return _only(query, Image.case_id, ids).subquery()


def _states(ids: Ids) -> Subquery:
    query = (
        select(
            Image.case_id,
            *(func.count().filter(Annotation.state == state).label(state.value) for state in AnnotationState),
        )
        .join(Annotation, Annotation.image_id == Image.id)
        .group_by(Image.case_id)
    )
    return _only(query, Image.case_id, ids).subquery()


def _annotators(ids: Ids) -> Subquery:
    query = (
        select(Image.case_id, func.count(distinct(Annotation.annotator_id)).label("n"))
        .join(Annotation, Annotation.image_id == Image.id)
        .where(
            Annotation.finding == Finding.ACETOWHITE,
            Annotation.state.not_in((AnnotationState.TO_CONFIRM, AnnotationState.REJECTED)),
            exists().where(AnnotationVersion.annotation_id == Annotation.id),
        )
        .group_by(Image.case_id, Image.id)
    )
    each: FromClause = _only(query, Image.case_id, ids).subquery()
    return select(each.c.case_id, func.max(each.c.n).label("n")).group_by(each.c.case_id).subquery()


def _predictions(ids: Ids) -> Subquery:
    query = (
        select(
            Image.case_id,
            func.avg(Prediction.prob_hsil_3ch).label("prob_3ch"),
            func.avg(Prediction.prob_hsil_4ch).label("prob_4ch"),
            func.max(Prediction.threshold_3ch).label("threshold_3ch"),
            func.max(Prediction.threshold_4ch).label("threshold_4ch"),
        )
        .join(Prediction, Prediction.image_id == Image.id)
        .where(Prediction.checkpoint_id == current_checkpoint_id(), Image.is_readable)
        .group_by(Image.case_id)
    )
    return _only(query, Image.case_id, ids).subquery()


def _reviews(ids: Ids) -> Subquery:
    gravity = func.max(_gravity(CaseReviewer.verdict))
    query = select(CaseReviewer.case_id, gravity.label("gravity")).group_by(CaseReviewer.case_id)
    return _only(query, CaseReviewer.case_id, ids).subquery()
