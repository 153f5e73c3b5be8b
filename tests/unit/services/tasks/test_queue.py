import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.records.people import Actor
from colpo_core.records.tasks import QueueItem, QueuePlace
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import mark_image
from colpo_core.services.tasks import queue as task_queue
from colpo_core.services.tasks import tasks
from colpo_core.store import Store
from colpo_core.store.tables import Image, Person, TaskItem
from colpo_core.terms import Finding, Stage, TaskItemState, TaskOrder
from tests.conftest import AddCase
from tests.support.handed_out import Team, hand_out, image_of, make_team, paint_and_submit
from tests.support.refusals import refused
from tests.support.store_rows import get


def queue_of(caller: Caller, task_id: int) -> tuple[QueueItem, ...]:
    return task_queue.queue_items(caller, task_id=task_id)


def place(caller: Caller, task_id: int, image_id: int) -> QueuePlace:
    found = task_queue.queue_place(caller, task_id=task_id, image_id=image_id)
    assert found is not None
    return found


def walk(caller: Caller, task_id: int, image_id: int | None, step: str) -> list[int]:
    seen: list[int] = []
    while image_id is not None:
        assert image_id not in seen, "an image came twice"
        seen.append(image_id)
        image_id = getattr(place(caller, task_id, image_id), step)
    return seen


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_next_and_previous_visit_every_image_once_whatever_is_done_or_left_out(
    store: Store, administrator: Caller, add_case: AddCase, data: st.DataObject
) -> None:
    if not tasks.list_tasks(administrator):
        team = make_team(administrator)
        for _ in range(5):
            add_case()
        hand_out(administrator, team.annotator_ids, order=TaskOrder.RANDOM)
    (task,) = tasks.list_tasks(administrator)
    states = data.draw(st.lists(st.sampled_from(TaskItemState), min_size=5, max_size=5))
    shown = data.draw(st.lists(st.booleans(), min_size=5, max_size=5))
    with store.writing() as session:
        its = session.query(TaskItem).filter_by(task_id=task.id).order_by(TaskItem.annotator_id, TaskItem.position)
        mine = [item for item in its if item.annotator_id == its[0].annotator_id]
        for item, state, shows in zip(mine, states, shown, strict=True):
            item.state = state
            session.get_one(Image, item.image_id).shows_cervix = shows
        person = session.get_one(Person, mine[0].annotator_id)
    caller = Caller(store, Actor(person.id, person.username, person.display_name, person.role))
    items = queue_of(caller, task.id)
    counted = [item for item in items if not item.left_out]
    assert len(items) == 5
    for item, state, shows in zip(items, states, shown, strict=True):
        assert item.left_out == (state is TaskItemState.WAITING and not shows)
    if counted:
        forward = walk(caller, task.id, counted[0].image_id, "next_image_id")
        assert forward == [item.image_id for item in counted]
        assert walk(caller, task.id, counted[-1].image_id, "previous_image_id") == forward[::-1]
    waiting = [item.image_id for item in counted if item.state is TaskItemState.WAITING]
    (summary,) = task_queue.my_queues(caller)
    assert summary.next_image_id == (waiting[0] if waiting else None)
    assert (summary.n_items, summary.n_done) == (len(counted), len(counted) - len(waiting))
    for item in items:
        following = [
            other.image_id
            for other in (*items[item.position :], *items[: item.position - 1])
            if other.image_id in waiting
        ]
        assert place(caller, task.id, item.image_id).next_waiting_image_id == next(iter(following), None)


def test_a_place_says_where_i_am(store: Store, team: Team, add_case: AddCase) -> None:
    images = [image_of(store, add_case()) for _ in range(3)]
    made = team.hand_out(proposals=False, note="Mind the margin.", finding=Finding.MOSAIC)
    paint_and_submit(team.anna, images[1], finding=Finding.MOSAIC)
    here = place(team.anna, made.id, images[1])
    assert (here.position, here.n_items, here.n_done, here.n_cases, here.n_cases_done) == (2, 3, 1, 3, 1)
    assert (here.previous_image_id, here.next_image_id, here.next_waiting_image_id) == (images[0], images[2], images[2])
    assert (here.state, here.skip_reason, here.finding) == (TaskItemState.SUBMITTED, None, Finding.MOSAIC)
    assert (here.blind, here.proposals, here.closed, here.left_out) == (True, False, False, False)
    assert (here.active_ms, here.case_active_ms, here.note) == (4000, 4000, "Mind the margin.")
    last = place(team.anna, made.id, images[2])
    assert (last.next_image_id, last.next_waiting_image_id) == (None, images[0]), "it starts again at the first"
    assert task_queue.queue_place(team.senior, task_id=made.id, image_id=images[0]) is None
    assert task_queue.queue_place(team.anna, task_id=99, image_id=images[0]) is None
    assert task_queue.queue_place(team.anna, task_id=made.id, image_id=99) is None


def test_a_mask_of_another_finding_settles_nothing(team: Team, image_id: int) -> None:
    made = team.hand_out()
    paint_and_submit(team.anna, image_id, finding=Finding.MOSAIC)
    here = place(team.anna, made.id, image_id)
    assert (here.state, here.active_ms) == (TaskItemState.WAITING, 0)


