"""The pages of reading studies as a person walks through them."""

from typing import Any

import pytest
from sqlalchemy import select

from colpo_core.records.studies.designs import CaseSource
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, readings
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.rows import get_study, list_studies
from colpo_core.store import Store
from colpo_core.store.tables import Case, Prediction
from colpo_core.terms import Grade, Label, Role, StudyState
from pages._ui.studies.results import results_chart, results_table
from tests.conftest import add_person
from tests.support.app_pages import OpenPage, button, html_of, labels, press, said
from tests.support.clinic import PredictedClinic
from tests.support.conducted import make_study, read_on, waiting
from tests.support.reported import reported_study


@pytest.fixture
def form(administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage) -> Any:
    """The form of a new study, with three cases and a reader."""
    return open_page(administrator, "studies", new=1)


@pytest.fixture
def draft(administrator: Caller, study_id: int, open_page: OpenPage) -> Any:
    """The page of a draft."""
    return open_page(administrator, "studies", study=study_id)


def closed_study(administrator: Caller) -> int:
    """Twelve cases that two readers have read, and a checkpoint that has predicted them and learned from none."""
    clinic = PredictedClinic(administrator)
    grades = [(Grade.NORMAL,), (Grade.CIN3,)] * 5
    clinic.predictions += [
        clinic.predict(clinic.clinic.add_case(grades=one).image_id, clinic.checkpoint_id) for one in grades
    ]
    with administrator.store.writing() as session:
        for place, prediction in enumerate(session.scalars(select(Prediction).order_by(Prediction.id))):
            prediction.prob_hsil_4ch = 0.1 + 0.07 * (place * 5 % 12)
    readers = [add_person(administrator.store, username, Role.READER) for username in ("<b>anna", "berta")]
    study_id = make_study(administrator, readers, name="Two readers", checkpoint_ids=[clinic.checkpoint_id])
    for reader in readers:
        for number in range(12):
            call = Label.HSIL if number % 3 else Label.NORMAL
            token = waiting(reader, study_id).token
            readings.record_reading(reader, study_id=study_id, token=token, call=call, confidence=7 * number)
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    return study_id


def test_a_study_is_made_with_counts_in_sight(form: Any, administrator: Caller) -> None:
    assert [metric.value for metric in form.metric] == ["3", "2", "1"]
    form.multiselect(key="study_readers").select("Rita (rita)").run()
    assert button(form, "Create study").disabled
    form.text_input(key="study_name").set_value("Spring").run()
    assert not button(form, "Create study").disabled
    press(form, "Create study")
    (made,) = list_studies(administrator)
    assert (made.name, made.state, made.n_cases) == ("Spring", StudyState.DRAFT, 3)


def test_the_form_tells_how_likely_the_study_is_to_find_what_is_assumed(form: Any) -> None:
    assert "with a power of" not in said(form)
    form.number_input(key="power_network").set_value(0.95).run()
    press(form, "Estimate")
    assert "by simulation of 400 studies" in said(form)
    form.number_input(key="power_readers").set_value(0.4).run()
    press(form, "Estimate")
    assert "An assumed auc lies above 0.5" in said(form)


def test_the_form_takes_the_aid_and_the_design_says_it(
    administrator: Caller, reader: Caller, open_page: OpenPage
) -> None:
    PredictedClinic(administrator)
    app = open_page(administrator, "studies", new=1)
    app.text_input(key="study_name").set_value("Aided")
    app.multiselect(key="study_readers").select("Rita (rita)")
    app.multiselect(key="study_checkpoints").select("model-1")
    app.number_input(key="study_sessions").set_value(3)
    app.radio(key="study_aid").set_value(Aid.AT_ONCE).run()
    press(app, "Create study")
    assert "A crossover takes an even number of sessions" in said(app)
    assert list_studies(administrator) == ()
    app.toggle(key="study_crossover").set_value(False)
    for asked in ("study_points", "study_findings", "study_stages"):
        app.toggle(key=asked).set_value(True)
    app.run()
    press(app, "Create study")
    (made,) = list_studies(administrator)
    plan = get_study(administrator, study_id=made.id).plan
    assert (plan.aid, plan.crossover, plan.n_sessions) == (Aid.AT_ONCE, False, 3)
    assert plan.asks_points and plan.asks_findings and plan.shows_stages
    shown = said(open_page(administrator, "studies", study=made.id))
    for words in ("whole sessions", "biopsy sites as points, findings", "other images may be looked at"):
        assert words in shown


