"""The pages of cases, the worklist and the dashboard, drawn by the whole program for each role."""

from collections.abc import Callable
from typing import Any

import pytest

from colpo_core.records.cases.cases import CaseForm
from colpo_core.services.cases.case import get_case, update_case
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.demonstration import fill_demonstration
from colpo_core.store import Store
from colpo_core.terms import Colposcopy, Grade, Label, SpecimenKind, Stage
from tests.integration.conftest import Get
from tests.support.app_pages import OpenPage, press, words_of

AddCase = Callable[..., int]


def test_the_worklist_counts_what_waits(open_page: OpenPage, annotator: Caller, add_case: AddCase) -> None:
    add_case(None)
    page = open_page(annotator)
    text = words_of(page)
    assert "Images to annotate" in text
    assert "Cases without a label" in text
    assert "Masks to confirm" not in text


def test_a_reader_sees_no_case(open_page: OpenPage, reader: Caller, add_case: AddCase) -> None:
    case_id = add_case(Label.HSIL)
    home = words_of(open_page(reader))
    assert "No study waits" in home
    assert "secret" not in home
    for name in ("cases", "dashboard"):
        page = open_page(reader, name, case=case_id)
        assert "Not for your role" in words_of(page)
        assert "secret" not in words_of(page)


def test_the_list_shows_cases_and_filters_them(open_page: OpenPage, annotator: Caller, add_case: AddCase) -> None:
    add_case(Label.HSIL)
    add_case(Label.NORMAL, simulated=True)
    page = open_page(annotator, "cases")
    table = page.dataframe[0].value
    assert list(table["Label"]) == ["Normal", "HSIL"]
    assert list(table[""]) == ["SIMULATED", ""]
    page.text_input(key="cases_patient_code").set_value("secret-1").run()
    assert list(page.dataframe[0].value["Patient"]) == ["secret-1"]
    page.text_input(key="cases_patient_code").set_value("nobody").run()
    assert "No case fits" in words_of(page)
    assert list(open_page(annotator, "cases", label="hsil").dataframe[0].value["Label"]) == ["HSIL"]


