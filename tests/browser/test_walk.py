"""The whole walk in a real browser: from an empty account list to a closed reading study, on simulated cases."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from colpo_core.simulation.cases import simulate_case
from tests.browser import walk_workbench as workbench
from tests.browser.conftest import CHECKOUT, Server
from tests.browser.mask_page import EditorPage
from tests.browser.sign_in import SCREEN
from tests.browser.visitor import PASSWORD, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]
# Enough for every page, and more of them where pictures are taken for the documents.
N_CASES = 40 if os.environ.get("COLPO_SCREENSHOTS") else 34
READERS = {"rita": "Dr Rita Lang", "rosa": "Dr Rosa Kim"}
PATIENT = "P-0042"
SEED = 4711
TRAINED = 900_000
# What follows needs a finished model, not a good one.
SHORTEST = {
    "Height (px)": 64,
    "Width (px)": 64,
    "Epochs of the segmenter": 2,
    "Epochs of each classifier": 2,
    "Trainings of each arm": 1,
}


@pytest.fixture(scope="module")
def pictures() -> Path | None:
    """Where pictures of the pages go: the folder that COLPO_SCREENSHOTS names; none are taken without one."""
    named = os.environ.get("COLPO_SCREENSHOTS")
    if not named:
        return None
    folder = Path(named).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The program on a store that the demonstration filled."""
    folder = tmp_path_factory.mktemp("walk") / "data"
    subprocess.run(
        [sys.executable, "-m", "colpo_core", "demo", "--fill-only", "--cases", str(N_CASES)],
        cwd=CHECKOUT,
        env={**os.environ, "COLPO_DATA": str(folder)},
        check=True,
    )
    running = Server(folder).start()
    yield running
    running.kill()


def test_the_walk(server: Server, chromium: Browser, pictures: Path | None, tmp_path: Path) -> None:
    context = chromium.new_context(viewport=SCREEN)
    ada = Visitor(server, context, pictures)

    make_the_administrator(ada)
    make_the_accounts(ada)
    import_a_case(ada, tmp_path)
    annotate_it(ada)
    workbench.look_at_versions(ada)
    workbench.fill_in_the_form(ada)
    label_it(ada)

    workbench.hand_out_a_task(ada)
    for username in workbench.PAINTERS:
        painter = Visitor(server, chromium.new_context(viewport=SCREEN), pictures)
        workbench.work_through_the_queue(painter, username, keep_pictures=username == "ben")
    workbench.watch_the_task(ada)
    senior = Visitor(server, chromium.new_context(viewport=SCREEN), pictures)
    workbench.adjudicate(senior)

    freeze_and_train(ada, in_little_time=pictures is None)
    promote(ada)
    review(ada)
    open_a_study(ada)
    for username in READERS:
        reader = Visitor(server, chromium.new_context(viewport=SCREEN), pictures)
        read_blinded(reader, username, keep_pictures=username == "rita")
    close_the_study(ada)
    look_around(ada)
    context.close()


def make_the_administrator(ada: Visitor) -> None:
    ada.open("admin")
    ada.sees("Make the administrator")
    ada.page.get_by_label("Your name").fill("Dr Ada Berger")
    ada.page.get_by_label("Username").fill("ada")
    ada.page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    ada.page.get_by_label("Password again").fill(PASSWORD)
    ada.keep("sign-in")
    ada.button("Create administrator").click()
    ada.page.get_by_test_id("stApp").wait_for()
    ada.settle()


def make_the_accounts(ada: Visitor) -> None:
    ada.open("admin")
    annotators = workbench.PAINTERS | workbench.SENIOR
    for username, name in (annotators | READERS).items():
        ada.field("Name").fill(name)
        ada.field("Username").fill(username)
        ada.choose("Role", "annotator" if username in annotators else "reader")
        ada.field("First password").fill(PASSWORD)
        ada.press("Create account")
        ada.sees(f"{name} can sign in now")
    ada.keep("admin")


