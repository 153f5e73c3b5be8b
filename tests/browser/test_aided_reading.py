"""A reader reads with the model's output in a real browser: after the first call, and not a byte of it before."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.store import Store
from colpo_core.store.tables import Image, Reading
from colpo_core.terms import Arm, Label, Stage
from tests.browser.sign_in import TALL, signed_in
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


def answer(page: Page, call: str) -> None:
    expect(page.get_by_role("radio", name="HSIL")).to_be_enabled()
    page.keyboard.press(call)
    page.keyboard.press("8")
    page.keyboard.press("Enter")


def test_the_models_output_comes_after_the_first_call_and_not_a_byte_before(
    chromium: Browser,
    store: Store,
    administrator: Caller,
    reader: Caller,
    study_id: int,
    token_of: Callable[[Caller], str],
    new_server: Any,
) -> None:
    context = signed_in(chromium, new_server.url, token_of(reader), viewport=TALL)
    page = context.new_page()
    ear = Ear(page)
    page.goto(f"{new_server.url}/read?study={study_id}")
    where = page.locator(".where")
    expect(where).to_have_text("1 of 2", timeout=SOON)
    page.get_by_role("img", name="The image to read").first.wait_for()
    heard = ear.everything()
    for secret in (b"probability of HSIL", b"/aid/", b"Grad-CAM", b"Acetowhite epithelium"):
        assert secret not in heard
    image = page.get_by_role("img", name="The image to read").first.get_attribute("data-url")
    assert image
    for layer in ("mask", "map"):
        for suffix in ("", ".2"):
            tried = f"{image.replace('/image/', '/aid/')}{suffix}/{layer}.png"
            assert page.request.get(f"{new_server.url}{tried}").status == 403

    answer(page, "1")
    expect(page.get_by_text("Second call, with the model's output")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("60%").first).to_be_visible()
    expect(where).to_have_text("1 of 2")
    page.reload()
    expect(page.get_by_text("Second call, with the model's output")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Acetowhite epithelium").first).to_be_visible()
    expect(page.get_by_role("radio", name="Normal")).not_to_be_checked()
    answer(page, "2")
    expect(where).to_have_text("2 of 2", timeout=SOON)
    expect(page.get_by_text("Second call")).to_have_count(0)
    answer(page, "2")
    expect(page.get_by_text("Second call, with the model's output")).to_be_visible(timeout=SOON)
    answer(page, "2")
    expect(page.get_by_role("heading", name="All read")).to_be_visible(timeout=SOON)
    context.close()
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
    chromium: Browser,
    administrator: Caller,
    reader: Caller,
    study_id: int,
    token_of: Callable[[Caller], str],
    new_server: Any,
) -> None:
    context = signed_in(chromium, new_server.url, token_of(reader), viewport=TALL)
    page = context.new_page()
    on_their_way: list[Route] = []
    page.route("**/aid/**", lambda route: on_their_way.append(route))
    page.goto(f"{new_server.url}/read?study={study_id}")
    where = page.locator(".where")
    expect(where).to_have_text("1 of 2", timeout=SOON)
    with page.expect_request("**/aid/**", timeout=SOON):
        answer(page, "1")
    expect(page.get_by_text("Second call, with the model's output")).to_be_visible(timeout=SOON)
    answer(page, "2")
    expect(where).to_have_text("2 of 2", timeout=SOON)
    late = [page.request.get(one.request.url).status for one in on_their_way]
    assert late
    assert set(late) == {410}
    context.close()
    assert study_conduct(administrator, study_id=study_id).refusals == ()


def test_sites_are_set_on_the_image_findings_named_and_other_images_looked_at(
    chromium: Browser,
    store: Store,
    administrator: Caller,
    reader: Caller,
    token_of: Callable[[Caller], str],
    new_server: Any,
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
    context = signed_in(chromium, new_server.url, token_of(reader), viewport=TALL)
    page = context.new_page()
    page.goto(f"{new_server.url}/read?study={study.id}")
    expect(page.locator(".where")).to_have_text("1 of 2", timeout=SOON)

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
    expect(page.get_by_role("button", name="Done")).to_be_visible(timeout=SOON)
    for number, (left, top) in enumerate(((0.4, 0.5), (0.6, 0.5)), start=1):
        box = shown.bounding_box()
        assert box
        page.mouse.click(box["x"] + left * box["width"], box["y"] + top * box["height"])
        expect(page.get_by_role("button", name=f"Done ({number} of 6)")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Set biopsy sites (2 of 6)")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Remove the last").click()
    expect(page.get_by_role("button", name="Set biopsy sites (1 of 6)")).to_be_visible(timeout=SOON)
    page.reload()  # nothing of it is lost
    expect(page.get_by_role("button", name="Set biopsy sites (1 of 6)")).to_be_visible(timeout=SOON)
    context.close()
    context = signed_in(chromium, new_server.url, token_of(reader), viewport=TALL)  # in another browser neither
    page = context.new_page()
    page.goto(f"{new_server.url}/read?study={study.id}")
    expect(page.get_by_role("button", name="Set biopsy sites (1 of 6)")).to_be_visible(timeout=SOON)
    answer(page, "2")  # with the keys, though the mouse has pressed a button before
    expect(page.locator(".where")).to_have_text("2 of 2", timeout=SOON)
    expect(page.get_by_role("button", name="Set biopsy sites (0 of 6)")).to_be_visible(timeout=SOON)
    context.close()
    with store.reading() as session:
        row = session.scalars(select(Reading)).one()
        assert row.findings == ["mosaic"]
        assert row.points is not None
        ((x, y),) = row.points
    side = SIDE_PX
    assert (x / side, y / side) == (pytest.approx(0.4, abs=0.03), pytest.approx(0.5, abs=0.03))
