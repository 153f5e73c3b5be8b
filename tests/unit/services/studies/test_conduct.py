import csv
import io
import json
from functools import partial

import pytest

from colpo_core.errors import PermissionDenied, StudyLocked
from colpo_core.records.studies.conduct import ChangedLabels
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.conduct import export_record, study_conduct
from colpo_core.services.studies.exports import export_readings
from colpo_core.services.studies.refusals import note_refusal
from colpo_core.services.studies.report import report_html
from colpo_core.services.studies.rows import get_study
from colpo_core.store import Store
from colpo_core.store.tables import CaseLabel, Presentation
from colpo_core.terms import ExposureKind, ExposureRule, Label
from tests.conftest import AddCase
from tests.support.conducted import make_study, read_on
from tests.support.refusals import refused
from tests.support.store_rows import change_all, rows, sealed


@pytest.fixture(autouse=True)
def cases(add_case: AddCase) -> list[int]:
    return [add_case(Label.HSIL if number % 2 else Label.NORMAL) for number in range(4)]


def exported(administrator: Caller, study_id: int) -> list[dict[str, str]]:
    content = export_readings(administrator, study_id=study_id, table=ReadingTable.CALLS)
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_draft_tells_who_was_exposed_before_it_is_sealed(
    store: Store, administrator: Caller, reader: Caller, second_reader: Caller, cases: list[int]
) -> None:
    seen = [(cases[0], ExposureKind.LABEL), (cases[0], ExposureKind.MASK), (cases[1], ExposureKind.LABEL)]
    exposures.note(reader, seen)
    ids = [reader.person_id, second_reader.person_id]
    draft = designing.create_study(administrator, name="Draft", reader_ids=ids)
    conduct = study_conduct(administrator, study_id=draft.id)
    assert conduct.rule is ExposureRule.EXCLUDE
    rita, ruth = conduct.exposures
    assert (rita.n_exposed, rita.n_cases, rita.text) == (2, 4, "label 2, mask 1")
    assert (rita.n_withheld, rita.n_flagged) == (2, 0)
    assert (ruth.n_exposed, ruth.text) == (0, "none")
    assert "Rita was not given 2 of 4 cases" in conduct.warnings[0]
    refused(PermissionDenied, lambda: study_conduct(reader, study_id=draft.id))


def test_results_flag_what_was_read_after_an_exposure_and_nothing_that_was_read_before(
    store: Store, administrator: Caller, reader: Caller, cases: list[int]
) -> None:
    exposures.note(reader, [(cases[0], ExposureKind.LABEL), (cases[0], ExposureKind.MASK)])
    study_id = make_study(administrator, [reader], ReadingPlan(exposed=ExposureRule.FLAG))
    read_on(reader, study_id)
    exposures.note(reader, [(cases[1], ExposureKind.LABEL)])
    designing.close_study(administrator, study_id=study_id)
    conduct = study_conduct(administrator, study_id=study_id)
    (rita,) = conduct.exposures
    assert (rita.n_exposed, rita.n_flagged, rita.n_withheld) == (2, 1, 0)
    assert "read 1 of 4 cases after an exposure" in conduct.warnings[0]
    flags = {int(row["case_id"]): row["exposed"] for row in exported(administrator, study_id)}
    assert flags == {case_id: "label+mask" if case_id == cases[0] else "" for case_id in cases}


def test_excluding_leaves_a_set_incomplete_and_says_so(administrator: Caller, reader: Caller, cases: list[int]) -> None:
    exposures.note(reader, [(cases[0], ExposureKind.ANNOTATED)])
    study_id = make_study(administrator, [reader])
    read_on(reader, study_id)
    designing.close_study(administrator, study_id=study_id)
    (line,) = study_results.study_results(administrator, study_id=study_id).readers
    assert (line.n_called, line.n_cases, line.is_complete) == (3, 4, False)
    (sentence,) = study_conduct(administrator, study_id=study_id).warnings
    assert "annotated 1" in sentence
    assert "incomplete" in sentence


def test_nothing_is_seen_before_the_closing_unless_the_design_says_so(administrator: Caller, reader: Caller) -> None:
    closed, open_to_looks = (
        make_study(administrator, [reader], ReadingPlan(interim_results=allowed), name=str(allowed))
        for allowed in (False, True)
    )
    for study_id in (closed, open_to_looks):
        read_on(reader, study_id, at_most=2)
    asks = (
        study_results.study_results,
        study_results.study_findings,
        partial(export_readings, table=ReadingTable.CALLS),
        partial(export_readings, table=ReadingTable.RATINGS),
    )
    for ask in asks:
        with pytest.raises(StudyLocked, match="shown when the study is closed"):
            ask(administrator, study_id=closed)
    for ask in asks:
        ask(administrator, study_id=open_to_looks)
    assert study_results.study_results(administrator, study_id=open_to_looks).readers[0].n_called == 2
    assert {row["interim"] for row in exported(administrator, open_to_looks)} == {"true"}
    looked = study_conduct(administrator, study_id=open_to_looks)
    assert (looked.interim_results, looked.n_interim_looks) == (True, 1)
    assert "looked at before the study was closed, as the design allows: 1 looks" in looked.warnings[-1]
    still_open = study_conduct(administrator, study_id=closed)
    assert (still_open.interim_results, still_open.n_interim_looks) == (False, 0)


