"""The annotation workbench's part of the whole walk: versions, the case form, a task, its queues, and the decision."""

import re

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import expect

from colpo_core.services.imports.demonstration import FIRST_SEED
from colpo_core.simulation.cases import simulate_case
from tests.browser.mask_page import EditorPage
from tests.browser.visitor import Visitor

PAINTERS = {"anna": "Dr Anna Weber", "ben": "Dr Ben Novak"}
SENIOR = {"sena": "Prof Sena Aydin"}
TASK = "Spring cases"
# The demonstration leaves the images of these cases without a mask; the third shows no lesion.
CASES = (4, 14, 24, 34)
SKIPPED = 24
# How far from the lesion's true border each of the two draws it.
_MARGIN_PX = {"anna": 5, "ben": -4}
_LEAST_AREA_PX = 400


def outline(editor: EditorPage, mask: NDArray[np.bool_], *, margin_px: int = 0) -> bool:
    """Draw around each lesion of a true mask by hand, so much outside of its border, or inside if negative.

    Returns:
        Whether there was one to draw around.
    """
    size = 2 * abs(margin_px) + 1
    change = cv2.dilate if margin_px > 0 else cv2.erode
    wanted = change(mask.astype(np.uint8), np.ones((size, size), np.uint8))
    editor.page.keyboard.press("l")
    was_drawn = False
    for contour in cv2.findContours(wanted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        if cv2.contourArea(contour) > _LEAST_AREA_PX:
            corners = cv2.approxPolyDP(contour, 2, closed=True)[:, 0]
            editor.stroke(*((float(x), float(y)) for x, y in corners), steps=1)
            was_drawn = True
    editor.wait_state("saved")
    return was_drawn


def look_at_versions(ada: Visitor) -> None:
    """A second version, both over each other, the first again; and a look at the other stage."""
    ada.page.get_by_role("radio", name="My masks").or_(ada.button("My masks")).first.click()
    ada.settle()
    editor = EditorPage(ada.page, ada.server.url).wait_ready()
    editor.page.keyboard.press("b")
    editor.size(40)
    editor.stroke((200, 120), (300, 100), (380, 140))
    editor.wait_state("saved")
    ada.press("Submit", exact=True)
    ada.sees("Version 2 submitted")
    for version in ("Version 2", "Version 1"):
        ada.page.get_by_test_id("stCheckbox").filter(has_text=version).click()
        ada.settle()
    ada.press("Compare the two")
    ada.sees("Only version 2")
    ada.keep("versions")
    ada.press("Back to painting")
    ada.page.get_by_role("button", name="history").locator("visible=true").click()
    ada.press("Restore version 1")
    ada.sees("Restored as version 3")
    ada.page.get_by_text("Compare stages").click()
    ada.sees("Linked")
    ada.keep("stages")


def fill_in_the_form(ada: Visitor) -> None:
    """Findings beside the picture, with size and place proposed from the mask."""
    ada.page.get_by_text("Case form").click()
    ada.settle()
    ada.page.get_by_text("Adequate", exact=True).click()
    ada.settle()
    ada.press("Propose from the mask")
    ada.sees("Check it, then save.")
    ada.keep("case-form", height_px=900)
    ada.press("Save findings")
    ada.sees("Findings saved")


def hand_out_a_task(ada: Visitor) -> None:
    ada.go("Tasks")
    ada.press("New task")
    ada.field("Title").fill(TASK)
    ada.page.keyboard.press("Tab")
    ada.settle()
    ada.choose("Annotations", "An image without any")
    for username, name in PAINTERS.items():
        ada.choose("Annotators", f"{name} ({username})")
    ada.page.keyboard.press("Escape")
    ada.page.get_by_role("spinbutton", name="People for each image").fill("2")
    ada.page.keyboard.press("Enter")
    ada.settle()
    for username, name in SENIOR.items():
        ada.choose("Adjudicator", f"{name} ({username})")
    ada.keep("task-form", height_px=860)
    ada.press("Create task")
    ada.sees("The task is made")


def work_through_the_queue(painter: Visitor, username: str, *, keep_pictures: bool) -> None:
    """One of the two paints what the queue shows, by keys but for painting itself, and skips one image."""
    painter.sign_in(username)
    painter.sees(TASK)
    painter.press("Start", exact=True)
    keyboard = painter.page.keyboard
    for place, number in enumerate(CASES, start=1):
        painter.sees(re.compile(rf"image {place} of {len(CASES)}"))
        painter.sees(f"sim-{number:03}")
        editor = EditorPage(painter.page, painter.server.url).wait_ready()
        if place == 1 and keep_pictures:
            keyboard.press("?")
            painter.keep("help")
            keyboard.press("?")
        if number == SKIPPED and username == "anna":
            keyboard.press("k")
            painter.choose("Why", "Blood, mucus or glare hides it")
            painter.page.get_by_role("dialog").get_by_role("button", name="Skip this image").click()
            continue
        was_drawn = outline(editor, simulate_case(FIRST_SEED + number).mask, margin_px=_MARGIN_PX[username])
        keyboard.press("Control+Enter")
        if not was_drawn:
            painter.press("There is none: no acetowhite epithelium")
        painter.sees("Version 1 submitted")
        painter.settle()
        if place == 2 and keep_pictures:
            painter.keep("queue")
        keyboard.press("n")
    painter.page.wait_for_url(re.compile("/tasks"))
    painter.sees("All done")
    painter.page.context.close()


def watch_the_task(ada: Visitor) -> None:
    ada.open("tasks")
    ada.press("Show", exact=True)
    ada.sees("Blood, mucus or glare hides it")
    ada.keep("tasks")


def adjudicate(senior: Visitor) -> None:
    """Figures first; then the masks in colours, one taken as it is, and one mixed and corrected."""
    senior.sign_in("sena")
    senior.sees("Masks to decide between")
    senior.press("Decide", exact=True)
    senior.sees("95% Hausdorff distance")
    senior.keep("agreement", height_px=700)
    senior.press("Decide: 3 images")
    senior.sees("Not decided")
    senior.keep("adjudicate")
    senior.press("Take")
    senior.sees(re.compile("^Decided: the mask of"))
    senior.press("Next to decide")
    senior.sees("Not decided")
    senior.press("Majority")
    editor = EditorPage(senior.page, senior.server.url).wait_ready()
    editor.page.keyboard.press("b")
    editor.stroke((300, 240), (330, 250))
    editor.wait_state("saved")
    editor.page.keyboard.press("Control+Enter")
    senior.sees("Decided: your mask counts")
    senior.press("Overview")
    expect(senior.button("Decide: 1 image")).to_be_visible()
    senior.page.context.close()
