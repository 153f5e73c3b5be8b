from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.records.cases.lists import CaseFilter, LabelChoice
from colpo_core.services.common.actors import IMPORTER, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import mark_image
from colpo_core.services.tasks import tasks
from colpo_core.services.tasks.queue import open_item, queue_items, skip_item
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Case, Image, Patient, Person, Prediction, TaskItem
from colpo_core.terms import Label, Role, Stage, TaskItemState, TaskOrder
from tests.conftest import AddCase, add_person
from tests.support import store_rows
from tests.support.clinic import PredictedClinic, add_view
from tests.support.handed_out import Team, hand_out, image_of, paint_and_submit, task_draft, task_of
from tests.support.refusals import refused
from tests.support.store_rows import change, count, get


def add_images(store: Store, case_id: int, n_images: int) -> None:
    for number in range(n_images):
        sha256 = f"{case_id:032d}{number:032d}"
        add_view(store, case_id, Stage.ACETIC_ACID, sha256=sha256, seconds_after_acid=60 - number)


def items_of(store: Store, task_id: int) -> list[TaskItem]:
    return store_rows.rows(store, TaskItem, task_id=task_id)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31 - 1), n_annotators=st.integers(1, 3), order=st.sampled_from(TaskOrder))
def test_what_is_written_is_shared_out_by_patient(
    store: Store, administrator: Caller, add_case: AddCase, seed: int, n_annotators: int, order: TaskOrder
) -> None:
    with store.writing() as session:
        if session.query(Person).count() == 1:
            session.add_all(Person(username=f"a{n}", display_name="A", role=Role.ANNOTATOR) for n in range(4))
    with store.reading() as session:
        people = tuple(person.id for person in session.query(Person).filter(Person.username != "ada"))
        is_new = session.query(Case).count() == 0
    if is_new:
        for number in range(6):
            case_id = add_case()
            add_images(store, case_id, number % 3)
            if number % 2:
                patient_id = get(store, Case, case_id).patient_id
                add_case(patient_id=patient_id)
    wishes = {"n_annotators": n_annotators, "seed": seed, "order": order}
    made = hand_out(administrator, people, title=f"t{seed}-{n_annotators}-{order}-1", **wishes)
    again = hand_out(administrator, people[::-1], title=f"t{seed}-{n_annotators}-{order}-2", **wishes)
    for task in (made, again):
        tasks.close_task(administrator, task_id=task.id)
    items = items_of(store, made.id)
    assert set(Counter(item.image_id for item in items).values()) == {n_annotators}
    assert len({(item.image_id, item.annotator_id) for item in items}) == len(items) == made.n_items
    with store.reading() as session:
        rows = session.query(Image.id, Case.patient_id).join(Case, Case.id == Image.case_id).all()
    patient_of, sizes = dict(rows), Counter(patient_id for _, patient_id in rows)
    people_of: dict[int, set[frozenset[int]]] = {}
    for image_id in {item.image_id for item in items}:
        its = frozenset(item.annotator_id for item in items if item.image_id == image_id)
        people_of.setdefault(patient_of[image_id], set()).add(its)
    assert all(len(groups) == 1 for groups in people_of.values()), "a patient's images went to different people"
    loads = {person_id: sum(item.annotator_id == person_id for item in items) for person_id in people}
    assert max(loads.values()) - min(loads.values()) <= max(sizes.values())
    for person_id in people:
        positions = sorted(item.position for item in items if item.annotator_id == person_id)
        assert positions == list(range(1, len(positions) + 1))
    same = [(item.image_id, item.annotator_id, item.position) for item in items]
    assert sorted(same) == sorted((i.image_id, i.annotator_id, i.position) for i in items_of(store, again.id))


def test_only_acetic_images_that_show_the_cervix_are_handed_out_and_the_preview_says_so(
    store: Store, team: Team, add_case: AddCase
) -> None:
    good = [image_of(store, add_case()) for _ in range(3)]
    add_case(stage=Stage.LUGOL)
    add_case(stage=Stage.NATIVE, shows_cervix=False)
    add_case(shows_cervix=False)
    preview = tasks.preview_task(team.administrator, draft=task_draft(team.annotator_ids))
    assert (preview.n_cases, preview.n_images, preview.n_without_prediction) == (3, 3, 3)
    assert preview.n_left_out == {"not taken with acetic acid": 2, "does not show the cervix": 1}
    assert preview.per_person == {"Anna (anna)": 3, "Ben (ben)": 3}
    assert count(store, TaskItem) == 0
    made = team.hand_out()
    assert {item.image_id for item in items_of(store, made.id)} == set(good)
    assert (made.n_images, made.n_items, made.n_submitted, made.n_skipped, made.n_images_done) == (3, 6, 0, 0, 0)
    assert (made.n_waiting, made.created_by, made.closed_at) == (6, "Ada", None)