def import_a_case(ada: Visitor, folder: Path) -> None:
    drawn = simulate_case(SEED)
    Image.fromarray(drawn.rgb).save(folder / "after acid.png")
    Image.fromarray(drawn.native_rgb).save(folder / "native.jpg", quality=95)
    (folder / "letter.jpg").write_text("Dear colleague")
    ada.go("Cases")
    ada.page.get_by_role("tab", name="Import images").click()
    ada.field("Patient code").last.fill(PATIENT)
    ada.page.get_by_role("spinbutton", name="year, Day of the examination").click()
    ada.page.keyboard.type("20260531")
    ada.page.keyboard.press("Enter")
    ada.page.keyboard.press("Escape")
    names = ("after acid.png", "native.jpg", "letter.jpg")
    ada.page.locator("input[type=file]").set_input_files([folder / name for name in names])
    ada.settle()
    ada.keep("import")
    ada.press("Import 3 images")
    expect(ada.page.get_by_test_id("stMetricValue").nth(0)).to_have_text("2")
    expect(ada.page.get_by_test_id("stMetricValue").nth(2)).to_have_text("1")
    ada.keep("import-report")
    ada.page.get_by_role("link", name=re.compile("Open case")).first.click()
    ada.settle()
    ada.sees(PATIENT)


def annotate_it(ada: Visitor) -> None:
    ada.press("Annotate")
    ada.sees(PATIENT)
    editor = EditorPage(ada.page, ada.server.url).wait_ready()
    workbench.outline(editor, simulate_case(SEED).mask)
    ada.sees(re.compile(r"^Saved"))
    ada.press("Submit", exact=True)
    ada.sees("Version 1 submitted")
    ada.keep("annotate")

    ada.page.get_by_role("radio", name="Biopsy points").or_(ada.button("Biopsy points")).first.click()
    ada.settle()
    canvas = ada.page.locator("canvas.upper-canvas").first
    canvas.click(position={"x": 200, "y": 150})
    ada.sees("Saved: 1")
    ada.keep("annotate-biopsy")
    ada.page.reload()
    ada.settle()
    ada.sees("Version 1")
    ada.page.get_by_role("radio", name="Biopsy points").or_(ada.button("Biopsy points")).first.click()
    ada.settle()
    ada.sees("Saved: 1")


def label_it(ada: Visitor) -> None:
    ada.go("Cases")
    ada.field("Patient code").first.fill(PATIENT)
    ada.page.keyboard.press("Enter")
    ada.settle()
    ada.keep("cases")
    ada.open(f"cases?case={N_CASES + 1}")
    ada.sees(PATIENT)
    ada.page.get_by_role("tab", name="Histology").click()
    for grade in ("CIN1", "CIN3"):
        ada.choose("Grade by the pathologist", grade)
        ada.press("Add specimen")
        ada.sees("The label follows")
    ada.sees("Highest of 2 specimens: CIN3, which needs treatment.")
    ada.keep("case", height_px=900)


def freeze_and_train(ada: Visitor, *, in_little_time: bool) -> None:
    ada.go("Train")
    ada.sees("Left out, and why")
    ada.press("Freeze snapshot")
    ada.sees("is frozen")
    ada.keep("train-snapshot", height_px=1000)
    if in_little_time:
        shorten(ada, SHORTEST)
    ada.press("Start training")
    ada.sees(re.compile("Segmenter · epoch"), within=120_000)
    # Of the classifiers trained in little time each is over in a moment, so one of them all is waited for.
    classifier = "(Classifier|Comparison).*" if in_little_time else "Classifier, 4 channels"
    ada.sees(re.compile(f"{classifier} · epoch"), within=TRAINED)
    ada.keep("train", height_px=1100)
    ada.sees(re.compile("^Finished:"), within=TRAINED)


def shorten(ada: Visitor, settings: dict[str, int]) -> None:
    """Change settings in the form, as a person who has little time."""
    ada.page.get_by_text("All settings").first.click()
    for label, value in settings.items():
        field = ada.page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(str(value))
        field.press("Enter")
        ada.settle()
    ada.page.get_by_text("All settings").first.click()


