"""The readings of a closed study as files."""

import csv
import io
from collections import Counter

from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.exports import export_readings
from colpo_core.store import Store
from colpo_core.store.tables import Presentation
from colpo_core.terms import Arm, Label
from tests.support.compared_studies import Clinic, predict, read_all
from tests.support.store_rows import get, sealed

N, H = Label.NORMAL, Label.HSIL


def test_every_call_can_be_taken_along(administrator: Caller, reader: Caller, clinic: Clinic, study_id: int) -> None:
    read_all(reader, study_id, dict.fromkeys(clinic.case_ids, H))
    predict(administrator.store, clinic, {0: (0.1, 0.9)})
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    content = export_readings(administrator, study_id=study_id, table=ReadingTable.CALLS)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    read = [row for row in rows if row["caller_kind"] == "reader"]
    assert [row["position"] for row in read] == ["1", "2", "3", "4"]
    assert {(int(row["case_id"]), row["truth"]) for row in read} == set(
        zip(clinic.case_ids, ("normal", "normal", "hsil", "hsil"), strict=True)
    )
    three, four = (row for row in rows if row["caller_kind"] == "checkpoint")
    assert (three["channels"], three["call"], three["seen_in_training"]) == ("3", "normal", "true")
    assert (four["channels"], four["call"], four["threshold"]) == ("4", "hsil", "0.25")
    assert {row["simulated"] for row in rows} == {"true"}
    assert {row["truth_source"] for row in rows} == {"histology"}


def test_repeats_later_sessions_and_practice_are_in_the_export_and_not_in_the_figures(
    store: Store, administrator: Caller, reader: Caller, clinic: Clinic
) -> None:
    study = designing.create_study(
        administrator,
        name="Twice",
        reader_ids=[reader.person_id],
        plan=ReadingPlan(n_sessions=2, washout_days=0, repeat_share=0.5),
    )
    designing.open_study(administrator, study_id=study.id)
    right = dict(zip(clinic.case_ids, (case.truth for case in sealed(store, study.id).cases), strict=True))
    while (shown := presenting.next_case(reader, study_id=study.id)) is not None:
        row = get(store, Presentation, shown.token)
        main, truth = (row.session, row.occurrence) == (1, 1), right[row.case_id]
        call = truth if main else (N if truth is H else H)
        readings.record_reading(reader, study_id=study.id, token=shown.token, call=call, confidence=60, active_ms=0)
    designing.close_study(administrator, study_id=study.id, reason="enough was read")
    (line,) = study_results.study_results(administrator, study_id=study.id).readers
    n_cases = len(clinic.case_ids)
    assert (line.n_called, line.n_cases, line.arm) == (n_cases, n_cases, Arm.UNAIDED)
    assert line.figures.accuracy.value == 1.0
    assert line.times.median == 0
    analysis = study_results.study_findings(administrator, study_id=study.id).analysis
    figures = analysis.readers.readers[line.name].arms["unaided"].accuracy
    assert (figures.k, figures.n) == (n_cases, n_cases)
    assert (analysis.again[line.name].value, analysis.again[line.name].n) == (-1, n_cases), "never the same call again"
    ratings = export_readings(administrator, study_id=study.id, table=ReadingTable.RATINGS).decode()
    assert len(ratings.splitlines()) == 1 + n_cases
    table = export_readings(administrator, study_id=study.id, table=ReadingTable.CALLS).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert Counter((row["session"], row["occurrence"], row["arm"], row["phase"]) for row in rows) == {
        (number, occurrence, "unaided", "1"): count
        for number in "12"
        for occurrence, count in (("1", n_cases), ("2", n_cases // 2))
    }
    for number in "12":
        places = [int(row["position"]) for row in rows if row["session"] == number]
        assert places == list(range(1, n_cases + n_cases // 2 + 1))