def test_the_filter_is_that_of_the_list_of_cases(store: Store, team: Team, add_case: AddCase) -> None:
    add_case(Label.NORMAL)
    hsil = image_of(store, add_case(Label.HSIL))
    made = team.hand_out(where=CaseFilter(label=LabelChoice.HSIL))
    assert {item.image_id for item in items_of(store, made.id)} == {hsil}
    with pytest.raises(InputRejected, match="No image"):
        team.hand_out(title="2", where=CaseFilter(patient_code="nobody"))


def test_a_limit_takes_whole_cases_in_the_tasks_order(store: Store, team: Team, add_case: AddCase) -> None:
    ids = [add_case() for _ in range(3)]
    add_images(store, ids[0], 2)
    draft = task_draft(team.annotator_ids, max_images=4)
    preview = tasks.preview_task(team.administrator, draft=draft)
    assert (preview.n_cases, preview.n_images) == (2, 4)
    assert preview.n_left_out == {"over the largest number of images": 1}
    queue = queue_items(team.anna, task_id=tasks.create_task(team.administrator, draft=draft).id)
    assert [item.case_id for item in queue] == [ids[0]] * 3 + [ids[1]], "the oldest examinations come first"


def test_the_least_sure_comes_first_and_the_unpredicted_last(store: Store, administrator: Caller) -> None:
    predicted = PredictedClinic(administrator)
    extra = predicted.clinic.add_case(masked=False)
    anna = add_person(store, "anna", Role.ANNOTATOR)
    with store.writing() as session:
        for row, entropy in zip(session.query(Prediction).order_by(Prediction.id), (0.1, 0.9, 0.5), strict=True):
            row.mask_entropy = entropy
    wishes = {"order": TaskOrder.UNCERTAINTY}
    assert tasks.preview_task(administrator, draft=task_draft((anna.person_id,), **wishes)).n_without_prediction == 1
    made = hand_out(administrator, (anna.person_id,), **wishes)
    order = [item.image_id for item in queue_items(anna, task_id=made.id)]
    first, second, third = (case.image_id for case in predicted.cases)
    assert order == [second, third, first, extra.image_id]


def test_who_cannot_annotate_cannot_be_given_a_task(team: Team, reader: Caller, add_case: AddCase) -> None:
    add_case()
    gone = add_person(reader.store, "gone", Role.ANNOTATOR)
    change(reader, Person, gone.person_id, active=False)
    program = program_actor(reader.store, IMPORTER)
    for person_id, sentence in (
        (reader.person_id, "Rita is a reader"),
        (gone.person_id, "Gone is deactivated"),
        (program.person_id, "is the program itself"),
        (999, "There is no person 999"),
    ):
        for changes in (
            {"annotator_ids": (team.anna.person_id, person_id)},
            {"annotator_ids": (team.anna.person_id,), "adjudicator_id": person_id},
        ):
            draft = task_draft(**changes, n_annotators=1)
            with pytest.raises(InputRejected, match=sentence):
                tasks.preview_task(team.administrator, draft=draft)
            with pytest.raises(InputRejected, match=sentence):
                tasks.create_task(team.administrator, draft=draft)
    choices = tasks.annotator_choices(team.administrator)
    assert [one.name for one in choices] == ["Ada (ada)", "Anna (anna)", "Ben (ben)", "Senior (senior)"]
    assert count(reader, TaskItem) == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"n_annotators": 0}, "at least one"),
        ({"n_annotators": 3}, "at least 3 people"),
        ({"annotator_ids": (1, 1)}, "twice"),
        ({"annotator_ids": ()}, "at least 2 people"),
        ({"adjudicator_id": 2}, "cannot be one of them"),
        ({"note": "x" * 2001}, "2000"),
        ({"seed": -1}, "seed"),
        ({"max_images": 0}, "1 or more"),
    ],
)
def test_a_draft_that_cannot_be_is_refused(changes: dict[str, object], sentence: str) -> None:
    wishes = {"annotator_ids": (1, 2), "n_annotators": 2} | changes
    refused(InputRejected, lambda: task_draft(**wishes), match=sentence)  # type: ignore[arg-type]


def test_a_title_is_taken_once(team: Team, add_case: AddCase) -> None:
    add_case()
    team.hand_out(title=" two  words ")
    refused(Conflict, lambda: team.hand_out(title="two words"), match="two words")


def test_a_mask_submitted_before_counts_as_done(store: Store, team: Team, add_case: AddCase) -> None:
    before = paint_and_submit(team.anna, image_of(store, add_case()))
    assert tasks.preview_task(team.administrator, draft=task_draft(team.annotator_ids)).n_done_already == 1
    made = team.hand_out()
    assert (made.n_submitted, made.n_waiting) == (1, 1)
    (item,) = (one for one in items_of(store, made.id) if one.annotator_id == team.anna.person_id)
    assert (item.state, item.version_id, item.finished_at) == (
        TaskItemState.SUBMITTED, before.version_id, before.created_at,
    )  # fmt: skip


