"""A reader reads with the model's output in a real browser: after the first call, and not a byte of it before."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.store import Store
from colpo_core.store.tables import Image, Reading
from colpo_core.terms import Arm, Label, Stage
from tests.browser.conftest import Server
from tests.browser.sign_in import TALL
from tests.browser.test_blinded_reading import Ear
from tests.support.clinic import SIDE_PX, PredictedClinic

pytestmark = pytest.mark.browser
SOON = 60_000


@pytest.fixture
def study_id(administrator: Caller, reader: Caller) -> int:
    clinic = PredictedClinic(administrator)
    study = designing.create_study(
        administrator,
        name="With the model",
        reader_ids=[reader.person_id],
        checkpoint_ids=[clinic.checkpoint_id],
        plan=ReadingPlan(aid=Aid.AFTER_FIRST_CALL, aid_checkpoint_id=clinic.checkpoint_id),
    )
    designing.open_study(administrator, study_id=study.id)
    return study.id


@pytest.fixture
def open_study(
    new_page: Callable[..., Page], new_server: Server, reader: Caller, token_of: Callable[[Caller], str]
) -> Callable[..., Page]:
    """Opens a study in a browser of the reader's, once `prepare` has seen the page."""

    def opened(study_id: int, prepare: Callable[[Page], object] = lambda page: None) -> Page:
        page = new_page(new_server, token_of(reader), viewport=TALL)
        prepare(page)
        page.goto(f"{new_server.url}/read?study={study_id}")
        return page

    return opened


def see_second_call(page: Page) -> None:
    expect(page.get_by_text("Second call, with the model's output")).to_be_visible(timeout=SOON)


def see_button(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=SOON)


def see_place(page: Page, place: str) -> None:
    expect(page.locator(".where")).to_have_text(place, timeout=SOON)


def answer(page: Page, call: str) -> None:
    expect(page.get_by_role("radio", name="HSIL")).to_be_enabled()
    page.keyboard.press(call)
    page.keyboard.press("8")
    page.keyboard.press("Enter")


def test_the_models_output_comes_after_the_first_call_and_not_a_byte_before(
    store: Store, administrator: Caller, study_id: int, open_study: Callable[..., Page], new_server: Server
) -> None:
    ears: list[Ear] = []
    page = open_study(study_id, lambda page: ears.append(Ear(page)))
    see_place(page, "1 of 2")
    page.get_by_role("img", name="The image to read").first.wait_for()
    heard = ears[0].everything()
    for secret in (b"probability of HSIL", b"/aid/", b"Grad-CAM", b"Acetowhite epithelium"):
        assert secret not in heard
    image = page.get_by_role("img", name="The image to read").first.get_attribute("data-url")
    assert image
    for layer in ("mask", "map"):
        for suffix in ("", ".2"):
            tried = f"{image.replace('/image/', '/aid/')}{suffix}/{layer}.png"
            assert page.request.get(f"{new_server.url}{tried}").status == 403

    answer(page, "1")
    see_second_call(page)
    expect(page.get_by_text("60%").first).to_be_visible()
    expect(page.locator(".where")).to_have_text("1 of 2")
    page.reload()
    see_second_call(page)
    expect(page.get_by_text("Acetowhite epithelium").first).to_be_visible()
    expect(page.get_by_role("radio", name="Normal")).not_to_be_checked()
    answer(page, "2")
    see_place(page, "2 of 2")
    expect(page.get_by_text("Second call")).to_have_count(0)
    answer(page, "2")
    see_second_call(page)
    answer(page, "2")
    expect(page.get_by_role("heading", name="All read")).to_be_visible(timeout=SOON)
    page.context.close()
    with store.reading() as session:
        rows = session.scalars(select(Reading).order_by(Reading.id)).all()
        assert [(row.arm, row.phase, row.call) for row in rows] == [
            (Arm.UNAIDED, 1, Label.NORMAL),
            (Arm.AIDED, 2, Label.HSIL),
            (Arm.UNAIDED, 1, Label.HSIL),
            (Arm.AIDED, 2, Label.HSIL),
        ]
    refused = study_conduct(administrator, study_id=study_id).refusals
    assert sum(one.times for one in refused) == 4
    assert all("/aid/" in one.what for one in refused)