@pytest.mark.parametrize("change", [{"shows_cervix": False}, {"stage": Stage.LUGOL}])
def test_an_image_left_out_later_is_passed_over_and_comes_back(
    store: Store, team: Team, add_case: AddCase, change: dict[str, object]
) -> None:
    images = [image_of(store, add_case()) for _ in range(3)]
    made = team.hand_out()
    mark_image(team.anna, image_id=images[1], **change)  # type: ignore[arg-type]
    here = place(team.anna, made.id, images[0])
    assert (here.n_items, here.n_cases, here.next_image_id, here.next_waiting_image_id) == (2, 2, images[2], images[2])
    gone = place(team.anna, made.id, images[1])
    assert (gone.left_out, gone.previous_image_id, gone.next_image_id) == (True, images[0], images[2])
    mark_image(team.anna, image_id=images[1], stage=Stage.ACETIC_ACID, shows_cervix=True)
    assert walk(team.anna, made.id, images[0], "next_image_id") == images


def test_opening_is_noted_once(store: Store, team: Team, add_case: AddCase) -> None:
    add_case()
    (item,) = queue_of(team.anna, team.hand_out().id)
    task_queue.open_item(team.anna, item_id=item.item_id)
    first = get(store, TaskItem, item.item_id).opened_at
    task_queue.open_item(team.anna, item_id=item.item_id)
    assert get(store, TaskItem, item.item_id).opened_at == first is not None
    for caller in (team.ben, team.administrator):
        with pytest.raises(NotFound):
            task_queue.open_item(caller, item_id=item.item_id)


def test_skipping_needs_a_reason_and_can_be_taken_back(team: Team, image_id: int) -> None:
    made = team.hand_out()
    (item,) = queue_of(team.anna, made.id)
    for reason, sentence in (("", "why"), (" \n", "why"), ("x" * 301, "300")):
        with pytest.raises(InputRejected, match=sentence):
            task_queue.skip_item(team.anna, item_id=item.item_id, reason=reason)
    refused(NotFound, lambda: task_queue.skip_item(team.ben, item_id=item.item_id, reason="mine to skip?"))
    task_queue.skip_item(team.anna, item_id=item.item_id, reason="x" * 300)
    skipped = task_queue.skip_item(team.anna, item_id=item.item_id, reason="too  blurred ")
    assert (skipped.state, skipped.skip_reason) == (TaskItemState.SKIPPED, "too blurred")
    here = place(team.anna, made.id, image_id)
    assert (here.n_done, here.skip_reason, here.next_waiting_image_id) == (1, "too blurred", None)
    resumed = task_queue.resume_item(team.anna, item_id=item.item_id)
    assert (resumed.state, resumed.skip_reason) == (TaskItemState.WAITING, None)
    refused(Conflict, lambda: task_queue.resume_item(team.anna, item_id=item.item_id), match="not skipped")
    paint_and_submit(team.anna, image_id)
    with pytest.raises(Conflict, match="submitted already"):
        task_queue.skip_item(team.anna, item_id=item.item_id, reason="late")


def test_painting_what_was_skipped_settles_it(team: Team, image_id: int) -> None:
    made = team.hand_out()
    (item,) = queue_of(team.anna, made.id)
    task_queue.skip_item(team.anna, item_id=item.item_id, reason="later")
    paint_and_submit(team.anna, image_id)
    assert place(team.anna, made.id, image_id).state is TaskItemState.SUBMITTED


def test_an_administrator_skips_for_somebody_who_has_left(team: Team, add_case: AddCase) -> None:
    add_case()
    made = team.hand_out()
    (item,) = queue_of(team.ben, made.id)
    task_queue.skip_item(team.administrator, item_id=item.item_id, reason="has left the clinic")
    assert queue_of(team.ben, made.id)[0].skip_reason == "has left the clinic"


def test_a_closed_task_can_be_looked_at_and_no_more(store: Store, team: Team, image_id: int) -> None:
    made = team.hand_out()
    (item,) = queue_of(team.anna, made.id)
    tasks.close_task(team.administrator, task_id=made.id)
    assert task_queue.my_queues(team.anna) == ()
    (summary,) = task_queue.my_queues(team.anna, with_closed=True)
    assert (summary.closed, summary.next_image_id) == (True, None)
    here = place(team.anna, made.id, image_id)
    assert (here.closed, here.next_waiting_image_id) == (True, None)
    task_queue.open_item(team.anna, item_id=item.item_id)
    assert get(store, TaskItem, item.item_id).opened_at is None
    refused(
        Conflict,
        lambda: task_queue.skip_item(team.anna, item_id=item.item_id, reason="late"),
        lambda: task_queue.resume_item(team.anna, item_id=item.item_id),
        match="closed",
    )


def test_a_queue_is_its_persons_own(team: Team, reader: Caller, add_case: AddCase) -> None:
    add_case()
    made = team.hand_out(adjudicator_id=team.senior.person_id)
    anna_id = team.anna.person_id
    for caller in (team.administrator, team.senior):
        assert task_queue.queue_items(caller, task_id=made.id, annotator_id=anna_id) == queue_of(team.anna, made.id)
    with pytest.raises(PermissionDenied, match="Another person's queue"):
        task_queue.queue_items(team.ben, task_id=made.id, annotator_id=anna_id)
    refused(
        PermissionDenied,
        lambda: task_queue.my_queues(reader),
        lambda: task_queue.queue_items(reader, task_id=made.id),
        lambda: task_queue.queue_place(reader, task_id=made.id, image_id=1),
        lambda: task_queue.open_item(reader, item_id=1),
        lambda: task_queue.skip_item(reader, item_id=1, reason="no"),
        lambda: task_queue.resume_item(reader, item_id=1),
    )
