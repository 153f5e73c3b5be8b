"""The list of cases as a page: filters in the address, orders, views, what is selected, and handing it on."""

from typing import Any

from colpo_core.records.cases.lists import CaseFilter, CaseSort
from colpo_core.services.cases.saved_views import list_views
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Job
from tests.support.app_pages import OpenPage, labels, press
from tests.support.clinic import PredictedClinic


def cases(page: Any) -> list[int]:
    return list(page.dataframe[0].value["Case"])


def test_the_address_sets_the_filters_and_follows_them(
    open_page: OpenPage, administrator: Caller, desk: PredictedClinic
) -> None:
    page = open_page(administrator, "cases", model="wrong", sort="probability", tab="list")
    assert cases(page) == [desk.cases[0].case_id]
    assert list(page.dataframe[0].value["Model"]) == ["60% · false alarm"]
    assert page.selectbox(key="cases_outcome").value == "wrong"
    page.selectbox(key="cases_outcome").set_value(None).run()
    page.selectbox(key="cases_grade").select_index(6).run()
    assert dict(page.query_params) == {"grade": "invasive_carcinoma", "sort": "probability", "tab": "list"}
    assert cases(page) == [desk.cases[2].case_id]
    press(page, "Clear all filters")
    assert len(cases(page)) == 3
    assert "grade" not in page.query_params


def test_an_address_that_asks_for_what_is_not_there_says_so_and_shows_all(
    open_page: OpenPage, administrator: Caller, desk: PredictedClinic
) -> None:
    page = open_page(administrator, "cases", grade="cin9")
    assert "cin9" in page.warning[0].value
    assert len(cases(page)) == 3


def test_a_case_leads_back_to_the_list_as_it_was(
    open_page: OpenPage, administrator: Caller, desk: PredictedClinic
) -> None:
    page = open_page(administrator, "cases", label="hsil")
    page.query_params.clear()
    page.query_params["case"] = str(desk.cases[1].case_id)
    page.run()
    press(page, "All cases")
    assert cases(page) == [desk.cases[1].case_id]
    assert page.selectbox(key="cases_label").value == "hsil"


def test_a_view_is_kept_opened_and_forgotten(open_page: OpenPage, administrator: Caller, desk: PredictedClinic) -> None:
    page = open_page(administrator, "cases", flip="yes", sort="uncertainty")
    page.text_input(key="cases_view_name").set_value("networks differ").run()
    press(page, "Keep")
    (view,) = list_views(administrator)
    assert (view.where, view.sort) == (CaseFilter(networks_differ=True), CaseSort.UNCERTAINTY)
    page = open_page(administrator, "cases")
    press(page, "networks differ")
    assert page.selectbox(key="cases_networks_differ").value is True
    assert page.selectbox(key="cases_sort").value is CaseSort.UNCERTAINTY
    page.button(key=f"forget_view_{view.id}").click().run()
    assert list_views(administrator) == ()


def select(page: Any, case_ids: set[int]) -> None:
    page.session_state["cases_selected"] = frozenset(case_ids)
    page.run()


def test_selected_cases_are_predicted_in_one_job(
    open_page: OpenPage, store: Store, administrator: Caller, desk: PredictedClinic, placed: list[int]
) -> None:
    desk.add_checkpoint("model-2", administrator)
    page = open_page(administrator, "cases")
    assert "Predict" not in labels(page)
    select(page, {case.case_id for case in desk.cases[:2]})
    press(page, "Predict")
    with store.reading() as session:
        job = session.get_one(Job, placed[0])
    assert job.settings["image_ids"] == [case.image_id for case in desk.cases[:2]]
    press(page, "Predict")
    assert len(placed) == 1, "a job that waits covers them already"


def test_all_that_fit_are_selected_and_handed_to_a_task(
    open_page: OpenPage, administrator: Caller, annotator: Caller, desk: PredictedClinic
) -> None:
    page = open_page(administrator, "cases", label="normal")
    select(page, {desk.cases[2].case_id})
    press(page, "All that fit")
    assert page.session_state["cases_selected"] == {desk.cases[0].case_id}
    page = open_page(administrator, "tasks", new=1)
    page.session_state["cases_to_hand_out"] = (desk.cases[0].case_id, desk.cases[1].case_id)
    page.run()
    assert "**2 cases** selected" in "".join(one.value for one in page.markdown)
    people = page.multiselect(key="task_people")
    people.set_value(people.options[:1]).run()
    assert next(one.value for one in page.metric if one.label == "Cases") == "2"
    press(page, "Choose by filters instead")
    assert next(one.value for one in page.metric if one.label == "Cases") == "3"


def test_an_annotator_hands_nothing_out(open_page: OpenPage, annotator: Caller, desk: PredictedClinic) -> None:
    page = open_page(annotator, "cases")
    select(page, {desk.cases[0].case_id})
    shown = labels(page)
    assert "Predict" in shown
    assert "Hand out" not in shown