def test_looks_after_the_closing_are_no_interim_looks(administrator: Caller, reader: Caller) -> None:
    study_id = make_study(administrator, [reader], ReadingPlan(interim_results=True))
    read_on(reader, study_id)
    designing.close_study(administrator, study_id=study_id)
    assert {row["interim"] for row in exported(administrator, study_id)} == {"false"}
    assert study_conduct(administrator, study_id=study_id).n_interim_looks == 0


@pytest.mark.sqlite
def test_progress_of_an_open_study_is_the_same_whatever_was_called(administrator: Caller, reader: Caller) -> None:
    study_id = make_study(administrator, [reader])
    read_on(reader, study_id)
    before = get_study(administrator, study_id=study_id)
    record = export_record(administrator, study_id=study_id)
    with administrator.store.writing() as session:
        session.connection().exec_driver_sql("DROP TRIGGER readings_refuses_update")
        session.connection().exec_driver_sql("UPDATE readings SET call = 'normal', confidence = 1")
    assert get_study(administrator, study_id=study_id) == before
    assert export_record(administrator, study_id=study_id) == record


def test_the_record_holds_design_seal_and_conduct(administrator: Caller, reader: Caller) -> None:
    study_id = make_study(administrator, [reader])
    note_refusal(reader, what="page models")
    read_on(reader, study_id, at_most=1)
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    record = json.loads(export_record(administrator, study_id=study_id))
    assert record["design"]["plan"]["exposed"] == "exclude"
    assert record["seal_sha256"] == get_study(administrator, study_id=study_id).study.seal_sha256
    assert record["conduct"]["amendments"][0]["reason"] == "enough was read"
    assert record["conduct"]["refusals"][0]["what"] == "page models"


def test_what_was_read_in_another_study_is_an_exposure_whoever_noted_it(
    store: Store, administrator: Caller, reader: Caller, second_reader: Caller, cases: list[int]
) -> None:
    """Derived from what was put before the reader, so that readings of an older store count too."""
    first = make_study(administrator, [reader], practice=cases[:1], name="First")
    read_on(reader, first, at_most=2)
    presenting.next_case(reader, study_id=first)  # shown, not answered
    assert len(set(rows(store, Presentation.case_id, Presentation.study_id == first))) == 2
    draft = designing.create_study(administrator, name="Draft", reader_ids=[reader.person_id, second_reader.person_id])
    rita, ruth = study_conduct(administrator, study_id=draft.id).exposures
    assert (rita.n_exposed, rita.n_withheld) == (3, 3), "two cases that were shown, and the one practised with"
    assert "read in another study 3" in rita.text
    assert ruth.n_exposed == 0
    designing.open_study(administrator, study_id=draft.id)
    assert read_on(reader, draft.id) == 1
    assert read_on(second_reader, draft.id) == 4
    assert read_on(reader, first) == 1, "her first study goes on where she was, but for the case read since"


def test_what_is_read_elsewhere_meanwhile_is_not_given_or_flagged(administrator: Caller, reader: Caller) -> None:
    flagging = make_study(administrator, [reader], ReadingPlan(exposed=ExposureRule.FLAG), name="Flagging")
    other = make_study(administrator, [reader], ReadingPlan(exposed=ExposureRule.FLAG), name="Other")
    read_on(reader, other)
    read_on(reader, flagging)
    for study_id in (flagging, other):
        designing.close_study(administrator, study_id=study_id)
    assert {row["exposed"] for row in exported(administrator, flagging)} == {"read"}
    assert {row["exposed"] for row in exported(administrator, other)} == {""}


@pytest.mark.parametrize(
    ("plan", "is_said"),
    [
        (ReadingPlan(n_sessions=2, washout_days=0), True),
        (ReadingPlan(n_sessions=2, washout_days=0, aid=Aid.AT_ONCE, aid_checkpoint_id=1), True),
        (ReadingPlan(n_sessions=2, washout_days=0, aid=Aid.AT_ONCE, aid_checkpoint_id=1, crossover=False), True),
        (ReadingPlan(n_sessions=2, washout_days=7), False),
        (ReadingPlan(washout_days=0), False),
    ],
)
def test_a_washout_of_no_day_is_said(plan: ReadingPlan, is_said: bool) -> None:
    assert any("no washout" in one for one in plan.cautions) is is_said
    assert any("may then be memory" in one for one in plan.cautions) is (is_said and plan.aid is Aid.AT_ONCE)


def test_no_washout_and_a_changed_label_stand_in_conduct_record_and_report(
    store: Store, administrator: Caller, reader: Caller, cases: list[int]
) -> None:
    study_id = make_study(administrator, [reader], ReadingPlan(n_sessions=2, washout_days=0))
    assert study_conduct(administrator, study_id=study_id).relabelled == ChangedLabels(4)
    read_on(reader, study_id)
    relabel(store, cases[0], Label.HSIL)
    designing.close_study(administrator, study_id=study_id)
    relabel(store, cases[1], None)
    said = study_conduct(administrator, study_id=study_id).warnings
    assert "no washout" in said[0]
    assert "2 of 4 cases has changed (1 from normal to HSIL, 1 to no label by histology)" in said[1]
    assert said[1].endswith("When the study was closed it was 1.")
    assert json.loads(export_record(administrator, study_id=study_id))["warnings"][:2] == list(said[:2])
    assert "2 of 4 cases has changed" in report_html(administrator, study_id=study_id)
    sealed(store, study_id)


def relabel(store: Store, case_id: int, label: Label | None) -> None:
    change_all(store, CaseLabel, CaseLabel.case_id == case_id, label=label)
