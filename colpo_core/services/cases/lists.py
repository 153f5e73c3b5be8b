"""Finding cases: filters, orders and pages over any number of them, by their summaries."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    exists,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from colpo_core.records.cases.lists import (
    MOST_FROM_HERE,
    MOST_SELECTED,
    AnnotationNeed,
    CaseFilter,
    CasePage,
    CasePlace,
    CaseRow,
    CaseSort,
    LabelChoice,
    ListChoices,
)
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.services.cases import lowest_agreement
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import images_without_model
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.model_marks import marks_of
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.dialects import without_index
from colpo_core.store.tables import (
    Annotation,
    Case,
    CaseAgreement,
    CaseLabel,
    CaseReviewer,
    CaseSummary,
    Image,
    Patient,
    Person,
)
from colpo_core.terms import AnnotationState, ExposureKind, Label, LabelSource

MAX_PAGE = 200
_COMMON = 2_000
_Column = SQLColumnExpression[Any]


class _Condition(NamedTuple):
    """What is asked of a column; the index of one that is to equal a value has the newest first."""

    column: _Column
    test: Callable[[_Column], ColumnElement[bool]]
    is_newest_first: bool = False


_AFTER_ANY_CODE = "\U0010ffff"
_FLAGS = {
    AnnotationNeed.NONE: CaseSummary.awaits_annotation,
    AnnotationNeed.DRAFT: CaseSummary.has_draft,
    AnnotationNeed.TO_CONFIRM: CaseSummary.has_to_confirm,
    AnnotationNeed.SUBMITTED: CaseSummary.has_submitted,
    AnnotationNeed.REJECTED: CaseSummary.has_rejected,
}
_ORDERS: Mapping[CaseSort, tuple[InstrumentedAttribute[Any], bool]] = {
    CaseSort.NEWEST: (CaseSummary.created_at, True),
    CaseSort.EXAMINED: (CaseSummary.examined_on, True),
    CaseSort.PROBABILITY: (CaseSummary.prob_hsil_4ch, True),
    CaseSort.UNCERTAINTY: (CaseSummary.margin, False),
    CaseSort.DISAGREEMENT: (CaseAgreement.lowest_dice, False),
}


@allowed(CLINICIANS)
def list_cases(
    caller: Caller,
    *,
    where: CaseFilter | None = None,
    sort: CaseSort = CaseSort.NEWEST,
    after: CasePlace | None = None,
    limit: int = 50,
) -> CasePage:
    """One page of cases.

    Cases of which the model's output is kept back from the caller are in no list that asks for it, and those that the
    actor annotates blind in none that asks how annotators agree.

    Args:
        caller: Who asks.
        where: Which cases; all when None.
        sort: In which order.
        after: `next_after` of the page before; None for the first page.
        limit: Rows a page, 1 to 200.

    Raises:
        ValueError: The limit is out of range.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must lie between 1 and {MAX_PAGE}, not {limit}")
    wanted = where or CaseFilter()
    asks_agreement = wanted.dice_below is not None or sort is CaseSort.DISAGREEMENT
    if asks_agreement:
        lowest_agreement.complete(caller.store)
    with caller.store.reading() as session:
        query = select_cases(wanted, sort, after, actor=caller.actor, leader=_leader(session, wanted, sort))
        fetched = session.execute(query.limit(MOST_FROM_HERE)).all()
        rows = _rows(session, caller.actor, [row.case_id for row in fetched[:limit]])
        n_uncompared = lowest_agreement.count_uncompared(session) if asks_agreement else 0
        shows_model = any(row.prob_hsil_4ch is not None for row in rows)
        marks = marks_of(session, current_id(session)) if shows_model else ()
    exposures.note(caller, [seen for row in rows for seen in _seen_in(row)])
    last = fetched[limit - 1] if len(fetched) > limit else None
    return CasePage(rows, None if last is None else (last[1], last[0]), len(fetched), n_uncompared, marks)


@allowed(CLINICIANS)
def find_case_ids(caller: Caller, *, where: CaseFilter) -> tuple[int, ...]:
    """Rows of the cases that fit a filter, newest first, `MOST_SELECTED` at most."""
    if where.dice_below is not None:
        lowest_agreement.complete(caller.store)
    with caller.store.reading() as session:
        query = select_cases(where, actor=caller.actor).limit(MOST_SELECTED)
        return tuple(row.case_id for row in session.execute(query))


@allowed(CLINICIANS)
def list_choices(caller: Caller) -> ListChoices:
    """What the filters offer: the devices that cases name, and who has reviewed."""
    with caller.store.reading() as session:
        reviewers = session.execute(
            select(Person.id, Person.display_name)
            .where(exists().where(CaseReviewer.reviewer_id == Person.id))
            .order_by(Person.display_name, Person.id)
        )
        return ListChoices(_devices(session), tuple((row_id, name) for row_id, name in reviewers))