def promote(ada: Visitor) -> None:
    ada.page.get_by_role("link", name="Look at the model").click()
    ada.sees("Make this the current model")
    ada.field("Reason").fill("the first model of this clinic")
    # Simulated images, few of them, and few epochs: there is always a doubt.
    ada.field("Overrule in writing").fill("to walk through the program")
    ada.press("Promote")
    ada.sees("is the current model")
    ada.keep("models", height_px=1400)


def review(ada: Visitor) -> None:
    ada.go("Review")
    ada.sees("HSIL, 4 channels", within=180_000)
    expect(ada.page.get_by_text("The model is predicting")).to_have_count(0, timeout=180_000)
    ada.open(f"cases?case={N_CASES + 1}")
    ada.press("Review")
    ada.sees(PATIENT)
    ada.sees("What spoke for each call")
    ada.keep("review", height_px=1180)
    opacity = ada.page.get_by_role("slider").first
    opacity.focus()
    ada.page.keyboard.press("ArrowLeft")
    ada.press("Agree")
    ada.sees("You agreed.")
    ada.press("Next")
    ada.field("In your own words").fill("the mask covers a reflection")
    ada.page.keyboard.press("Tab")
    ada.settle()
    ada.press("Overrule")
    ada.sees("You overruled.")


def open_a_study(ada: Visitor) -> None:
    ada.open("studies")
    ada.press("New study")
    ada.field("Name").fill("Spring reading")
    ada.page.keyboard.press("Tab")
    ada.page.get_by_text("By case number").click()
    ada.settle()
    ada.field("Case numbers").fill("1-8")
    ada.page.keyboard.press("Enter")
    ada.settle()
    for username, name in READERS.items():
        ada.choose("Readers", f"{name} ({username})")
    ada.page.keyboard.press("Escape")
    ada.settle()
    ada.page.get_by_role("combobox", name=re.compile("Compare with checkpoints")).first.click()
    ada.page.get_by_role("option").first.click()
    ada.page.keyboard.press("Escape")
    ada.settle()
    ada.keep("study-design")
    ada.press("Create study")
    ada.page.get_by_text("Open for reading").first.click()
    ada.press("Seal and open")
    ada.sees("is sealed and open")


def read_blinded(reader: Visitor, username: str, *, keep_pictures: bool) -> None:
    reader.sign_in(username)
    reader.open("admin")
    expect(reader.page.get_by_text("New account")).to_have_count(0)
    reader.open("read")
    reader.press("Start")
    number = 1
    while reader.page.get_by_role("heading", name="All read").count() == 0:
        reader.sees(re.compile(rf"^{number} of \d+"))
        reader.page.get_by_role("img", name="The image to read").first.wait_for()
        if keep_pictures and number == 2:
            reader.keep("read")
            reader.page.reload()
            reader.sees(re.compile(rf"^{number} of \d+"))
        reader.page.get_by_role("radio", name="HSIL" if number % 2 else "Normal").click()
        reader.page.get_by_role("slider").fill("70")
        reader.button("Confirm").click()
        expect(reader.page.get_by_text(re.compile(rf"^{number} of \d+"))).to_have_count(0)
        reader.settle()
        number += 1
    assert number > 4
    reader.page.context.close()


def close_the_study(ada: Visitor) -> None:
    ada.open("studies")
    ada.press("Show", exact=True)
    expect(ada.page.get_by_text("Sensitivity")).to_have_count(0)
    ada.keep("study-open")
    ada.press("Close study")
    ada.press("Close now")
    ada.sees("Dr Rita Lang")
    ada.sees("Sensitivity")
    ada.keep("study-results", height_px=1000)


def look_around(ada: Visitor) -> None:
    ada.go("Home")
    ada.sees("What waits for me")
    ada.keep("home")
    ada.go("Dashboard")
    ada.page.locator(".js-plotly-plot").first.wait_for()
    ada.keep("dashboard", height_px=1500)
