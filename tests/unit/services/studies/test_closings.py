"""What a closing keeps, and what a report that is made anew says of it."""

import json
from dataclasses import replace
from html import unescape

import pytest
from sqlalchemy import text

from colpo_core import __version__
from colpo_core.errors import Conflict
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import closings, designing, presenting
from colpo_core.services.studies import report as study_report
from colpo_core.services.studies.conduct import export_record
from colpo_core.store import Store
from colpo_core.store.tables import Prediction, StudyClosing, StudyReader
from colpo_core.studies import methods
from colpo_core.terms import Label
from tests.conftest import AddCase
from tests.support.conducted import make_study, read_on
from tests.support.reported import reported_study
from tests.support.store_rows import change_all, get, rows, sealed

# A row of an older store is not there: the trigger that keeps it is taken away for once.
FORGET = ("DROP TRIGGER study_closings_refuses_delete", "DELETE FROM study_closings")


def closing_of(store: Store, study_id: int) -> StudyClosing:
    return get(store, StudyClosing, study_id)


def test_a_closing_keeps_figures_methods_and_version(store: Store, administrator: Caller) -> None:
    study_id = reported_study(administrator)
    kept, report = (
        closing_of(store, study_id),
        study_report.study_report(administrator, study_id=study_id),
    )
    assert (kept.code_version, kept.methods_version) == (__version__, methods.METHODS_VERSION)
    assert [one["text"] for one in kept.found["primary"]] == [one.text for one in report.analysis.primary] != []
    assert (report.anew.figures, report.anew.primary_differs, report.anew.changes) == ((), False, ())
    assert report.anew.n_figures > 100
    assert f"all {report.anew.n_figures} were computed anew and are the same" in report.anew.text
    record = json.loads(export_record(administrator, study_id=study_id))
    assert record["closing"]["methods_version"] == methods.METHODS_VERSION