def test_the_form_takes_sessions_practice_and_the_endpoint(
    form: Any, administrator: Caller, cases: list[int], open_page: OpenPage
) -> None:
    form.multiselect(key="study_readers").select("Rita (rita)").run()
    form.text_input(key="study_name").set_value("Planned")
    form.number_input(key="study_sessions").set_value(2).run()
    form.number_input(key="study_washout").set_value(14)
    form.slider(key="study_repeats").set_value(50)
    form.number_input(key="study_margin").set_value(0.05)
    form.text_input(key="study_practice").set_value(str(cases[0])).run()
    assert [metric.value for metric in form.metric] == ["2", "1", "1"]
    assert "Left out: 1 (practised with)" in said(form)
    press(form, "Create study")
    (made,) = list_studies(administrator)
    assert (made.n_cases, made.n_each, made.n_practice) == (2, 6, 1)
    words = said(open_page(administrator, "studies", study=made.id))
    assert "2 sessions a reader, at least 14 days apart" in words
    assert "margin of non" in words


def test_case_numbers_are_counted_and_mistakes_told(form: Any, cases: list[int]) -> None:
    form.button_group(key="study_source").set_value(CaseSource.PICKED).run()
    form.text_input(key="study_cases").set_value(f"{cases[0]}-{cases[1]}, 4711").run()
    assert [metric.value for metric in form.metric] == ["2", "1", "1"]
    assert "Left out: 1 (no such case)" in said(form)
    form.text_input(key="study_cases").set_value("seven").run()
    assert "not a case number" in said(form)


def test_from_draft_to_results(administrator: Caller, reader: Caller, study_id: int, open_page: OpenPage) -> None:
    app = open_page(administrator, "studies", study=study_id)
    press(app, "Seal and open")
    assert "sealed and open" in said(app)
    assert "Results are hidden until the study is closed" in said(app)

    assert read_on(reader, study_id, at_most=1) == 1
    app = open_page(administrator, "studies", study=study_id)
    assert "1 of 3" in said(app)
    assert "2 of 3 readings are still missing" in said(app)
    press(app, "Close now")
    assert "2 of 3 readings are missing. Say why" in said(app)
    app.text_input(key="close_reason").set_value("the reader fell ill").run()
    press(app, "Close now")
    assert "closed early, with 2 readings missing. Reason: the reader fell ill" in said(app)
    table = html_of(app)
    assert "1 of 3" in table
    assert "not all read" in table
    assert "Reference standard: histology (kim-2022.1)" in said(app)
    assert "SIMULATED" in said(app)
    assert "Statistics" in said(app)
    assert "too few readings for statistics" in said(app)


def test_a_closed_study_shows_readers_together_and_against_the_networks(
    administrator: Caller, open_page: OpenPage
) -> None:
    study_id = closed_study(administrator)
    app = open_page(administrator, "studies", study=study_id)
    tables = html_of(app)
    assert "All readers" in tables
    assert "Reader minus network" in tables
    assert "Fleiss&#39; kappa" in tables
    assert "Krippendorff" in tables
    assert "&lt;B&gt;Anna" in tables, "a name is no markup"
    assert "Readers against model-1, 4 channels" in said(app)
    assert "On the 12 cases that it has judged and not learned from" in said(app)
    assert "Primary endpoint" in said(app)
    (link,) = [one for one in app.get("link_button") if one.proto.label == "Open the report"]
    assert link.proto.url == f"/colpo/studies/{study_id}/report"
    assert "4 channels, minus the readers, area under the curve" in said(app)
    assert "Overconfidence" in tables
    assert "<th scope='col'>PPV</th><th scope='col'>NPV</th></tr></thead>" not in tables.split("Reader minus")[1]
    app.number_input(key="study_prevalence").set_value(0.05).run()
    at_prevalence = html_of(app)
    assert "model-1, 4 channels</td>" in at_prevalence
    assert "Mercaldo" in said(app)
    assert "By patients" not in said(app), "each case is a patient of her own"


