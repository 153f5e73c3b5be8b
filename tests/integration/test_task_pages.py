"""The pages of tasks, and a task's queue on the annotation page, for administrators and annotators."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from colpo_core.images.masks import encode_rle
from colpo_core.records.cases.lists import CaseFilter
from colpo_core.records.tasks import TaskDraft
from colpo_core.services.agreement.adjudication import take_mask
from colpo_core.services.agreement.overview import image_agreement
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.services.tasks import queue as task_queue
from colpo_core.services.tasks import tasks
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Finding, Role, TaskItemState, TaskOrder
from tests.conftest import add_person
from tests.support.app_pages import labels, press, words_of
from tests.support.handed_out import task_of

HEIGHT, WIDTH = 24, 32
Open = Callable[..., Any]


def asked(app: Any, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def texts_of_progress(app: Any) -> list[str]:
    return [element.proto.text for element in app.get("progress")]


@pytest.fixture
def images(store: Store, add_case: Callable[..., int]) -> list[int]:
    cases = [add_case() for _ in range(4)]
    with store.reading() as session:
        return [session.scalars(select(Image.id).where(Image.case_id == case_id)).one() for case_id in cases]


@pytest.fixture
def berta(store: Store) -> Caller:
    return add_person(store, "berta", Role.ANNOTATOR)


def make_task(administrator: Caller, *annotators: Caller, title: str = "Spring", **changes: Any) -> int:
    wanted: dict[str, Any] = {"blind": True, "proposals": False, "n_annotators": len(annotators)} | changes
    draft = TaskDraft(
        title=title,
        finding=Finding.ACETOWHITE,
        where=CaseFilter(),
        annotator_ids=tuple(one.person_id for one in annotators),
        order=TaskOrder.DATE,
        **wanted,
    )
    return tasks.create_task(administrator, draft=draft).id


def paint(caller: Caller, image_id: int, active_ms: int = 0) -> None:
    opened = own_masks.open_annotation(caller, image_id=image_id)
    code = encode_rle(np.eye(HEIGHT, WIDTH, dtype=np.bool_))
    saved = own_masks.save_draft(
        caller, document_id=opened.document_id, base_seq=opened.seq, rle=code, active_ms=active_ms
    )
    own_masks.submit_annotation(caller, document_id=opened.document_id, seq=saved.seq)


# --- the page of tasks ---


def test_an_annotator_without_a_task_is_told_where_one_would_be(open_page: Open, annotator: Caller) -> None:
    app = open_page(annotator, "tasks")
    assert not app.exception
    assert "No task is handed to you" in words_of(app)
    assert "New task" not in labels(app)


def test_an_administrator_makes_a_task_with_the_counts_before_her(
    open_page: Open, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    app = open_page(administrator, "tasks", new=1)
    assert not app.exception
    assert "Choose the annotators" in words_of(app)
    people = next(one for one in app.multiselect if one.label == "Annotators")
    app = people.set_value([option for option in _options(administrator) if option.id != administrator.person_id])
    app = app.run()
    assert {one.label: one.value for one in app.metric} == {"Cases": "4", "Images": "4"}
    assert [text.split("**")[1] for text in texts_of_progress(app)] == ["2 images", "2 images"]
    create = next(button for button in app.button if button.label == "Create task")
    assert create.disabled
    next(one for one in app.text_input if one.label == "Title").set_value("Spring")
    next(one for one in app.number_input if one.label == "People for each image").set_value(2)
    app = app.run()
    assert [text.split("**")[1] for text in texts_of_progress(app)] == ["4 images", "4 images"]
    app = press(app, "Create task")
    assert not app.exception
    made = tasks.list_tasks(administrator)
    assert [(one.title, one.n_images, one.n_items, one.blind) for one in made] == [("Spring", 4, 8, True)]


def _options(administrator: Caller) -> list[Any]:
    return list(tasks.annotator_choices(administrator))


def test_a_task_without_an_image_cannot_be_made(
    open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    app = open_page(administrator, "tasks", new=1)
    next(one for one in app.multiselect if one.label == "Annotators").set_value(_options(administrator)[:1])
    next(one for one in app.text_input if one.label == "Title").set_value("Spring")
    next(one for one in app.text_input if one.label == "Patient code").set_value("nobody")
    app = app.run()
    assert "No image fits" in words_of(app)
    assert next(button for button in app.button if button.label == "Create task").disabled


def test_progress_skips_and_closing(
    open_page: Open, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator, berta)
    paint(annotator, images[0], active_ms=65_000)
    place = task_queue.queue_place(berta, task_id=task_id, image_id=images[1])
    assert place is not None
    task_queue.skip_item(berta, item_id=place.item_id, reason="Blurred *badly*")
    app = open_page(administrator, "tasks", task=task_id)
    assert not app.exception
    table = app.dataframe[0].value.set_index("Annotator")
    assert table.loc["Anna", ["Submitted", "Skipped", "Waiting"]].tolist() == [1, 0, 3]
    assert table.loc["Berta", ["Submitted", "Skipped", "Waiting"]].tolist() == [0, 1, 3]
    assert table.loc["Anna", "Per image"] == "1\u00a0min 05\u00a0s"
    assert "Blurred \\*badly\\*" in words_of(app)
    assert "6 of 8 masks are still missing" in words_of(app)
    app = press(app, "Close now")
    assert not app.exception
    assert task_of(administrator, task_id).closed_at is not None
    assert "Close now" not in labels(app)


def test_an_annotator_sees_no_progress_of_others_and_an_adjudicator_does(
    open_page: Open, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator, adjudicator_id=berta.person_id)
    refused = open_page(annotator, "tasks", task=task_id)
    assert not refused.exception
    assert len(refused.error) == 1
    assert not refused.dataframe
    watched = open_page(berta, "tasks")
    assert "Tasks that I adjudicate" in words_of(watched)
    detail = open_page(berta, "tasks", task=task_id)
    assert len(detail.dataframe[0].value) == 1
    assert "Close now" not in labels(detail)


@pytest.mark.parametrize("task", ["999", "-1", "x", "²"])
def test_a_task_that_is_not_there_breaks_nothing(open_page: Open, administrator: Caller, task: str) -> None:
    app = open_page(administrator, "tasks", task=task)
    assert not app.exception
    assert len(app.error) == (1 if task == "999" else 0)


# --- a task's queue on the home page and on the annotation page ---


def test_home_tells_the_adjudicator_what_waits_and_leads_there(
    store: Store, open_page: Open, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    senior = add_person(store, "senta", Role.ANNOTATOR)
    task_id = make_task(administrator, annotator, berta, adjudicator_id=senior.person_id)
    for image_id in images[:2]:
        paint(annotator, image_id)
    paint(berta, images[0])
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
    open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    make_task(administrator, annotator, note="Mark faint ones too")
    app = open_page(annotator)
    assert not app.exception
    assert "0 of 4 images done" in texts_of_progress(app)
    assert "Mark faint ones too" in words_of(app)
    assert labels(app)[labels(app).index("Start") :].index("Start") == 0
    app = press(app, "Start")
    assert not app.exception


def test_a_queue_goes_forth_and_back_and_says_where_one_is(
    open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator)
    app = open_page(annotator, "annotate", task=task_id)
    assert not app.exception
    first = int(asked(app, "image"))
    assert texts_of_progress(app) == ["**Spring** · image 1 of 4 · 0 done · 0 of 4 cases"]
    assert "Next image" not in labels(app)
    assert next(button for button in app.button if button.label == "Previous").disabled
    app = press(app, "Next")
    second = int(asked(app, "image"))
    assert second != first
    assert asked(app, "task") == str(task_id)
    app = press(app, "Previous")
    assert int(asked(app, "image")) == first
    items = {item.image_id: item for item in task_queue.queue_items(annotator, task_id=task_id)}
    assert items[first].state is TaskItemState.WAITING


def test_opening_an_image_of_a_queue_is_kept(
    store: Store, open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    from colpo_core.store.tables import TaskItem

    task_id = make_task(administrator, annotator)
    open_page(annotator, "annotate", task=task_id)
    with store.reading() as session:
        opened = [item.position for item in session.scalars(select(TaskItem)) if item.opened_at is not None]
    assert len(opened) == 1


def test_after_a_submission_next_is_the_thing_to_do(
    open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator)
    app = open_page(annotator, "annotate", task=task_id)
    image_id = int(asked(app, "image"))
    assert _type_of(app, "Next") == "secondary"
    paint(annotator, image_id, active_ms=42_000)
    app = app.run()
    assert _type_of(app, "Next") == "primary"
    assert texts_of_progress(app) == ["**Spring** · image 1 of 4 · 1 done · 1 of 4 cases"]
    assert "42\u00a0s" in words_of(app)
    assert "Skip" not in labels(app)


def _type_of(app: Any, label: str) -> str:
    return str(next(button for button in app.button if button.label == label).proto.type)


def test_an_image_is_skipped_with_a_reason_and_taken_up_again(
    open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator)
    app = open_page(annotator, "annotate", task=task_id)
    first = int(asked(app, "image"))
    app = press(app, "Skip")
    confirm = next(button for button in app.button if button.label == "Skip this image")
    assert confirm.disabled
    # A dialog stays open for its own widgets in a browser; here each run is a whole one, so it opens with the reason.
    app.session_state["annotate_skip_reason"] = "Blurred or out of focus"
    app = press(press(app, "Skip"), "Skip this image")
    assert not app.exception
    assert int(asked(app, "image")) != first
    assert "Skipped" in words_of(app)
    items = {item.image_id: item for item in task_queue.queue_items(annotator, task_id=task_id)}
    assert (items[first].state, items[first].skip_reason) == (TaskItemState.SKIPPED, "Blurred or out of focus")
    app = open_page(annotator, "annotate", task=task_id, image=first)
    app = press(app, "Take up")
    assert not app.exception
    items = {item.image_id: item for item in task_queue.queue_items(annotator, task_id=task_id)}
    assert items[first].state is TaskItemState.WAITING


def test_a_finished_queue_says_so(open_page: Open, administrator: Caller, annotator: Caller, images: list[int]) -> None:
    task_id = make_task(administrator, annotator)
    for image_id in images:
        paint(annotator, image_id)
    app = open_page(annotator, "annotate", task=task_id)
    assert not app.exception
    assert "Nothing of this task waits for you" in words_of(app)


def test_an_image_beside_the_queue_leads_back_to_it(
    store: Store, open_page: Open, administrator: Caller, annotator: Caller, images: list[int], add_case: Any
) -> None:
    task_id = make_task(administrator, annotator)
    with store.reading() as session:
        later = session.scalars(select(Image.id).where(Image.case_id == add_case())).one()
    app = open_page(annotator, "annotate", task=task_id, image=later)
    assert "not in your queue" in words_of(app)
    app = press(app, "Back to my queue")
    assert int(asked(app, "image")) in images


def test_masks_of_fellows_in_a_blind_task_are_not_there_and_that_is_said(
    open_page: Open, administrator: Caller, annotator: Caller, berta: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator, berta)
    paint(berta, images[0])
    app = open_page(annotator, "annotate", task=task_id, image=images[0])
    assert not app.exception
    assert "Berta" not in words_of(app)
    assert "Berta" not in repr(app.main)
    assert "open once everybody has submitted" in words_of(app)
    paint(annotator, images[0])
    app = app.run()
    assert "open once everybody has submitted" not in words_of(app)
    assert "Berta" in repr(app.main)


def test_next_goes_round_to_what_still_waits(
    open_page: Open, administrator: Caller, annotator: Caller, images: list[int]
) -> None:
    task_id = make_task(administrator, annotator)
    queue = [item.image_id for item in task_queue.queue_items(annotator, task_id=task_id)]
    paint(annotator, queue[0])
    app = press(open_page(annotator, "annotate", task=task_id, image=queue[-1]), "Next")
    assert int(asked(app, "image")) == queue[1]
    for image_id in queue[1:]:
        paint(annotator, image_id)
    app = press(open_page(annotator, "annotate", task=task_id, image=queue[-1]), "All done: my queues")
    assert not app.exception
