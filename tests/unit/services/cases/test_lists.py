from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite

from benchmarks.filled_store import fill
from colpo_core.errors import PermissionDenied
from colpo_core.records.cases.lists import AnnotationNeed, CaseFilter, CasePlace, CaseSort, LabelChoice, OutcomeChoice
from colpo_core.records.people import Actor
from colpo_core.services.cases import lists as case_lists
from colpo_core.services.cases.lists import find_case_ids, list_cases, list_choices, select_cases
from colpo_core.services.cases.lowest_agreement import complete, count_uncompared
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS
from colpo_core.store import Store
from colpo_core.store.tables import (
    AnnotationTask,
    CaseAgreement,
    CaseSummary,
    Review,
    TaskItem,
)
from colpo_core.terms import (
    Finding,
    Grade,
    ReviewState,
    Role,
    TaskItemState,
    TaskOrder,
    Verdict,
)
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.refusals import refused
from tests.support.store_rows import add

ADA = Actor(1, "ada", "Ada", Role.ADMINISTRATOR)
MOMENT = datetime(2024, 5, 6, tzinfo=UTC)
N_CASES = 60
FILTERS = {
    "grade": CaseFilter(grade=Grade.CIN1),
    "label": CaseFilter(label=LabelChoice.NORMAL),
    "excluded": CaseFilter(label=LabelChoice.EXCLUDED),
    "unlabelled": CaseFilter(label=LabelChoice.UNLABELLED),
    "annotation": CaseFilter(annotation=AnnotationNeed.SUBMITTED),
    "unannotated": CaseFilter(annotation=AnnotationNeed.NONE),
    "simulated": CaseFilter(simulated=False),
    "outcome": CaseFilter(outcome=OutcomeChoice.TRUE_NEGATIVE),
    "wrong": CaseFilter(outcome=OutcomeChoice.WRONG),
    "networks": CaseFilter(networks_differ=True),
    "unsure": CaseFilter(uncertain_within=0.1),
    "dice": CaseFilter(dice_below=0.9),
    "review": CaseFilter(review=ReviewState.WAITING),
    "reviewer": CaseFilter(reviewer_id=2),
    "days": CaseFilter(examined_from=date(2022, 1, 1), examined_to=date(2024, 12, 31)),
    "device": CaseFilter(device="Mobile C"),
    "code": CaseFilter(patient_code="p-00000"),
    "selected": CaseFilter(case_ids=tuple(range(5, 40))),
    "several": CaseFilter(label=LabelChoice.NORMAL, review=ReviewState.WAITING, simulated=False),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    from colpo_core.settings import Settings

    store = Store.open(Settings(data_dir=tmp_path_factory.mktemp("filled")))
    fill(store, N_CASES, seed=3)
    complete(store)
    return store


def fits(store: Store, where: CaseFilter, row: CaseSummary, dice: float | None) -> bool:
    """The filter in plain words of Python."""
    checks = (
        (where.grade, row.grade),
        (where.simulated, row.simulated),
        (where.networks_differ, row.networks_differ),
        (where.review, row.review_state),
        (where.device, row.device),
    )
    with store.reading() as session:
        reviewed = set(session.scalars(select(case_lists.CaseReviewer.case_id).where(
            case_lists.CaseReviewer.reviewer_id == (where.reviewer_id or 0))))  # fmt: skip
    label = {
        LabelChoice.NORMAL: row.label == "normal",
        LabelChoice.EXCLUDED: row.label is None,
        LabelChoice.UNLABELLED: row.label is None and not row.flagged,
    }
    annotation = {AnnotationNeed.SUBMITTED: row.has_submitted, AnnotationNeed.NONE: row.awaits_annotation}
    return all((
        *(asked is None or asked == value for asked, value in checks),
        where.label is None or label[where.label],
        where.annotation is None or annotation[where.annotation],
        where.outcome is None or row.outcome in where.outcome.outcomes,
        where.uncertain_within is None or (row.margin is not None and row.margin <= where.uncertain_within),
        where.dice_below is None or (dice is not None and dice < where.dice_below),
        where.reviewer_id is None or row.case_id in reviewed,
        where.examined_from is None or row.examined_on >= where.examined_from,
        where.examined_to is None or row.examined_on <= where.examined_to,
        row.patient_key.startswith(where.patient_code),
        where.case_ids is None or row.case_id in where.case_ids,
    ))  # fmt: skip


def expected(store: Store, where: CaseFilter, sort: CaseSort) -> list[int]:
    with store.reading() as session:
        dice = dict(session.execute(select(CaseAgreement.case_id, CaseAgreement.lowest_dice)).all())
        rows = session.scalars(select(CaseSummary)).all()
    keys = {
        CaseSort.NEWEST: lambda row: row.created_at,
        CaseSort.EXAMINED: lambda row: row.examined_on,
        CaseSort.PROBABILITY: lambda row: row.prob_hsil_4ch,
        CaseSort.UNCERTAINTY: lambda row: row.margin,
        CaseSort.DISAGREEMENT: lambda row: dice.get(row.case_id),
    }
    fitting = [row for row in rows if fits(store, where, row, dice.get(row.case_id)) and keys[sort](row) is not None]
    is_descending = sort in (CaseSort.NEWEST, CaseSort.EXAMINED, CaseSort.PROBABILITY)
    ordered = sorted(fitting, key=lambda row: (keys[sort](row), row.case_id), reverse=is_descending)
    return [row.case_id for row in ordered]


@pytest.mark.parametrize("sort", list(CaseSort))
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("common", [0, 5, 2_000])
def test_every_filter_in_every_order_pages_through_exactly_what_fits(
    filled: Store, monkeypatch: pytest.MonkeyPatch, name: str, sort: CaseSort, common: int
) -> None:
    """Whatever the conditions are looked up by: none of them, some, or the rarest."""
    monkeypatch.setattr(case_lists, "_COMMON", common)
    found: list[int] = []
    after: CasePlace | None = None
    while True:
        page = list_cases(Caller(filled, ADA), where=FILTERS[name], sort=sort, after=after, limit=7)
        assert page.n_from_here >= len(page.rows)
        found += [row.id for row in page.rows]
        after = page.next_after
        if after is None:
            break
    assert found == expected(filled, FILTERS[name], sort)


def test_the_filters_of_these_tests_find_some_and_not_all(filled: Store) -> None:
    counts = {name: len(find_case_ids(Caller(filled, ADA), where=where)) for name, where in FILTERS.items()}
    assert all(0 < n <= N_CASES for n in counts.values()), counts
    assert sum(n == N_CASES for n in counts.values()) <= 1, counts


def explain(store: Store, query: object) -> str:
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    with store.reading() as session:
        return "\n".join(str(row.detail) for row in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))


