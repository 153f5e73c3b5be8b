"""Whoever has an image before her in a task without proposals sees on no way what the model says of it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from colpo_core.errors import Blinding
from colpo_core.images.maps import MAP_NAMES
from colpo_core.records.overview.worklist import WorkKind
from colpo_core.records.people import Actor
from colpo_core.records.tasks import TaskRecord
from colpo_core.services.annotations.starts import start_options
from colpo_core.services.cases.case import get_case
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import mark_image
from colpo_core.services.overview import worklist as overview
from colpo_core.services.review import desk as review
from colpo_core.services.review import overlays, verdicts
from colpo_core.services.tasks import tasks
from colpo_core.services.tasks.queue import queue_items, resume_item, skip_item
from colpo_core.store import Store
from colpo_core.store.tables import Review, TaskItem
from colpo_core.terms import Finding, TaskItemState, Verdict
from tests.support.clinic import PredictedClinic
from tests.support.handed_out import Team, hand_out, paint_and_submit


@pytest.fixture
def clinic(store: Store, administrator: Actor) -> PredictedClinic:
    return PredictedClinic(store, administrator)


def without_model(store: Store, team: Team, **changes: object) -> TaskRecord:
    return hand_out(store, team.administrator, team.annotator_ids, **({"blind": False, "proposals": False} | changes))


def skip(store: Store, actor: Actor, task: TaskRecord, image_id: int) -> int:
    queue = queue_items(Caller(store, actor), task_id=task.id)
    item_id = next(item.item_id for item in queue if item.image_id == image_id)
    skip_item(Caller(store, actor), item_id=item_id, reason="out of focus")
    return item_id


def ways(store: Store, actor: Actor, prediction_id: int, image_id: int) -> dict[str, Callable[[], object]]:
    """All services that hand out a prediction by its row or its image."""
    caller = Caller(store, actor)
    by_row = {"prediction_id": prediction_id}
    return {
        "desk": lambda: review.open_review(caller, **by_row),
        "record": lambda: review.get_prediction(caller, **by_row),
        "of the image": lambda: review.find_prediction(Caller(store, actor), image_id=image_id),
        "mask": lambda: overlays.prediction_mask_png(caller, **by_row),
        **{name: lambda name=name: overlays.prediction_map_png(caller, **by_row, name=name) for name in MAP_NAMES},
    }


def sees(store: Store, actor: Actor, clinic: PredictedClinic, number: int = 0) -> bool:
    """Whether an actor gets at what the model says of an image on any way; all ways must agree."""
    case, prediction_id = clinic.cases[number], clinic.predictions[number]
    answers = {}
    for name, way in ways(store, actor, prediction_id, case.image_id).items():
        try:
            answers[name] = way() is not None
        except Blinding as error:
            assert "keeps the model's output back until you have submitted or skipped" in str(error)
            answers[name] = False
    queue = review.list_for_review(Caller(store, actor))
    answers["list"] = prediction_id in [row.id for row in queue.rows]
    assert queue.waiting == len(queue.rows) == len(clinic.predictions) - queue.n_kept_back
    (shown,) = get_case(Caller(store, actor), case_id=case.case_id).images
    assert shown.prediction_id == prediction_id
    answers["case"] = shown.prob_hsil is not None
    assert len(set(answers.values())) == 1, f"the ways to a prediction do not agree: {answers}"
    return answers["desk"]


def test_the_model_is_kept_back_until_the_mask_is_submitted(store: Store, team: Team, clinic: PredictedClinic) -> None:
    without_model(store, team)
    assert not sees(store, team.anna, clinic)
    paint_and_submit(store, team.anna, clinic.cases[0].image_id)
    assert sees(store, team.anna, clinic)
    assert not sees(store, team.anna, clinic, number=1), "the next image waits still"
    assert not sees(store, team.ben, clinic), "another one's mask opens nothing"


def test_a_skipped_image_opens_and_counts_for_the_task_no_more(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    task = without_model(store, team)
    image_id = clinic.cases[0].image_id
    item_id = skip(store, team.anna, task, image_id)
    assert sees(store, team.anna, clinic)
    with pytest.raises(Blinding, match="has opened since it was skipped"):
        resume_item(Caller(store, team.anna), item_id=item_id)
    paint_and_submit(store, team.anna, image_id)
    (item,) = (one for one in queue_items(Caller(store, team.anna), task_id=task.id) if one.image_id == image_id)
    assert item.state is TaskItemState.SKIPPED


def test_a_second_version_after_looking_leaves_the_first_to_the_task(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    without_model(store, team)
    image_id = clinic.cases[0].image_id
    first = paint_and_submit(store, team.anna, image_id)
    second = paint_and_submit(store, team.anna, image_id, side_px=9)
    with store.reading() as session:
        counted = session.scalars(select(TaskItem.version_id).where(TaskItem.version_id.is_not(None))).all()
    assert counted == [first.version_id]
    assert second.version_id != first.version_id


def test_no_proposal_of_another_finding_while_the_image_waits(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    without_model(store, team, finding=Finding.MOSAIC)
    offered = start_options(Caller(store, team.anna), image_id=clinic.cases[0].image_id, finding=Finding.ACETOWHITE)
    assert offered.proposal is None
    assert "without the model's proposals" in offered.proposals_refused


def test_home_does_not_count_what_is_kept_back(store: Store, team: Team, clinic: PredictedClinic) -> None:
    without_model(store, team)
    kinds = {item.kind for item in overview.worklist(Caller(store, team.anna)).items}
    assert WorkKind.TO_REVIEW not in kinds
    assert WorkKind.TO_REVIEW in {item.kind for item in overview.worklist(Caller(store, team.senior)).items}


def test_closing_the_task_opens_and_leaving_the_image_out_does_not(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    task = without_model(store, team)
    mark_image(Caller(store, team.anna), image_id=clinic.cases[0].image_id, shows_cervix=False)
    assert not sees(store, team.anna, clinic)
    tasks.close_task(Caller(store, team.administrator), task_id=task.id)
    assert sees(store, team.anna, clinic)


def test_who_does_not_paint_the_image_sees_all(store: Store, team: Team, clinic: PredictedClinic) -> None:
    without_model(store, team, adjudicator_id=team.senior.person_id)
    for actor in (team.senior, team.administrator):
        assert sees(store, actor, clinic)


def test_an_administrator_who_paints_is_an_annotator_like_others(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    hand_out(store, team.administrator, (team.administrator.person_id,), proposals=False)
    assert not sees(store, team.administrator, clinic)


def test_a_task_with_proposals_keeps_nothing_back_and_one_of_two_without_is_enough(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    hand_out(store, team.administrator, team.annotator_ids, proposals=True)
    assert sees(store, team.anna, clinic)
    without_model(store, team, title="second", finding=Finding.MOSAIC)
    assert not sees(store, team.anna, clinic), "whatever the finding"
    paint_and_submit(store, team.anna, clinic.cases[0].image_id)
    assert not sees(store, team.anna, clinic), "the mosaic waits still"
    paint_and_submit(store, team.anna, clinic.cases[0].image_id, finding=Finding.MOSAIC)
    assert sees(store, team.anna, clinic)


def test_predictions_of_older_models_are_kept_back_too(
    store: Store, team: Team, clinic: PredictedClinic, administrator: Actor
) -> None:
    clinic.add_checkpoint("model-2", administrator)
    without_model(store, team)
    case, old = clinic.cases[0], clinic.predictions[0]
    for way in ways(store, team.anna, old, case.image_id).values():
        with pytest.raises(Blinding):
            way()
    assert review.list_for_review(Caller(store, team.anna), checkpoint_id=clinic.checkpoint_id).rows == ()


def test_no_verdict_on_what_is_kept_back_and_next_passes_over_it(
    store: Store, team: Team, clinic: PredictedClinic
) -> None:
    task = without_model(store, team)
    first, second, third = clinic.predictions
    with pytest.raises(Blinding):
        verdicts.record_review(Caller(store, team.anna), prediction_id=first, verdict=Verdict.AGREE)
    with store.reading() as session:
        assert session.query(Review).count() == 0
    for number in (0, 2):
        skip(store, team.anna, task, clinic.cases[number].image_id)
    desk = review.open_review(Caller(store, team.anna), prediction_id=first)
    assert (desk.next_id, desk.waiting) == (third, 2)
    assert second not in [row.id for row in review.list_for_review(Caller(store, team.anna)).rows]