def test_a_report_made_anew_names_the_figures_that_are_other_ones(
    store: Store, administrator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = reported_study(administrator)
    before = study_report.study_report(administrator, study_id=study_id).analysis.primary[0].text
    change_all(store, Prediction, prob_hsil_3ch=1 - Prediction.prob_hsil_3ch)
    monkeypatch.setattr(closings, "METHODS_VERSION", methods.METHODS_VERSION + 1)
    monkeypatch.setattr(
        methods, "METHODS_CHANGES", (*methods.METHODS_CHANGES, (methods.METHODS_VERSION + 1, "Something is summed up."))
    )
    report = study_report.study_report(administrator, study_id=study_id)
    anew = report.anew
    assert anew.primary_differs
    assert anew.primary_before[0] == before != report.analysis.primary[0].text
    assert anew.changes == ("Something is summed up.",)
    assert any(one.name.startswith("auc: model-1 3 channels") for one in anew.figures)
    assert not any("4 channels" in one.name for one in anew.figures), "only the network that was turned round"
    told = study_report.report_html(administrator, study_id=study_id)
    for said in ("Something is summed up.", "At the closing the primary endpoint", "<th>At the closing</th>"):
        assert said in told


def test_of_a_study_closed_by_an_older_version_all_changes_are_named_and_its_seal_holds(administrator: Caller) -> None:
    study_id = reported_study(administrator)
    with administrator.store.writing() as session:
        for statement in FORGET:
            session.execute(text(statement))
    anew = study_report.study_report(administrator, study_id=study_id).anew
    assert (anew.code_version, anew.methods_version) == (None, 1)
    assert anew.changes == methods.changes_since(1) != ()
    assert anew.changes[0] in unescape(study_report.report_html(administrator, study_id=study_id))
    sealed(administrator, study_id)


def test_an_open_study_is_held_against_no_closing(administrator: Caller, reader: Caller, add_case: AddCase) -> None:
    for label in (Label.NORMAL, Label.HSIL):
        add_case(label)
    study_id = make_study(administrator, [reader], ReadingPlan(interim_results=True))
    assert study_report.study_report(administrator, study_id=study_id).anew is None


def test_a_reading_that_comes_in_while_a_study_is_closed_keeps_it_open(
    store: Store, administrator: Caller, reader: Caller, add_case: AddCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in (Label.NORMAL, Label.HSIL):
        add_case(label)
    study_id = make_study(administrator, [reader])
    find_now = closings.find_now

    def slowly(store: Store, study_id: int) -> dict[str, object]:
        found = find_now(store, study_id)
        read_on(reader, study_id, at_most=1)
        return found

    monkeypatch.setattr(designing, "find_now", slowly)
    with pytest.raises(Conflict, match="Close it again"):
        designing.close_study(administrator, study_id=study_id, reason="enough")
    assert presenting.next_case(reader, study_id=study_id) is not None
    monkeypatch.undo()
    designing.close_study(administrator, study_id=study_id, reason="enough")
    assert closing_of(store, study_id).found["n_readings"] == 1


def test_every_row_of_an_aided_study_names_its_arm(administrator: Caller) -> None:
    plan = ReadingPlan(aid=Aid.AT_ONCE, n_sessions=2, washout_days=0, repeat_share=0.2)
    study_id = reported_study(administrator, plan=plan)
    report = study_report.study_report(administrator, study_id=study_id)
    titles = [report.results.title(one) for one in report.results.readers]
    assert len(set(titles)) == len(titles) == 6
    assert {title.rsplit(", ", 1)[1] for title in titles} == {"aided", "unaided"}
    assert {one.title.rsplit(", ", 1)[1] for network in report.analysis.networks for one in network.readers} == {
        "unaided"
    }
    assert all(one.title.endswith((", unaided", " channels")) for one in report.analysis.calibration)
    assert report.analysis.title("Berta") == "Berta, unaided"
    told = study_report.report_html(administrator, study_id=study_id)
    cells = [cell for row in told.split("<tr>") for cell in row.split("</td>")[:1]]
    named = [cell for cell in cells if "Berta" in cell and "kappa" not in cell]
    assert len([cell for cell in named if cell.endswith("Berta")]) == 1, "the table of exposures alone is of no arm"


def test_in_a_study_without_the_models_output_no_row_names_an_arm(administrator: Caller) -> None:
    report = study_report.study_report(administrator, study_id=reported_study(administrator))
    assert [report.results.title(one) for one in report.results.readers] == ["Anna-Maria", "Berta", "=Carla"]
    assert all("aided" not in one.title for one in report.analysis.calibration)


def numbered_files(administrator: Caller, study_id: int) -> dict[str, str]:
    from tests.unit.services.studies.test_report import unpacked

    content = study_report.report_archive(administrator, study_id=study_id, by_number=True)
    return {name: part.decode() for name, part in unpacked(content).items()}


def test_by_number_no_file_names_a_reader_and_the_numbers_are_those_of_the_study(administrator: Caller) -> None:
    plan = ReadingPlan(hypotheses="Berta is not worse than the others.")
    study_id = reported_study(administrator, plan=plan, name="What Berta reads")
    files = numbered_files(administrator, study_id)
    for name, content in files.items():
        for word in ("anna", "berta", "carla", administrator.actor.display_name.lower() + ","):
            assert word not in content.lower(), (name, word)
    order = sorted(rows(administrator, StudyReader.person_id, StudyReader.study_id == study_id))
    exposures = json.loads(files["record.json"])["conduct"]["exposures"]
    assert [(one["reader_id"], one["display_name"]) for one in exposures] == [
        (person_id, f"Reader {place}") for place, person_id in enumerate(order, start=1)
    ]
    assert "its hash is not the seal" in json.loads(files["record.json"])["note"]
    assert all(f"Reader {place}" in files["figures.csv"] for place in (1, 2, 3))
    named = study_report.study_report(administrator, study_id=study_id)
    numbered = study_report.study_report(administrator, study_id=study_id, by_number=True)
    primary = [[replace(one, basis=None) for one in report.analysis.primary] for report in (numbered, named)]
    assert primary[0] == primary[1] != []
    assert [replace(one, name="") for one in numbered.results.readers] == [
        replace(one, name="") for one in named.results.readers
    ]
    assert numbered.anew.figures == (), "the figures that were kept under the names are the same under the numbers"
