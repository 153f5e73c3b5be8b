from datetime import timedelta

import pytest
from sqlalchemy import update

from colpo_core.errors import Blinding
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.services.studies import rows as study_records
from colpo_core.services.studies.readers import study_orders, withheld_cases
from colpo_core.store import Store
from colpo_core.store.tables import Exposure, Presentation, Reading, Study, StudyCase, utc_now
from colpo_core.studies.design import StudyDesign
from colpo_core.terms import ExposureKind, ExposureRule, Label
from tests.conftest import AddCase
from tests.support.conducted import make_study, read_on
from tests.support.refusals import refused
from tests.support.store_rows import get, rows


@pytest.fixture(autouse=True)
def cases(add_case: AddCase) -> list[int]:
    return [add_case(Label.HSIL if number % 2 else Label.NORMAL) for number in range(6)]


def read_cases(reader: Caller, study_id: int) -> set[int]:
    return set(rows(reader, Reading.case_id, study_id=study_id, reader_id=reader.person_id))


def test_an_excluded_case_is_not_given_to_whoever_was_exposed_and_to_others_it_is(
    store: Store, administrator: Caller, reader: Caller, second_reader: Caller, cases: list[int]
) -> None:
    exposures.note(reader, [(cases[0], ExposureKind.LABEL), (cases[1], ExposureKind.MASK)])
    study_id = make_study(administrator, [reader, second_reader])
    read_on(reader, study_id)
    read_on(second_reader, study_id)
    assert read_cases(reader, study_id) == set(cases[2:])
    assert read_cases(second_reader, study_id) == set(cases)
    record = study_records.get_study(administrator, study_id=study_id)
    assert (record.study.n_expected, record.study.n_answered) == (10, 10)
    assert {one.display_name: (one.answered, one.total) for one in record.readers} == {"Rita": (4, 4), "Ruth": (6, 6)}
    designing.close_study(administrator, study_id=study_id)


def test_a_flagged_case_is_given_all_the_same(administrator: Caller, reader: Caller, cases: list[int]) -> None:
    exposures.note(reader, [(cases[0], ExposureKind.LABEL)])
    study_id = make_study(administrator, [reader], ReadingPlan(exposed=ExposureRule.FLAG))
    read_on(reader, study_id)
    assert read_cases(reader, study_id) == set(cases)


def test_an_exposure_in_mid_study_counts_for_what_is_not_read_yet(
    store: Store, administrator: Caller, reader: Caller, cases: list[int]
) -> None:
    study_id = make_study(administrator, [reader])
    read_on(reader, study_id, at_most=1)
    (answered,) = read_cases(reader, study_id)
    shown = presenting.next_case(reader, study_id=study_id)
    before_her = get(store, Presentation, shown.token).case_id
    exposures.note(reader, [(answered, ExposureKind.LABEL), (before_her, ExposureKind.PREDICTION)])
    refused(
        Blinding,
        lambda: presenting.presented_image(reader, study_id=study_id, token=shown.token),
        lambda: readings.record_reading(reader, study_id=study_id, token=shown.token, call=Label.HSIL, confidence=1),
        match="seen something of this case",
    )
    read_on(reader, study_id)
    assert read_cases(reader, study_id) == set(cases) - {before_her}


def test_what_waits_in_the_file_counts_too(
    store: Store, administrator: Caller, reader: Caller, cases: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = make_study(administrator, [reader])
    monkeypatch.setattr(exposures, "_PATIENCE_MS", 1)
    with store.writing() as busy:
        busy.execute(update(Study).where(Study.id == study_id).values(question=""))
        exposures.note(reader, [(cases[3], ExposureKind.HISTOLOGY)])
    read_on(reader, study_id)
    assert cases[3] not in read_cases(reader, study_id)


def test_later_sessions_leave_out_what_was_seen_in_the_washout(
    store: Store, administrator: Caller, reader: Caller, cases: list[int]
) -> None:
    study_id = make_study(administrator, [reader], ReadingPlan(n_sessions=2, washout_days=0))
    read_on(reader, study_id, at_most=len(cases))
    exposures.note(reader, [(cases[0], ExposureKind.LABEL)])
    read_on(reader, study_id)
    assert set(rows(store, Reading.case_id, session=1)) == set(cases)
    assert set(rows(store, Reading.case_id, session=2)) == set(cases[1:])
    assert study_records.get_study(administrator, study_id=study_id).study.n_expected == 11


def test_what_the_study_itself_shows_and_what_came_after_the_closing_do_not_count(
    store: Store, administrator: Caller, reader: Caller, cases: list[int]
) -> None:
    study_id = make_study(administrator, [reader])
    exposures.note(reader, [(cases[0], ExposureKind.PREDICTION)], within_study=study_id)
    read_on(reader, study_id)
    designing.close_study(administrator, study_id=study_id)
    exposures.note(reader, [(cases[1], ExposureKind.LABEL)])
    with store.writing() as session:
        session.execute(update(Exposure).values(first_at=Exposure.first_at))
        study = session.get_one(Study, study_id)
        study.closed_at = utc_now() - timedelta(hours=1)
        assert withheld_cases(session, study, reader.person_id) == frozenset()
        study.closed_at = utc_now()
        assert withheld_cases(session, study, reader.person_id) == {cases[1]}


def test_practice_feedback_is_an_exposure_elsewhere_and_not_in_its_own_study(
    store: Store, administrator: Caller, reader: Caller, add_case: AddCase
) -> None:
    practice = add_case(Label.HSIL)
    study_id = make_study(administrator, [reader], practice=[practice])
    read_on(reader, study_id, at_most=1)
    later = make_study(administrator, [reader], name="Later")
    with store.reading() as session:
        assert withheld_cases(session, session.get_one(Study, study_id), reader.person_id) == frozenset()
        assert withheld_cases(session, session.get_one(Study, later), reader.person_id) == {practice}
        assert session.get(StudyCase, (later, practice)) is not None


def test_orders_are_those_of_the_seal(store: Store, administrator: Caller, reader: Caller, cases: list[int]) -> None:
    study_id = make_study(administrator, [reader])
    with store.reading() as session:
        orders = study_orders(session, session.get_one(Study, study_id))
    assert sorted(one.case_id for one in orders[reader.person_id, 1]) == cases


def test_a_plan_from_before_the_ledger_keeps_its_seal(store: Store, administrator: Caller, reader: Caller) -> None:
    study_id = make_study(administrator, [reader])
    with store.reading() as session:
        design = study_records.design_of(session, session.get_one(Study, study_id))
    old = StudyDesign(**{**vars(design), "plan": ReadingPlan()})
    assert b"interim_results" not in old.to_json()
    assert b'"exposed"' not in old.to_json()
    assert b'"exposed":"exclude"' in design.to_json()
    assert b'"interim_results":false' in design.to_json()
    assert ReadingPlan().exposure_rule is ExposureRule.FLAG
