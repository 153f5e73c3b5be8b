"""The findings form, the specimens' sites and the comparison of stages on the page of a case."""

from typing import Any

import numpy as np

from colpo_core.ifcpc import Junction, Sign, SignGroup
from colpo_core.records.cases.cases import SpecimenSite
from colpo_core.records.cases.findings import FindingsEntry
from colpo_core.services.annotations.biopsy_points import save_biopsy_points
from colpo_core.services.cases.case import get_case
from colpo_core.services.cases.findings import get_findings, save_findings
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Finding, Grade, SpecimenKind, Stage
from tests.support.app_pages import OpenPage, button, press, words_of
from tests.support.several_annotators import submit

HEIGHT, WIDTH = 24, 32


def choose(page: Any, key: str, value: object) -> Any:
    """Choose in a group of buttons: one word, or several."""
    group = next(group for group in page.button_group if group.key == key)
    return group.set_value(value)


def paint_half(caller: Caller, image_id: int) -> None:
    """The whole image as cervix, its upper half as lesion."""
    whole = np.ones((HEIGHT, WIDTH), np.bool_)
    submit(caller, image_id, whole, Finding.CERVIX)
    upper = whole.copy()
    upper[HEIGHT // 2 :] = False
    submit(caller, image_id, upper)


def test_findings_are_entered_and_stay(open_page: OpenPage, annotator: Caller, case_id: int) -> None:
    page = open_page(annotator, "cases", case=case_id)
    key = f"findings_{case_id}_0"
    choose(page, f"{key}_adequate", True)
    choose(page, f"{key}_junction", Junction.COMPLETELY)
    choose(page, f"{key}_signs_{SignGroup.GRADE_2}", [Sign.COARSE_MOSAIC, Sign.SHARP_BORDER])
    choose(page, f"{key}_clock_hours", [3, 2])
    page.text_input(key=f"{key}_note").set_value("a remark")
    page.button(key=f"{key}_save").click().run()
    record = get_findings(annotator, case_id=case_id)
    assert record.entry == FindingsEntry(
        adequate=True,
        junction=Junction.COMPLETELY,
        signs=(Sign.COARSE_MOSAIC, Sign.SHARP_BORDER),
        clock_hours=(2, 3),
        note="a remark",
    )
    assert "Saved by Anna" in words_of(page)
    again = open_page(annotator, "cases", case=case_id)
    assert again.text_input(key=f"findings_{case_id}_1_note").value == "a remark"


def test_an_inadequate_examination_asks_for_its_reason(page: Any, annotator: Caller, case_id: int) -> None:
    key = f"findings_{case_id}_0"
    reasons = f"{key}_signs_{SignGroup.INADEQUATE}"
    assert reasons not in [group.key for group in page.button_group]
    choose(page, f"{key}_adequate", False)
    page.run()
    page.button(key=f"{key}_save").click().run()
    assert "needs its reason" in words_of(page)
    choose(page, reasons, [Sign.OBSCURED_BY_BLOOD])
    page.button(key=f"{key}_save").click().run()
    assert get_findings(annotator, case_id=case_id).entry.signs == (Sign.OBSCURED_BY_BLOOD,)


def test_a_reason_is_forgotten_with_the_word_that_asked_for_it(page: Any, annotator: Caller, case_id: int) -> None:
    key = f"findings_{case_id}_0"
    choose(page, f"{key}_adequate", False)
    page.run()
    choose(page, f"{key}_signs_{SignGroup.INADEQUATE}", [Sign.OBSCURED_BY_SCAR])
    page.run()
    choose(page, f"{key}_adequate", True)
    page.run()
    page.button(key=f"{key}_save").click().run()
    entry = get_findings(annotator, case_id=case_id).entry
    assert (entry.adequate, entry.signs) == (True, ())


def test_a_proposal_fills_in_and_counts_only_once_it_is_saved(
    open_page: OpenPage, annotator: Caller, case_id: int, image_id: int
) -> None:
    paint_half(annotator, image_id)
    page = press(open_page(annotator, "cases", case=case_id), "Propose from the mask")
    text = words_of(page)
    assert "Version 1 of your mask: 2 quadrants, 50% of the cervix, centre at 12 o'clock" in text
    assert get_findings(annotator, case_id=case_id).version == 0
    press(page, "Save findings")
    record = get_findings(annotator, case_id=case_id)
    assert (record.entry.quadrants, record.entry.cervix_percent) == (2, 50)
    assert record.entry.clock_hours[-1] == 12
    assert record.proposed_from is not None
    assert "as proposed from a mask and confirmed" in words_of(page)


def test_a_corrected_proposal_is_not_called_confirmed(
    open_page: OpenPage, annotator: Caller, case_id: int, image_id: int
) -> None:
    paint_half(annotator, image_id)
    page = press(open_page(annotator, "cases", case=case_id), "Propose from the mask")
    choose(page, f"findings_{case_id}_0_quadrants", 3)
    press(page, "Save findings")
    record = get_findings(annotator, case_id=case_id)
    assert (record.entry.quadrants, record.proposed_from) == (3, None)


def test_without_a_mask_nothing_can_be_proposed(page: Any) -> None:
    assert button(page, "Propose from the mask").disabled


def test_the_swede_row_is_filled_in_for_the_clinician_to_save(
    open_page: OpenPage, annotator: Caller, case_id: int, image_id: int
) -> None:
    paint_half(annotator, image_id)
    page = press(open_page(annotator, "cases", case=case_id), "Propose from the mask")
    press(page, "Swede score: enter 1 for lesion size (2 quadrants)")
    row = page.selectbox(key=f"record_{case_id}_1_lesion_size")
    assert row.value == 1
    assert get_case(annotator, case_id=case_id).form.swede.lesion_size is None
    press(page, "Save record")
    assert get_case(annotator, case_id=case_id).form.swede.lesion_size == 1


def test_somebody_else_s_findings_are_told_and_neither_is_lost(
    page: Any, annotator: Caller, administrator: Caller, case_id: int
) -> None:
    theirs = FindingsEntry(note="theirs")
    save_findings(administrator, case_id=case_id, base_version=0, entry=theirs)
    page.text_input(key=f"findings_{case_id}_0_note").set_value("mine").run()
    page.button(key=f"findings_{case_id}_0_save").click().run()
    assert "Somebody changed these findings" in words_of(page)
    assert "Ada saved these findings while you were filling in the form" in words_of(page)
    assert page.text_input(key=f"findings_{case_id}_0_note").value == "mine"
    assert get_findings(annotator, case_id=case_id).entry == theirs
    press(page, "Load the newer form")
    assert page.text_input(key=f"findings_{case_id}_1_note").value == "theirs"


def test_what_was_filled_in_is_there_again_after_another_page(page: Any, annotator: Caller, case_id: int) -> None:
    assert "Not saved yet" not in words_of(page)
    key = f"findings_{case_id}_0"
    choose(page, f"{key}_quadrants", 2)
    choose(page, f"{key}_signs_{SignGroup.GRADE_1}", [Sign.FINE_MOSAIC])
    page.run()
    assert "Not saved yet" in words_of(page)
    page.query_params.clear()
    page.run()  # the list: Streamlit forgets the form's widgets
    assert f"{key}_note" not in [field.key for field in page.text_input]
    page.query_params["case"] = str(case_id)
    page.run()
    assert "Not saved yet" in words_of(page)
    press(page, "Save findings")
    entry = get_findings(annotator, case_id=case_id).entry
    assert (entry.quadrants, entry.signs) == (2, (Sign.FINE_MOSAIC,))
    assert "Not saved yet" not in words_of(page)


def test_a_form_that_was_not_touched_follows_what_is_stored(page: Any, administrator: Caller, case_id: int) -> None:
    save_findings(administrator, case_id=case_id, base_version=0, entry=FindingsEntry(note="theirs"))
    page.run()
    assert page.text_input(key=f"findings_{case_id}_1_note").value == "theirs"
    assert "while you were filling in" not in words_of(page)


def test_a_specimen_takes_a_biopsy_point_as_its_site(
    open_page: OpenPage, annotator: Caller, case_id: int, image_id: int
) -> None:
    save_biopsy_points(annotator, image_id=image_id, points=[(3, 4), (28, 12)])
    page = open_page(annotator, "cases", case=case_id)
    key = f"specimen_{case_id}_0"
    page.selectbox(key=f"{key}_grade").set_value(Grade.CIN2)
    choice = page.selectbox(key=f"{key}_site")
    assert choice.options == [
        "–",
        "Click on the image next",
        "Biopsy point 1, Acetic acid",
        "Biopsy point 2, Acetic acid",
    ]
    choice.select_index(3)
    press(page, "Add specimen")
    (specimen,) = get_case(annotator, case_id=case_id).specimens
    assert specimen.site == SpecimenSite(image_id, 28, 12)
    assert "site on Acetic acid" in words_of(page)
    assert "By its site" not in words_of(page), "without an outline of the cervix there is no hour"
    page.button(key=f"site_{specimen.id}_point_0").click().run()
    assert get_case(annotator, case_id=case_id).specimens[0].site == SpecimenSite(image_id, 3, 4)
    page.button(key=f"site_{specimen.id}_remove").click().run()
    assert get_case(annotator, case_id=case_id).specimens[0].site is None


def test_the_hour_of_a_site_is_proposed_and_entered_on_confirmation(
    open_page: OpenPage, annotator: Caller, case_id: int, image_id: int
) -> None:
    paint_half(annotator, image_id)
    specimen_id = add_specimen(
        annotator,
        case_id=case_id,
        kind=SpecimenKind.PUNCH_BIOPSY,
        grade=Grade.CIN1,
        site=SpecimenSite(image_id, 30, 12),
    )
    page = open_page(annotator, "cases", case=case_id)
    assert "By its site it lies at **3 o'clock**" in words_of(page)
    assert get_case(annotator, case_id=case_id).specimens[0].clock_hour is None
    page.button(key=f"hour_{specimen_id}").click().run()
    assert get_case(annotator, case_id=case_id).specimens[0].clock_hour == 3
    assert "By its site" not in words_of(page)


def test_stages_are_compared_where_there_is_more_than_one(
    open_page: OpenPage, store: Store, annotator: Caller, case_id: int, image_id: int
) -> None:
    page = open_page(annotator, "cases", case=case_id)
    assert "case_compare" not in [toggle.key for toggle in page.toggle]
    with store.writing() as session:
        first = session.get_one(Image, image_id)
        native = Image(case_id=case_id, sha256=first.sha256, media_type=first.media_type, stage=Stage.NATIVE)
        native.width_px, native.height_px = first.width_px, first.height_px
        session.add(native)
    page = open_page(annotator, "cases", case=case_id)
    page.toggle(key="case_compare").set_value(True).run()
    assert [button.label for button in page.button if button.label == "Annotate"] == []