def test_the_list_goes_on_page_by_page(
    open_page: OpenPage, annotator: Caller, add_case: AddCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.cases.listing.PAGE", 2)
    for _ in range(3):
        add_case()
    page = open_page(annotator, "cases")
    assert list(page.dataframe[0].value["Case"]) == [3, 2]
    page.button(key="cases_older").click().run()
    assert list(page.dataframe[0].value["Case"]) == [1]
    page.button(key="cases_newer").click().run()
    assert list(page.dataframe[0].value["Case"]) == [3, 2]


def test_a_case_shows_its_label_with_the_reason_and_takes_histology(
    open_page: OpenPage, annotator: Caller, add_case: AddCase
) -> None:
    case_id = add_case(None, simulated=True)
    page = open_page(annotator, "cases", case=case_id)
    assert "**Excluded**" in words_of(page)
    assert "SIMULATED" in words_of(page)
    page.selectbox(key=f"specimen_{case_id}_0_grade").set_value(Grade.CIN2)
    press(page, "Add specimen")
    assert "CIN2, which needs treatment." in words_of(page)
    (specimen,) = get_case(annotator, case_id=case_id).specimens
    page.button(key=f"withdraw_{specimen.id}").click().run()
    assert "withdrawn" in words_of(page)
    assert "**Excluded**" in words_of(page)


def test_a_specimen_without_a_grade_is_not_entered(page: Any, annotator: Caller, case_id: int) -> None:
    press(page, "Add specimen")
    assert "grade first" in words_of(page)
    assert get_case(annotator, case_id=case_id).specimens == ()


def test_cancer_is_flagged_on_the_case(open_page: OpenPage, annotator: Caller, case_id: int) -> None:
    add_specimen(annotator, case_id=case_id, kind=SpecimenKind.LEEP, grade=Grade.INVASIVE_CARCINOMA)
    text = words_of(open_page(annotator, "cases", case=case_id))
    assert "Excluded, flagged" in text
    assert "never used as normal" in text


def test_a_swede_score_with_a_missing_row_is_incomplete_and_a_whole_one_is_summed(
    page: Any, annotator: Caller, case_id: int
) -> None:
    key = f"record_{case_id}_1"
    assert "Score &nbsp; **not recorded**" in words_of(page)
    for name in ("aceto_uptake", "margins", "vessels", "lesion_size"):
        page.selectbox(key=f"{key}_{name}").set_value(2)
    page.run()
    assert "Score &nbsp; **incomplete: iodine staining missing**" in words_of(page)
    assert "of 10" not in words_of(page)
    page.selectbox(key=f"{key}_iodine").set_value(1).run()
    assert "Score &nbsp; **9 of 10** · suspicious" in words_of(page)
    page.button(key=f"{key}_save").click().run()
    case = get_case(annotator, case_id=case_id)
    assert (case.swede_total, case.version) == (9, 2)
    assert "as an impression and not histology: HSIL" in words_of(page)


def test_an_edit_upon_an_older_record_is_told_and_overwrites_nothing(
    page: Any, annotator: Caller, administrator: Caller, case_id: int
) -> None:
    form = CaseForm(colposcopy=Colposcopy.NORMAL)
    update_case(administrator, case_id=case_id, base_version=1, form=form)
    page.number_input(key=f"record_{case_id}_1_age_years").set_value(40)
    page.button(key=f"record_{case_id}_1_save").click().run()
    assert "Somebody changed this case" in words_of(page)
    assert get_case(annotator, case_id=case_id).form == form


def test_an_image_is_corrected(page: Any, annotator: Caller, case_id: int) -> None:
    image = get_case(annotator, case_id=case_id).images[0].image
    key = f"mark_{image.id}_{image.stage}_None_True"
    page.selectbox(key=f"{key}_stage").set_value(Stage.LUGOL)
    page.toggle(key=f"{key}_cervix").set_value(False)
    page.button(key=f"{key}_save").click().run()
    image = get_case(annotator, case_id=case_id).images[0].image
    assert (image.stage, image.shows_cervix) == (Stage.LUGOL, False)


@pytest.mark.parametrize("asked", ["999", "none", "-1", "1e3"])
def test_an_address_that_names_no_case_says_so(open_page: OpenPage, annotator: Caller, asked: str) -> None:
    page = open_page(annotator, "cases", case=asked)
    assert len(page.error) == 1
    assert [button.label for button in page.button if button.label == "All cases"]


def test_the_dashboard_states_n_and_marks_simulated_cases(open_page: OpenPage, store: Store, annotator: Caller) -> None:
    fill_demonstration(store, 8, height_px=72, width_px=96)
    page = open_page(annotator, "dashboard")
    text = words_of(page)
    assert "Cases per grade (n = 8)" in text
    assert "8 of 8 cases counted here were drawn" in text
    assert "SIMULATED" in text
    assert "Cases per month (n = 8)" in text
    for tab in ("model", "watch"):
        shown = open_page(annotator, "dashboard", tab=tab)
        assert "No model is promoted yet" in words_of(shown)
    page.toggle(key="dashboard_simulated").set_value(False).run()
    assert "All cases are simulated" in words_of(page)


def test_images_are_for_clinicians_alone(get: Get, annotator: Caller, reader: Caller, image_id: int) -> None:
    paths = (f"/colpo/images/{image_id}", f"/colpo/images/{image_id}/thumbnail")
    for path in paths:
        assert get(None, path).status_code == 401
        refused = get(reader, path)
        assert (refused.status_code, list(refused.json())) == (403, ["error"])
    whole, small = (get(annotator, path) for path in paths)
    assert (whole.headers["content-type"], small.headers["content-type"]) == ("image/png", "image/jpeg")
    assert "no-cache" in whole.headers["cache-control"]
    assert "private" in whole.headers["cache-control"]
    assert whole.headers["etag"] != small.headers["etag"]
    kept = {"if-none-match": whole.headers["etag"]}
    again = get(annotator, paths[0], **kept)
    assert (again.status_code, again.content) == (304, b"")
    assert get(annotator, "/colpo/images/999").status_code == 404
    assert get(reader, paths[0], **kept).status_code == 403