def test_who_answers_before_the_layers_have_come_has_attempted_nothing(
    administrator: Caller, study_id: int, open_study: Callable[..., Page]
) -> None:
    on_their_way: list[Route] = []
    page = open_study(study_id, lambda page: page.route("**/aid/**", lambda route: on_their_way.append(route)))
    see_place(page, "1 of 2")
    with page.expect_request("**/aid/**", timeout=SOON):
        answer(page, "1")
    see_second_call(page)
    answer(page, "2")
    see_place(page, "2 of 2")
    late = [page.request.get(one.request.url).status for one in on_their_way]
    assert late
    assert set(late) == {410}
    page.context.close()
    assert study_conduct(administrator, study_id=study_id).refusals == ()


def test_sites_are_set_on_the_image_findings_named_and_other_images_looked_at(
    store: Store, administrator: Caller, reader: Caller, open_study: Callable[..., Page]
) -> None:
    clinic = PredictedClinic(administrator)
    with store.writing() as session:
        for case in clinic.cases:
            taken = session.get_one(Image, case.image_id)
            session.add(
                Image(
                    case_id=case.case_id, sha256=taken.sha256, media_type="image/png", width_px=taken.width_px,
                    height_px=taken.height_px, stage=Stage.LUGOL, shows_cervix=True,
                )
            )  # fmt: skip
    study = designing.create_study(
        administrator,
        name="Asking",
        reader_ids=[reader.person_id],
        plan=ReadingPlan(asks_points=True, asks_findings=True, shows_stages=True),
    )
    designing.open_study(administrator, study_id=study.id)
    page = open_study(study.id)
    see_place(page, "1 of 2")

    page.get_by_text("Lugol's iodine").click()
    expect(page.get_by_role("img", name="Another image of the case").first).to_be_visible(timeout=SOON)
    page.get_by_text("To read", exact=True).click()
    shown = page.get_by_role("img", name="The image to read").first
    expect(shown).to_be_visible(timeout=SOON)
    page.keyboard.press("s")
    expect(page.get_by_role("img", name="Another image of the case").first).to_be_visible(timeout=SOON)
    page.keyboard.press("s")
    expect(shown).to_be_visible(timeout=SOON)
    page.get_by_text("Mosaic", exact=True).click()
    page.get_by_role("button", name="Set biopsy sites (0 of 6)").click()
    see_button(page, "Done")
    for number, (left, top) in enumerate(((0.4, 0.5), (0.6, 0.5)), start=1):
        box = shown.bounding_box()
        assert box
        page.mouse.click(box["x"] + left * box["width"], box["y"] + top * box["height"])
        see_button(page, f"Done ({number} of 6)")
    page.get_by_role("button", name="Done").click()
    see_button(page, "Set biopsy sites (2 of 6)")
    page.get_by_role("button", name="Remove the last").click()
    see_button(page, "Set biopsy sites (1 of 6)")
    page.reload()  # nothing of it is lost
    see_button(page, "Set biopsy sites (1 of 6)")
    page.context.close()
    page = open_study(study.id)  # in another browser neither
    see_button(page, "Set biopsy sites (1 of 6)")
    answer(page, "2")  # with the keys, though the mouse has pressed a button before
    see_place(page, "2 of 2")
    see_button(page, "Set biopsy sites (0 of 6)")
    page.context.close()
    with store.reading() as session:
        row = session.scalars(select(Reading)).one()
        assert row.findings == ["mosaic"]
        assert row.points is not None
        ((x, y),) = row.points
    assert (x / SIDE_PX, y / SIDE_PX) == (pytest.approx(0.4, abs=0.03), pytest.approx(0.5, abs=0.03))