def test_progress_counts_and_times_each_person(store: Store, team: Team, add_case: AddCase) -> None:
    images = [image_of(store, add_case()) for _ in range(3)]
    made = team.hand_out(adjudicator_id=team.senior.person_id)
    by_image = {item.image_id: item.item_id for item in queue_items(team.anna, task_id=made.id)}
    paint_and_submit(team.anna, images[0])
    change(store, TaskItem, by_image[images[1]], active_ms=9000)
    skip_item(team.anna, item_id=by_image[images[1]], reason="only  blood")
    found = tasks.task_progress(team.senior, task_id=made.id)
    anna, ben = found.people
    assert (anna.name, anna.n_items, anna.n_submitted, anna.n_skipped, anna.n_waiting) == ("Anna", 3, 1, 1, 1)
    assert (anna.seconds_per_image_median, anna.seconds_per_case_median) == (4.0, 6.5)
    assert (ben.n_items, ben.n_waiting, ben.seconds_per_image_median, ben.seconds_per_case_median) == (3, 3, None, None)
    (skipped,) = found.skipped
    assert (skipped.image_id, skipped.annotator, skipped.reason) == (images[1], "Anna", "only blood")
    assert (found.task.n_submitted, found.task.n_skipped, found.task.n_images_done) == (1, 1, 0)
    assert found.task.adjudicator == "Senior"
    paint_and_submit(team.ben, images[0])
    assert task_of(team.ben, made.id).n_images_done == 1


def test_an_image_left_out_later_holds_nobody_up(store: Store, team: Team, add_case: AddCase) -> None:
    first, second = (image_of(store, add_case()) for _ in range(2))
    made = team.hand_out()
    paint_and_submit(team.anna, first)
    paint_and_submit(team.anna, second)
    paint_and_submit(team.ben, first)
    mark_image(team.ben, image_id=second, shows_cervix=False)
    task = task_of(team.ben, made.id)
    assert (task.n_images, task.n_items, task.n_waiting, task.n_images_done, task.n_left_out) == (2, 3, 0, 2, 1)
    ben = tasks.task_progress(team.administrator, task_id=made.id).people[1]
    assert (ben.n_items, ben.n_submitted, ben.n_waiting) == (1, 1, 0)
    mark_image(team.ben, image_id=second, shows_cervix=True)
    task = task_of(team.ben, made.id)
    assert (task.n_items, task.n_waiting, task.n_images_done, task.n_left_out) == (4, 1, 1, 0)


def test_closing_ends_a_task_once(team: Team, image_id: int) -> None:
    made = team.hand_out()
    closed = tasks.close_task(team.administrator, task_id=made.id)
    assert closed.closed_at is not None
    refused(Conflict, lambda: tasks.close_task(team.administrator, task_id=made.id), match="closed already")
    assert tasks.list_tasks(team.anna) == ()
    assert tasks.list_tasks(team.anna, with_closed=True) == (closed,)
    paint_and_submit(team.anna, image_id)
    assert task_of(team.anna, made.id).n_submitted == 0, "a closed task counts nothing more"


def test_who_sees_which_task(team: Team, reader: Caller, add_case: AddCase) -> None:
    add_case()
    made = hand_out(team.administrator, (team.anna.person_id,), adjudicator_id=team.senior.person_id)
    for caller in (team.administrator, team.anna, team.senior):
        assert [task.id for task in tasks.list_tasks(caller)] == [made.id]
    assert tasks.list_tasks(team.ben) == ()
    refused(
        NotFound,
        lambda: tasks.task_progress(team.ben, task_id=made.id),
        lambda: tasks.task_progress(team.administrator, task_id=99),
    )
    refused(PermissionDenied, lambda: tasks.task_progress(reader, task_id=made.id))
    refused(PermissionDenied, lambda: tasks.task_progress(team.anna, task_id=made.id), match="progress")
    draft = task_draft(team.annotator_ids)
    refused(
        PermissionDenied,
        lambda: tasks.preview_task(team.anna, draft=draft),
        lambda: tasks.create_task(team.anna, draft=draft),
        lambda: tasks.close_task(team.anna, task_id=made.id),
        lambda: tasks.annotator_choices(team.anna),
        lambda: tasks.list_tasks(reader),
    )


def test_what_is_done_stands_in_the_log_without_patient_data(store: Store, team: Team, case_id: int) -> None:
    code = get(store, Patient, get(store, Case, case_id).patient_id).code
    made = team.hand_out(where=CaseFilter(patient_code=code), seed=7)
    item = queue_items(team.anna, task_id=made.id)[0]
    open_item(team.anna, item_id=item.item_id)
    skip_item(team.anna, item_id=item.item_id, reason="blurred")
    tasks.close_task(team.administrator, task_id=made.id)
    entries = store_rows.rows(store, AuditEntry, subject=f"task {made.id}")
    assert [entry.action for entry in entries] == ["create task", "skip task item", "close task"]
    created = entries[0].detail
    assert (created["seed"], created["n_images"], created["annotators"]) == (7, 1, sorted(team.annotator_ids))
    assert created["where"] == {"code": "narrowed"}
    assert code not in str([entry.detail for entry in entries])
    assert entries[1].detail["reason"] == "blurred"