@pytest.mark.sqlite
@pytest.mark.parametrize(("sort", "place"), [
    (CaseSort.NEWEST, MOMENT), (CaseSort.EXAMINED, date(2024, 1, 1)), (CaseSort.PROBABILITY, 0.5),
    (CaseSort.UNCERTAINTY, 0.1), (CaseSort.DISAGREEMENT, 0.5),
])  # fmt: skip
def test_every_order_walks_an_index_and_sorts_nothing(store: Store, sort: CaseSort, place: CasePlace) -> None:
    for after in (None, (place, 5)):
        plan = explain(store, select_cases(CaseFilter(), sort, after, leader=-1).limit(51))
        assert "USING INDEX ix_case" in plan or "USING COVERING INDEX ix_case" in plan, plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.sqlite
@pytest.mark.parametrize("name", [name for name in FILTERS if name not in ("selected", "several")])
def test_every_filter_has_its_index(store: Store, name: str) -> None:
    plan = explain(store, select_cases(FILTERS[name], CaseSort.PROBABILITY, leader=0).limit(51))
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", ""), plan
    column = {
        "excluded": "label", "unlabelled": "label", "annotation": "has_submitted", "unannotated": "awaits_annotation",
        "wrong": "outcome", "networks": "networks_differ", "unsure": "margin", "dice": "lowest_dice",
        "review": "review_state", "reviewer": "reviewer_id", "days": "examined_on", "code": "patient_key",
    }.get(name, name)  # fmt: skip
    assert f"{column}" in plan


@pytest.mark.sqlite
def test_common_conditions_are_tested_row_by_row_while_an_order_is_walked(store: Store) -> None:
    where = CaseFilter(label=LabelChoice.NORMAL, device="Mobile C")
    plan = explain(store, select_cases(where, CaseSort.PROBABILITY, leader=-1).limit(51))
    assert "ix_case_summaries_prob_hsil_4ch" in plan
    assert "TEMP B-TREE" not in plan