def test_patients_with_several_cases_have_figures_of_their_own(
    store: Store, administrator: Caller, open_page: OpenPage
) -> None:
    study_id = closed_study(administrator)
    with store.writing() as session:
        kept = session.scalars(select(Case).order_by(Case.id)).all()
        for one, other in zip(kept[::2], kept[1::2], strict=False):
            other.patient_id = one.patient_id
    app = open_page(administrator, "studies", study=study_id)
    assert "By patients (" in said(app)
    assert "All readers minus the network, with intervals by patients: Area" in said(app)
    assert "Patients are counted: all readers together" in said(app)


def test_a_draft_is_discarded(draft: Any, administrator: Caller) -> None:
    press(draft, "Discard draft")
    assert list_studies(administrator) == ()


def test_a_name_is_no_markup(administrator: Caller, study_id: int, open_page: OpenPage) -> None:
    assert "Odd \\*name\\* \\<b\\>" in said(open_page(administrator, "studies"))


@pytest.mark.parametrize("number", ["99", "0", "999999999"])
def test_a_study_that_is_not_there_is_a_sentence(administrator: Caller, open_page: OpenPage, number: str) -> None:
    assert f"There is no study {number}." in said(open_page(administrator, "studies", study=number))


@pytest.mark.parametrize("number", ["x", "-1", "99999999999999", "²"])
def test_an_address_that_is_no_number_shows_the_list(administrator: Caller, open_page: OpenPage, number: str) -> None:
    app = open_page(administrator, "studies", study=number)
    assert app.title[0].value == "Reading studies"


def test_opening_is_asked_once_more_and_says_what_weakens_the_study(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    draft = designing.create_study(
        administrator, name="No washout", reader_ids=[reader.person_id],
        plan=ReadingPlan(n_sessions=2, washout_days=0))  # fmt: skip
    app = open_page(administrator, "studies", study=draft.id)
    assert "Open for reading" not in labels(app), "one click alone seals nothing"
    assert "There is no washout between the sessions" in said(app)
    assert "No question is written down" in said(app)
    assert get_study(administrator, study_id=draft.id).study.state is StudyState.DRAFT
    press(app, "Seal and open")
    assert "sealed and open" in said(app)


def test_rows_and_dots_of_an_aided_study_name_their_arm(administrator: Caller) -> None:
    plan = ReadingPlan(aid=Aid.AFTER_FIRST_CALL)
    study_id = reported_study(administrator, plan=plan)
    results = study_results.study_results(administrator, study_id=study_id)
    table = results_table(results)
    for name in ("Anna-Maria", "Berta", "=Carla"):
        for arm in ("aided", "unaided"):
            assert f"<div class='value'>{name}, {arm}</div>" in table
    dots = results_chart(results).data
    rows = [(dot.y[0], dot.xaxis) for dot in dots]
    assert len(set(rows)) == len(rows), "no two marks stand on one line"
    marks = {(dot.y[0].rsplit(", ", 1)[1], dot.marker.symbol) for dot in dots if "channels" not in dot.y[0]}
    assert marks == {("aided", "square"), ("unaided", "circle")}


def test_the_report_numbers_the_readers_where_that_is_asked(administrator: Caller, open_page: OpenPage) -> None:
    study_id = reported_study(administrator)
    app = open_page(administrator, "studies", study=study_id)
    links = [one.proto.url for one in app.get("link_button")]
    assert links == [f"/colpo/studies/{study_id}/report"]
    app.toggle(key=f"report_by_number_{study_id}").set_value(True).run()
    assert [one.proto.url for one in app.get("link_button")] == [f"/colpo/studies/{study_id}/report?readers=by-number"]
