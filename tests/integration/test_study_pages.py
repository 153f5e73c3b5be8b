"""The pages of reading studies as a person walks through them."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from colpo_core.records.studies.designs import CaseSource
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.rows import get_study, list_studies
from colpo_core.store import Store
from colpo_core.store.tables import Case, Prediction
from colpo_core.terms import Grade, Label, Role, StudyState
from pages._ui.studies.results import results_chart, results_table
from tests.conftest import add_person
from tests.support.app_pages import button, said
from tests.support.clinic import PredictedClinic
from tests.support.reported import reported_study

OpenPage = Callable[..., Any]


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
    study = designing.create_study(
        administrator,
        name="Two readers",
        reader_ids=[one.person_id for one in readers],
        checkpoint_ids=[clinic.checkpoint_id],
    )
    designing.open_study(administrator, study_id=study.id)
    for reader in readers:
        for number in range(study.n_cases):
            shown = presenting.next_case(reader, study_id=study.id)
            assert shown is not None
            call = Label.HSIL if number % 3 else Label.NORMAL
            answer = {"call": call, "confidence": 7 * number}
            readings.record_reading(reader, study_id=study.id, token=shown.token, **answer)
    designing.close_study(administrator, study_id=study.id, reason="enough was read")
    return study.id


def test_without_a_study_the_page_says_what_to_do(administrator: Caller, open_page: OpenPage) -> None:
    app = open_page(administrator, "studies")
    assert not app.exception
    assert "No study yet" in said(app)


def test_without_readers_the_form_says_what_to_do(administrator: Caller, open_page: OpenPage) -> None:
    app = open_page(administrator, "studies", new=1)
    assert not app.exception
    assert "A study needs readers" in said(app)
    assert "at least one reader" in said(app)
    assert button(app, "Create study").disabled


def test_a_study_is_made_with_counts_in_sight(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    app = open_page(administrator, "studies", new=1)
    assert [metric.value for metric in app.metric] == ["3", "2", "1"]
    app.multiselect(key="study_readers").select("Rita (rita)").run()
    assert button(app, "Create study").disabled
    app.text_input(key="study_name").set_value("Spring").run()
    assert not button(app, "Create study").disabled
    button(app, "Create study").click().run()
    assert not app.exception
    (made,) = list_studies(administrator)
    assert (made.name, made.state, made.n_cases) == ("Spring", StudyState.DRAFT, 3)


def test_the_form_tells_how_likely_the_study_is_to_find_what_is_assumed(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    app = open_page(administrator, "studies", new=1)
    assert "with a power of" not in said(app)
    app.number_input(key="power_network").set_value(0.95).run()
    button(app, "Estimate").click().run()
    assert not app.exception
    assert "by simulation of 400 studies" in said(app)
    app.number_input(key="power_readers").set_value(0.4).run()
    button(app, "Estimate").click().run()
    assert "An assumed auc lies above 0.5" in said(app)


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
    assert not app.exception
    button(app, "Create study").click().run()
    assert "A crossover takes an even number of sessions" in said(app)
    assert list_studies(administrator) == ()
    app.toggle(key="study_crossover").set_value(False)
    for asked in ("study_points", "study_findings", "study_stages"):
        app.toggle(key=asked).set_value(True)
    app.run()
    button(app, "Create study").click().run()
    assert not app.exception
    (made,) = list_studies(administrator)
    plan = get_study(administrator, study_id=made.id).plan
    assert (plan.aid, plan.crossover, plan.n_sessions) == (Aid.AT_ONCE, False, 3)
    assert plan.asks_points and plan.asks_findings and plan.shows_stages
    shown = said(open_page(administrator, "studies", study=made.id))
    for words in ("whole sessions", "biopsy sites as points, findings", "other images may be looked at"):
        assert words in shown


def test_the_form_takes_sessions_practice_and_the_endpoint(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    app = open_page(administrator, "studies", new=1)
    app.multiselect(key="study_readers").select("Rita (rita)").run()
    app.text_input(key="study_name").set_value("Planned")
    app.number_input(key="study_sessions").set_value(2).run()
    app.number_input(key="study_washout").set_value(14)
    app.slider(key="study_repeats").set_value(50)
    app.number_input(key="study_margin").set_value(0.05)
    app.text_input(key="study_practice").set_value(str(cases[0])).run()
    assert [metric.value for metric in app.metric] == ["2", "1", "1"]
    assert "Left out: 1 (practised with)" in said(app)
    button(app, "Create study").click().run()
    assert not app.exception
    (made,) = list_studies(administrator)
    assert (made.n_cases, made.n_each, made.n_practice) == (2, 6, 1)
    words = said(open_page(administrator, "studies", study=made.id))
    assert "2 sessions a reader, at least 14 days apart" in words
    assert "margin of non" in words


def test_case_numbers_are_counted_and_mistakes_told(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    app = open_page(administrator, "studies", new=1)
    app.button_group(key="study_source").set_value(CaseSource.PICKED).run()
    app.text_input(key="study_cases").set_value(f"{cases[0]}-{cases[1]}, 4711").run()
    assert [metric.value for metric in app.metric] == ["2", "1", "1"]
    assert "Left out: 1 (no such case)" in said(app)
    app.text_input(key="study_cases").set_value("seven").run()
    assert "not a case number" in said(app)


def test_from_draft_to_results(administrator: Caller, reader: Caller, study_id: int, open_page: OpenPage) -> None:
    app = open_page(administrator, "studies", study=study_id)
    assert not app.exception
    button(app, "Seal and open").click().run()
    assert "sealed and open" in said(app)
    assert "Results are hidden until the study is closed" in said(app)

    shown = presenting.next_case(reader, study_id=study_id)
    assert shown is not None
    readings.record_reading(reader, study_id=study_id, token=shown.token, call=Label.HSIL, confidence=90)
    app = open_page(administrator, "studies", study=study_id)
    assert "1 of 3" in said(app)
    assert "2 of 3 readings are still missing" in said(app)
    button(app, "Close now").click().run()
    assert "2 of 3 readings are missing. Say why" in said(app)
    app.text_input(key="close_reason").set_value("the reader fell ill").run()
    button(app, "Close now").click().run()
    assert not app.exception
    assert "closed early, with 2 readings missing. Reason: the reader fell ill" in said(app)
    table = "".join(str(element.proto.body) for element in app.get("html"))
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
    assert not app.exception
    tables = "".join(str(element.proto.body) for element in app.get("html"))
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
    assert not app.exception
    at_prevalence = "".join(str(element.proto.body) for element in app.get("html"))
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
    assert not app.exception
    assert "By patients (" in said(app)
    assert "All readers minus the network, with intervals by patients: Area" in said(app)
    assert "Patients are counted: all readers together" in said(app)


def test_a_draft_is_discarded(administrator: Caller, study_id: int, open_page: OpenPage) -> None:
    app = open_page(administrator, "studies", study=study_id)
    button(app, "Discard draft").click().run()
    assert not app.exception
    assert list_studies(administrator) == ()


def test_a_name_is_no_markup(administrator: Caller, study_id: int, open_page: OpenPage) -> None:
    assert "Odd \\*name\\* \\<b\\>" in said(open_page(administrator, "studies"))


@pytest.mark.parametrize("number", ["99", "0", "999999999"])
def test_a_study_that_is_not_there_is_a_sentence(administrator: Caller, open_page: OpenPage, number: str) -> None:
    assert f"There is no study {number}." in said(open_page(administrator, "studies", study=number))


@pytest.mark.parametrize("number", ["x", "-1", "99999999999999", "²"])
def test_an_address_that_is_no_number_shows_the_list(administrator: Caller, open_page: OpenPage, number: str) -> None:
    app = open_page(administrator, "studies", study=number)
    assert not app.exception
    assert app.title[0].value == "Reading studies"


def test_opening_is_asked_once_more_and_says_what_weakens_the_study(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    draft = designing.create_study(
        administrator, name="No washout", reader_ids=[reader.person_id],
        plan=ReadingPlan(n_sessions=2, washout_days=0))  # fmt: skip
    app = open_page(administrator, "studies", study=draft.id)
    assert not app.exception
    assert "Open for reading" not in [one.label for one in app.button], "one click alone seals nothing"
    assert "There is no washout between the sessions" in said(app)
    assert "No question is written down" in said(app)
    assert get_study(administrator, study_id=draft.id).study.state is StudyState.DRAFT
    button(app, "Seal and open").click().run()
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
    assert not app.exception
    links = [one.proto.url for one in app.get("link_button")]
    assert links == [f"/colpo/studies/{study_id}/report"]
    app.toggle(key=f"report_by_number_{study_id}").set_value(True).run()
    assert [one.proto.url for one in app.get("link_button")] == [f"/colpo/studies/{study_id}/report?readers=by-number"]
