"""A task's queue in a real browser: next, previous and skip on their keys, and a start that the editor takes up."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from colpo_core.records.cases.lists import CaseFilter
from colpo_core.records.tasks import TaskDraft
from colpo_core.services.annotations import own_masks
from colpo_core.services.tasks import queue as task_queue
from colpo_core.services.tasks import tasks
from colpo_core.terms import Finding, Role, Start, TaskItemState, TaskOrder
from tests.browser.mask_page import Clinic, EditorPage
from tests.conftest import add_person

pytestmark = pytest.mark.browser


@pytest.fixture
def queue(clinic: Clinic) -> tuple[int, list[int]]:
    """A task of three images for Anna: its row, and the images in their order."""
    administrator = add_person(clinic.store, "ada", Role.ADMINISTRATOR)
    for seed in (71, 72, 73):
        clinic.add_image(seed)
    draft = TaskDraft(
        title="Spring",
        finding=Finding.ACETOWHITE,
        where=CaseFilter(),
        annotator_ids=(clinic.anna.person_id,),
        n_annotators=1,
        blind=True,
        proposals=False,
        order=TaskOrder.DATE,
    )
    task_id = tasks.create_task(administrator, draft=draft).id
    items = task_queue.queue_items(clinic.anna, task_id=task_id)
    return task_id, [item.image_id for item in items]


def test_a_queue_is_worked_through_without_the_mouse_but_for_painting(
    clinic: Clinic, queue: tuple[int, list[int]], new_tab: Callable[..., EditorPage]
) -> None:
    task_id, (first, second, third) = queue
    tab = new_tab()
    page, keyboard = tab.page, tab.page.keyboard

    def see(image_id: int) -> None:
        page.wait_for_url(re.compile(rf"image={image_id}(&|$)"))
        expect(page.locator(f'img[src="/colpo/images/{image_id}"]').first).to_be_attached()
        tab.wait_ready()

    page.goto(f"{tab.url}/annotate?task={task_id}")
    see(first)
    tab.stroke((50, 36), (66, 40))
    tab.wait_state("saved")
    keyboard.press("Control+Enter")
    page.get_by_text("Version 1 submitted").wait_for()
    keyboard.press("n")
    see(second)
    keyboard.press("k")
    page.get_by_role("combobox", name=re.compile("Why")).click()
    keyboard.type("not in sight: nk")
    keyboard.press("Enter")
    page.get_by_role("button", name="Skip this image").click()
    see(third)
    page.get_by_text("image 3 of 3 · 2 done").wait_for()
    keyboard.press("Shift+N")
    see(second)
    page.get_by_role("button", name="Take up").wait_for()
    keyboard.press("n")
    see(third)
    items = task_queue.queue_items(clinic.anna, task_id=task_id)
    states = {item.image_id: (item.state, item.skip_reason) for item in items}
    assert states == {
        first: (TaskItemState.SUBMITTED, None),
        second: (TaskItemState.SKIPPED, "not in sight: nk"),
        third: (TaskItemState.WAITING, None),
    }


def test_a_start_takes_the_place_of_what_was_painted_and_undo_brings_that_back(
    clinic: Clinic, image_id: int, tab: EditorPage
) -> None:
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
    painted = tab.mask()
    tab.page.get_by_role("button", name="Start from…").click()
    tab.page.get_by_role("button", name="An empty mask").click()
    tab.page.get_by_text("The mask is empty").wait_for()
    tab.page.wait_for_function("() => !window.editor.activeLayer.mask?.pixels.includes(1)")
    opened = own_masks.open_annotation(clinic.anna, image_id=image_id)
    assert opened.start is Start.NOTHING
    assert not tab.stored().any()
    tab.page.keyboard.press("z")
    tab.page.wait_for_function("() => window.editor.activeLayer.mask?.pixels.includes(1)")
    tab.wait_state("saved")
    assert (tab.mask() == painted).all()
    assert (tab.stored() == painted).all()