def test_the_choices_are_those_that_find_something(filled: Store) -> None:
    choices = list_choices(Caller(filled, ADA))
    assert choices.devices == ("Colposcope A", "Colposcope B", "Mobile C")
    assert {name for _, name in choices.reviewers} <= {"Ada", "Anna", "Ben"}
    for device in choices.devices:
        assert find_case_ids(Caller(filled, ADA), where=CaseFilter(device=device))


def test_a_reader_finds_nothing(reader: Caller) -> None:
    assert reader.actor.role not in CLINICIANS
    refused(
        PermissionDenied,
        lambda: list_cases(reader),
        lambda: find_case_ids(reader, where=CaseFilter()),
        lambda: list_choices(reader),
    )


def hand_out(store: Store, image_id: int, people: list[int], *, blind: bool, proposals: bool) -> None:
    with store.writing() as session:
        task = AnnotationTask(
            title=f"task of {image_id}", finding=Finding.ACETOWHITE, n_annotators=len(people), blind=blind,
            proposals=proposals, order=TaskOrder.RANDOM, seed=0, created_by=people[0],
        )  # fmt: skip
        session.add(task)
        session.flush()
        session.add_all(
            TaskItem(task_id=task.id, image_id=image_id, annotator_id=person, position=1, state=TaskItemState.WAITING)
            for person in people
        )


def test_what_a_task_keeps_back_is_in_no_list_that_asks_for_it(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(store, "annotating")
    hand_out(store, clinic.cases[0].image_id, [anna.person_id], blind=False, proposals=False)
    everything = [case.case_id for case in reversed(clinic.cases)]
    asks = (
        CaseFilter(networks_differ=True), CaseFilter(uncertain_within=1.0), CaseFilter(review=ReviewState.WAITING),
    )  # fmt: skip
    for where in asks:
        assert list(find_case_ids(administrator, where=where)) == everything
        assert list(find_case_ids(anna, where=where)) == everything[:-1]
    for sort in (CaseSort.PROBABILITY, CaseSort.UNCERTAINTY):
        assert len(list_cases(anna, sort=sort).rows) == 2
    rows = {row.id: row for row in list_cases(anna).rows}
    hidden = rows[clinic.cases[0].case_id]
    assert (hidden.prob_hsil_4ch, hidden.outcome, hidden.networks_differ, hidden.review) == (None,) * 4
    assert rows[clinic.cases[1].case_id].prob_hsil_4ch == 0.6


def test_how_annotators_agree_is_compared_once_and_kept_from_who_annotates_blind(administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    first, second = (add_person(administrator.store, name) for name in ("one", "two"))
    case = clinic.cases[1]
    from colpo_core.services.annotations.imported_masks import import_annotation
    from colpo_core.terms import MaskOrigin

    for person, side in ((first, 20), (second, 30)):
        mask = np.zeros((64, 64), bool)
        mask[:side, :20] = True
        import_annotation(
            person, image_id=case.image_id, mask=mask, origin=MaskOrigin.PAINTED,
            finding=Finding.ACETOWHITE, note="")  # fmt: skip
    with administrator.store.reading() as session:
        assert count_uncompared(session) == 1
    page = list_cases(administrator, sort=CaseSort.DISAGREEMENT)
    (row,) = page.rows
    assert (row.id, page.n_uncompared) == (case.case_id, 0)
    with administrator.store.reading() as session:
        assert count_uncompared(session) == 0
        kept = session.get_one(CaseAgreement, case.case_id).lowest_dice
    assert kept is not None
    assert 0 <= kept < 2 * 400 / 1000 + 1e-9
    hand_out(administrator.store, case.image_id, [first.person_id, second.person_id], blind=True, proposals=True)
    assert list_cases(first, sort=CaseSort.DISAGREEMENT).rows == ()
    assert find_case_ids(first, where=CaseFilter(dice_below=1.0)) == ()
    assert {row.lowest_dice for row in list_cases(first).rows} == {None}
    assert len(list_cases(administrator, sort=CaseSort.DISAGREEMENT).rows) == 1


def test_a_verdict_moves_a_case_from_those_that_wait(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    add(
        store,
        Review(prediction_id=clinic.predictions[0], reviewer_id=administrator.person_id, verdict=Verdict.OVERRULE),
    )
    overruled = find_case_ids(administrator, where=CaseFilter(review=ReviewState.OVERRULED))
    assert overruled == (clinic.cases[0].case_id,)
    assert find_case_ids(administrator, where=CaseFilter(reviewer_id=administrator.person_id)) == overruled
    assert list_choices(administrator).reviewers == ((administrator.person_id, "Ada"),)
