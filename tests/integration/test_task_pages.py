"""The pages of tasks, and a task's queue on the annotation page, for administrators and annotators."""

from typing import Any

import pytest
from sqlalchemy import select

from colpo_core.services.agreement.adjudication import take_mask
from colpo_core.services.agreement.overview import image_agreement
from colpo_core.services.common.callers import Caller
from colpo_core.services.tasks import queue as task_queue
from colpo_core.services.tasks import tasks
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Role, TaskItemState
from tests.conftest import add_person
from tests.support.app_pages import OpenPage, button, labels, press, query_of, words_of
from tests.support.handed_out import hand_out_spring, paint_and_submit, task_of


def texts_of_progress(app: Any) -> list[str]:
    return [element.proto.text for element in app.get("progress")]


@pytest.fixture
def task_id(administrator: Caller, annotator: Caller, images: list[int]) -> int:
    """A task of four images for Anna alone."""
    return hand_out_spring(administrator, annotator)


@pytest.fixture
def shared_task_id(administrator: Caller, annotator: Caller, berta: Caller, images: list[int]) -> int:
    """A blind task of four images for Anna and Berta."""
    return hand_out_spring(administrator, annotator, berta)


# --- the page of tasks ---


def test_an_administrator_makes_a_task_with_the_counts_before_her(
    open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    app = open_page(administrator, "tasks", new=1)
    assert "Choose the annotators" in words_of(app)
    people = next(one for one in app.multiselect if one.label == "Annotators")
    app = people.set_value([option for option in _options(administrator) if option.id != administrator.person_id])
    app = app.run()
    assert {one.label: one.value for one in app.metric} == {"Cases": "4", "Images": "4"}
    assert [text.split("**")[1] for text in texts_of_progress(app)] == ["2 images", "2 images"]
    create = button(app, "Create task")
    assert create.disabled
    next(one for one in app.text_input if one.label == "Title").set_value("Spring")
    next(one for one in app.number_input if one.label == "People for each image").set_value(2)
    app = app.run()
    assert [text.split("**")[1] for text in texts_of_progress(app)] == ["4 images", "4 images"]
    app = press(app, "Create task")
    made = tasks.list_tasks(administrator)
    assert [(one.title, one.n_images, one.n_items, one.blind) for one in made] == [("Spring", 4, 8, True)]


def _options(administrator: Caller) -> list[Any]:
    return list(tasks.annotator_choices(administrator))


def test_a_task_without_an_image_cannot_be_made(
    open_page: OpenPage, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    app = open_page(administrator, "tasks", new=1)
    next(one for one in app.multiselect if one.label == "Annotators").set_value(_options(administrator)[:1])
    next(one for one in app.text_input if one.label == "Title").set_value("Spring")
    next(one for one in app.text_input if one.label == "Patient code").set_value("nobody")
    app = app.run()
    assert "No image fits" in words_of(app)
    assert button(app, "Create task").disabled


def test_progress_skips_and_closing(
    open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, images: list[int], shared_task_id: int
) -> None:
    paint_and_submit(annotator, images[0], active_ms=65_000)
    place = task_queue.queue_place(berta, task_id=shared_task_id, image_id=images[1])
    assert place is not None
    task_queue.skip_item(berta, item_id=place.item_id, reason="Blurred *badly*")
    app = open_page(administrator, "tasks", task=shared_task_id)
    table = app.dataframe[0].value.set_index("Annotator")
    assert table.loc["Anna", ["Submitted", "Skipped", "Waiting"]].tolist() == [1, 0, 3]
    assert table.loc["Berta", ["Submitted", "Skipped", "Waiting"]].tolist() == [0, 1, 3]
    assert table.loc["Anna", "Per image"] == "1\u00a0min 05\u00a0s"
    assert "Blurred \\*badly\\*" in words_of(app)
    assert "6 of 8 masks are still missing" in words_of(app)
    app = press(app, "Close now")
    assert task_of(administrator, shared_task_id).closed_at is not None
    assert "Close now" not in labels(app)


def test_an_annotator_sees_no_progress_of_others_and_an_adjudicator_does(
    open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    task_id = hand_out_spring(administrator, annotator, adjudicator_id=berta.person_id)
    refused = open_page(annotator, "tasks", task=task_id)
    assert len(refused.error) == 1
    assert not refused.dataframe
    watched = open_page(berta, "tasks")
    assert "Tasks that I adjudicate" in words_of(watched)
    detail = open_page(berta, "tasks", task=task_id)
    assert len(detail.dataframe[0].value) == 1
    assert "Close now" not in labels(detail)


@pytest.mark.parametrize("task", ["999", "-1", "x", "²"])
def test_a_task_that_is_not_there_breaks_nothing(open_page: OpenPage, administrator: Caller, task: str) -> None:
    app = open_page(administrator, "tasks", task=task)
    assert len(app.error) == (1 if task == "999" else 0)


# --- a task's queue on the home page and on the annotation page ---


def test_home_tells_the_adjudicator_what_waits_and_leads_there(
    store: Store, open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    senior = add_person(store, "senta", Role.ANNOTATOR)
    task_id = hand_out_spring(administrator, annotator, berta, adjudicator_id=senior.person_id)
    for image_id in images[:2]:
        paint_and_submit(annotator, image_id)
    paint_and_submit(berta, images[0])
    app = open_page(senior, "home")
    assert "Masks to decide between" in words_of(app)
    assert "## 1" in words_of(app)
    assert "Masks to decide between" not in words_of(open_page(administrator, "home"))
    press(app, "Decide")
    version = image_agreement(senior, image_id=images[0]).versions[0]
    take_mask(senior, version_id=version.version_id)
    assert "Masks to decide between" not in words_of(open_page(senior, "home"))
    tasks.close_task(administrator, task_id=task_id)
    assert "Masks to decide between" not in words_of(open_page(senior, "home"))


def test_home_begins_with_my_queues(
    open_page: OpenPage, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    hand_out_spring(administrator, annotator, note="Mark faint ones too")
    app = open_page(annotator)
    assert "0 of 4 images done" in texts_of_progress(app)
    assert "Mark faint ones too" in words_of(app)
    assert labels(app)[labels(app).index("Start") :].index("Start") == 0
    app = press(app, "Start")


def test_a_queue_goes_forth_and_back_and_says_where_one_is(
    open_page: OpenPage, annotator: Caller, task_id: int
) -> None:
    app = open_page(annotator, "annotate", task=task_id)
    first = int(query_of(app, "image"))
    assert texts_of_progress(app) == ["**Spring** · image 1 of 4 · 0 done · 0 of 4 cases"]
    assert "Next image" not in labels(app)
    assert button(app, "Previous").disabled
    app = press(app, "Next")
    second = int(query_of(app, "image"))
    assert second != first
    assert query_of(app, "task") == str(task_id)
    app = press(app, "Previous")
    assert int(query_of(app, "image")) == first
    items = {item.image_id: item for item in task_queue.queue_items(annotator, task_id=task_id)}
    assert items[first].state is TaskItemState.WAITING


def test_opening_an_image_of_a_queue_is_kept(
    store: Store, open_page: OpenPage, annotator: Caller, task_id: int
) -> None:
    from colpo_core.store.tables import TaskItem

    open_page(annotator, "annotate", task=task_id)
    with store.reading() as session:
        opened = [item.position for item in session.scalars(select(TaskItem)) if item.opened_at is not None]
    assert len(opened) == 1


def test_after_a_submission_next_is_the_thing_to_do(open_page: OpenPage, annotator: Caller, task_id: int) -> None:
    app = open_page(annotator, "annotate", task=task_id)
    image_id = int(query_of(app, "image"))
    assert _type_of(app, "Next") == "secondary"
    paint_and_submit(annotator, image_id, active_ms=42_000)
    app = app.run()
    assert _type_of(app, "Next") == "primary"
    assert texts_of_progress(app) == ["**Spring** · image 1 of 4 · 1 done · 1 of 4 cases"]
    assert "42\u00a0s" in words_of(app)
    assert "Skip" not in labels(app)


def _type_of(app: Any, label: str) -> str:
    return str(button(app, label).proto.type)


def test_an_image_is_skipped_with_a_reason_and_taken_up_again(
    open_page: OpenPage, annotator: Caller, task_id: int
) -> None:
    app = open_page(annotator, "annotate", task=task_id)
    first = int(query_of(app, "image"))
    app = press(app, "Skip")
    confirm = button(app, "Skip this image")
    assert confirm.disabled
    # A dialog stays open for its own widgets in a browser; here each run is a whole one, so it opens with the reason.
    app.session_state["annotate_skip_reason"] = "Blurred or out of focus"
    app = press(press(app, "Skip"), "Skip this image")
    assert int(query_of(app, "image")) != first
    assert "Skipped" in words_of(app)
    items = {item.image_id: item for item in task_queue.queue_items(annotator, task_id=task_id)}
    assert (items[first].state, items[first].skip_reason) == (TaskItemState.SKIPPED, "Blurred or out of focus")
    app = open_page(annotator, "annotate", task=task_id, image=first)
    app = press(app, "Take up")
    items = {item.image_id: item for item in task_queue.queue_items(annotator, task_id=task_id)}
    assert items[first].state is TaskItemState.WAITING


def test_a_finished_queue_says_so(open_page: OpenPage, annotator: Caller, images: list[int], task_id: int) -> None:
    for image_id in images:
        paint_and_submit(annotator, image_id)
    app = open_page(annotator, "annotate", task=task_id)
    assert "Nothing of this task waits for you" in words_of(app)


def test_an_image_beside_the_queue_leads_back_to_it(
    store: Store, open_page: OpenPage, annotator: Caller, images: list[int], task_id: int, add_case: Any
) -> None:
    with store.reading() as session:
        later = session.scalars(select(Image.id).where(Image.case_id == add_case())).one()
    app = open_page(annotator, "annotate", task=task_id, image=later)
    assert "not in your queue" in words_of(app)
    app = press(app, "Back to my queue")
    assert int(query_of(app, "image")) in images


def test_masks_of_fellows_in_a_blind_task_are_not_there_and_that_is_said(
    open_page: OpenPage, annotator: Caller, berta: Caller, images: list[int], shared_task_id: int
) -> None:
    paint_and_submit(berta, images[0])
    app = open_page(annotator, "annotate", task=shared_task_id, image=images[0])
    assert "Berta" not in words_of(app)
    assert "Berta" not in repr(app.main)
    assert "open once everybody has submitted" in words_of(app)
    paint_and_submit(annotator, images[0])
    app = app.run()
    assert "open once everybody has submitted" not in words_of(app)
    assert "Berta" in repr(app.main)


def test_next_goes_round_to_what_still_waits(open_page: OpenPage, annotator: Caller, task_id: int) -> None:
    queue = [item.image_id for item in task_queue.queue_items(annotator, task_id=task_id)]
    paint_and_submit(annotator, queue[0])
    app = press(open_page(annotator, "annotate", task=task_id, image=queue[-1]), "Next")
    assert int(query_of(app, "image")) == queue[1]
    for image_id in queue[1:]:
        paint_and_submit(annotator, image_id)
    app = press(open_page(annotator, "annotate", task=task_id, image=queue[-1]), "All done: my queues")