def select_cases(
    where: CaseFilter,
    sort: CaseSort = CaseSort.NEWEST,
    after: CasePlace | None = None,
    *,
    actor: Actor | None = None,
    leader: int | None = None,
) -> Select[Any]:
    """The query behind the lists: rows of cases and their place in the order. The tests look at its plan.

    Args:
        where: Which cases.
        sort: In which order; cases without a figure in it are left out.
        after: The place after which to begin.
        actor: For whom what is kept back is left out; nothing is when None.
        leader: Which of the filter's conditions is looked up in its index; with -1 none is, and the order is walked.
            The database decides when None.
    """
    column, is_descending = _ORDERS[sort]
    conditions = _conditions(where)
    walks = leader in (None, -1) or (sort is CaseSort.NEWEST and conditions[leader or 0].is_newest_first)
    key = column if walks else without_index(column)
    query = select(CaseSummary.case_id, column.label("place"))
    if sort is CaseSort.DISAGREEMENT or where.dice_below is not None:
        query = query.join(CaseAgreement, CaseAgreement.case_id == CaseSummary.case_id)
    row = CaseAgreement.case_id if sort is CaseSort.DISAGREEMENT else CaseSummary.case_id
    if not sort.has_all:
        query = query.where(key.is_not(None))
    if after is not None:
        here = tuple_(key, row)
        query = query.where(here < tuple_(*after) if is_descending else here > tuple_(*after))
    if actor is not None:
        query = query.where(*_kept_back(actor, where, sort))
    for index, (asked, test, _is_newest_first) in enumerate(conditions):
        query = query.where(test(asked if leader is None or index == leader else without_index(asked)))
    return query.order_by(*((key.desc(), row.desc()) if is_descending else (key, row)))


def _leader(session: Session, where: CaseFilter, sort: CaseSort) -> int:
    """The condition that the fewest cases fulfil, or -1 where each is common.

    A rare condition is looked up, and the few cases that it leaves are sorted. Where all are common, walking the order
    meets a page of fitting cases soon; the newest ones come in order from the index of a value as well. The database
    cannot know which is rare: it has no counts of single values.
    """
    conditions = _conditions(where)
    fewest, leader = _COMMON, -1
    if sort is CaseSort.NEWEST:
        leader = next((index for index, condition in enumerate(conditions) if condition.is_newest_first), -1)
    for index, (asked, test, _is_newest_first) in enumerate(conditions):
        fitting = select(literal(1)).where(test(asked)).limit(fewest).subquery()
        n = session.scalar(select(func.count()).select_from(fitting)) or 0
        if n < fewest:
            fewest, leader = n, index
        if n == 0:
            break
    return leader


def _kept_back(actor: Actor, where: CaseFilter, sort: CaseSort) -> Iterator[ColumnElement[bool]]:
    if where.asks_model or sort in (CaseSort.PROBABILITY, CaseSort.UNCERTAINTY):
        hidden = select(Image.case_id).where(Image.id.in_(images_without_model(actor)))
        yield CaseSummary.case_id.not_in(hidden)
    if where.dice_below is not None or sort is CaseSort.DISAGREEMENT:
        yield CaseSummary.case_id.not_in(lowest_agreement.cases_annotated_blind(actor))


def _conditions(where: CaseFilter) -> list[_Condition]:
    """Each condition as a column and what is asked of it."""
    return [*_equal(where), *_ranges(where), *_label(where.label), *_lists(where)]


def _equal(where: CaseFilter) -> Iterator[_Condition]:
    annotated = () if where.annotation is None else ((_FLAGS[where.annotation], True),)
    for column, value in (
        (CaseSummary.grade, where.grade),
        (CaseSummary.simulated, where.simulated),
        (CaseSummary.networks_differ, where.networks_differ),
        (CaseSummary.review_state, where.review),
        (CaseSummary.device, where.device),
        *annotated,
    ):
        if value is not None:
            yield _Condition(column, _is(value), is_newest_first=True)


def _is(value: object) -> Callable[[_Column], ColumnElement[bool]]:
    return lambda column: column == value


def _ranges(where: CaseFilter) -> Iterator[_Condition]:
    code = where.patient_code.strip().lower()
    if code:
        yield _Condition(CaseSummary.patient_key, lambda key: (key >= code) & (key < code + _AFTER_ANY_CODE))
    first, last = where.examined_from, where.examined_to
    if first is not None or last is not None:
        yield _Condition(CaseSummary.examined_on, lambda day: day.between(first or date.min, last or date.max))
    if where.uncertain_within is not None:
        yield _Condition(CaseSummary.margin, lambda margin: margin <= where.uncertain_within)
    if where.dice_below is not None:
        yield _Condition(CaseAgreement.lowest_dice, lambda dice: dice < where.dice_below)


def _label(label: LabelChoice | None) -> Iterator[_Condition]:
    if label is LabelChoice.FLAGGED:
        yield _Condition(CaseSummary.flagged, _is(value=True), is_newest_first=True)
    elif label is LabelChoice.UNLABELLED:
        yield _Condition(CaseSummary.label, _is(None), is_newest_first=True)
        yield _Condition(CaseSummary.flagged, _is(value=False), is_newest_first=True)
    elif label is LabelChoice.EXCLUDED:
        yield _Condition(CaseSummary.label, _is(None), is_newest_first=True)
    elif label is not None:
        yield _Condition(CaseSummary.label, _is(Label(label.value)), is_newest_first=True)


def _lists(where: CaseFilter) -> Iterator[_Condition]:
    if where.outcome is not None:
        outcomes = where.outcome.outcomes
        if len(outcomes) == 1:
            yield _Condition(CaseSummary.outcome, _is(outcomes[0]), is_newest_first=True)
        else:
            yield _Condition(CaseSummary.outcome, lambda outcome: outcome.in_(outcomes))
    if where.reviewer_id is not None:
        reviewed = select(CaseReviewer.case_id).where(CaseReviewer.reviewer_id == where.reviewer_id)
        yield _Condition(CaseSummary.case_id, lambda case_id: case_id.in_(reviewed))
    if where.case_ids is not None:
        case_ids = where.case_ids
        yield _Condition(CaseSummary.case_id, lambda case_id: case_id.in_(case_ids))


def _devices(session: Session) -> tuple[str, ...]:
    """Each device once, by hopping from one to the next along the index."""
    devices: list[str] = []
    device = session.scalar(select(func.min(CaseSummary.device)))
    while device is not None:
        devices.append(device)
        device = session.scalar(select(func.min(CaseSummary.device)).where(CaseSummary.device > device))
    return tuple(devices)


def _rows(session: Session, actor: Actor, case_ids: list[int]) -> tuple[CaseRow, ...]:
    query = (
        select(CaseSummary, Patient.code, Case.case_date, CaseLabel.reason, CaseAgreement.lowest_dice)
        .join(Case, Case.id == CaseSummary.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .outerjoin(CaseLabel, (CaseLabel.case_id == Case.id) & (CaseLabel.source == LabelSource.HISTOLOGY))
        .outerjoin(CaseAgreement, CaseAgreement.case_id == Case.id)
        .where(CaseSummary.case_id.in_(case_ids))
    )
    states = _states(session, case_ids)
    hidden = _cases_of(session, case_ids, select(Image.case_id).where(Image.id.in_(images_without_model(actor))))
    blind = _cases_of(session, case_ids, lowest_agreement.cases_annotated_blind(actor))
    case_rows = {}
    for summary, code, case_date, reason, dice in session.execute(query):
        shows_model = summary.case_id not in hidden
        case_rows[summary.case_id] = copied(
            CaseRow,
            summary,
            id=summary.case_id,
            patient_code=code,
            case_date=case_date,
            first_image_id=summary.thumbnail_image_id,
            annotation_states=states.get(summary.case_id, {}),
            reason=reason or "",
            prob_hsil_4ch=summary.prob_hsil_4ch if shows_model else None,
            outcome=summary.outcome if shows_model else None,
            networks_differ=summary.networks_differ if shows_model else None,
            review=summary.review_state if shows_model else None,
            lowest_dice=None if summary.case_id in blind else dice,
        )
    return tuple(case_rows[case_id] for case_id in case_ids)


def _cases_of(session: Session, case_ids: Collection[int], hidden: Select[int]) -> set[int]:
    cases: Subquery = hidden.subquery()
    (column,) = cases.c
    return set(session.scalars(select(column).where(column.in_(case_ids))))


def _states(session: Session, case_ids: list[int]) -> dict[int, dict[AnnotationState, int]]:
    rows = session.execute(
        select(Image.case_id, Annotation.state, func.count())
        .join(Annotation, Annotation.image_id == Image.id)
        .where(Image.case_id.in_(case_ids))
        .group_by(Image.case_id, Annotation.state)
    )
    states: dict[int, dict[AnnotationState, int]] = {}
    for case_id, state, count in rows:
        states.setdefault(case_id, {})[state] = count
    return states


def _seen_in(row: CaseRow) -> Iterator[tuple[int, ExposureKind]]:
    if row.label is not None:
        yield row.id, ExposureKind.LABEL
    if row.grade is not None:
        yield row.id, ExposureKind.HISTOLOGY
    if row.prob_hsil_4ch is not None:
        yield row.id, ExposureKind.PREDICTION
