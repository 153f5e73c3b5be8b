"""Whoever has an image before her in a task without proposals sees on no way what the model says of it."""

from collections.abc import Callable

import pytest

from colpo_core.errors import Blinding
from colpo_core.images.maps import MAP_NAMES
from colpo_core.records.overview.worklist import WorkKind
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
from colpo_core.store.tables import Review, TaskItem
from colpo_core.terms import Finding, TaskItemState, Verdict
from tests.support.clinic import PredictedClinic
from tests.support.handed_out import Team, hand_out, paint_and_submit
from tests.support.refusals import refused
from tests.support.store_rows import count, rows


def without_model(team: Team, **changes: object) -> TaskRecord:
    return team.hand_out(**({"blind": False, "proposals": False} | changes))


def skip(caller: Caller, task: TaskRecord, image_id: int) -> int:
    item_id = next(item.item_id for item in queue_items(caller, task_id=task.id) if item.image_id == image_id)
    skip_item(caller, item_id=item_id, reason="out of focus")
    return item_id


def ways(caller: Caller, prediction_id: int, image_id: int) -> dict[str, Callable[[], object]]:
    """All services that hand out a prediction by its row or its image."""
    by_row = {"prediction_id": prediction_id}
    return {
        "desk": lambda: review.open_review(caller, **by_row),
        "record": lambda: review.get_prediction(caller, **by_row),
        "of the image": lambda: review.find_prediction(caller, image_id=image_id),
        "mask": lambda: overlays.prediction_mask_png(caller, **by_row),
        **{name: lambda name=name: overlays.prediction_map_png(caller, **by_row, name=name) for name in MAP_NAMES},
    }


def sees(caller: Caller, desk: PredictedClinic, number: int = 0) -> bool:
    """Whether an actor gets at what the model says of an image on any way; all ways must agree."""
    case, prediction_id = desk.cases[number], desk.predictions[number]
    answers = {}
    for name, way in ways(caller, prediction_id, case.image_id).items():
        try:
            answers[name] = way() is not None
        except Blinding as error:
            assert "keeps the model's output back until you have submitted or skipped" in str(error)
            answers[name] = False
    queue = review.list_for_review(caller)
    answers["list"] = prediction_id in [row.id for row in queue.rows]
    assert queue.waiting == len(queue.rows) == len(desk.predictions) - queue.n_kept_back
    (shown,) = get_case(caller, case_id=case.case_id).images
    assert shown.prediction_id == prediction_id
    answers["case"] = shown.prob_hsil is not None
    assert len(set(answers.values())) == 1, f"the ways to a prediction do not agree: {answers}"
    return answers["desk"]


def test_the_model_is_kept_back_until_the_mask_is_submitted(team: Team, desk: PredictedClinic) -> None:
    without_model(team)
    assert not sees(team.anna, desk)
    paint_and_submit(team.anna, desk.cases[0].image_id)
    assert sees(team.anna, desk)
    assert not sees(team.anna, desk, number=1), "the next image waits still"
    assert not sees(team.ben, desk), "another one's mask opens nothing"


def test_a_skipped_image_opens_and_counts_for_the_task_no_more(team: Team, desk: PredictedClinic) -> None:
    task = without_model(team)
    image_id = desk.cases[0].image_id
    item_id = skip(team.anna, task, image_id)
    assert sees(team.anna, desk)
    refused(Blinding, lambda: resume_item(team.anna, item_id=item_id), match="has opened since it was skipped")
    paint_and_submit(team.anna, image_id)
    (item,) = (one for one in queue_items(team.anna, task_id=task.id) if one.image_id == image_id)
    assert item.state is TaskItemState.SKIPPED


def test_a_second_version_after_looking_leaves_the_first_to_the_task(team: Team, desk: PredictedClinic) -> None:
    without_model(team)
    image_id = desk.cases[0].image_id
    first = paint_and_submit(team.anna, image_id)
    second = paint_and_submit(team.anna, image_id, side_px=9)
    assert rows(team.administrator, TaskItem.version_id, TaskItem.version_id.is_not(None)) == [first.version_id]
    assert second.version_id != first.version_id


def test_no_proposal_of_another_finding_while_the_image_waits(team: Team, desk: PredictedClinic) -> None:
    without_model(team, finding=Finding.MOSAIC)
    offered = start_options(team.anna, image_id=desk.cases[0].image_id, finding=Finding.ACETOWHITE)
    assert offered.proposal is None
    assert "without the model's proposals" in offered.proposals_refused


def test_home_does_not_count_what_is_kept_back(team: Team, desk: PredictedClinic) -> None:
    without_model(team)
    assert WorkKind.TO_REVIEW not in {item.kind for item in overview.worklist(team.anna).items}
    assert WorkKind.TO_REVIEW in {item.kind for item in overview.worklist(team.senior).items}


def test_closing_the_task_opens_and_leaving_the_image_out_does_not(team: Team, desk: PredictedClinic) -> None:
    task = without_model(team)
    mark_image(team.anna, image_id=desk.cases[0].image_id, shows_cervix=False)
    assert not sees(team.anna, desk)
    tasks.close_task(team.administrator, task_id=task.id)
    assert sees(team.anna, desk)


def test_who_does_not_paint_the_image_sees_all(team: Team, desk: PredictedClinic) -> None:
    without_model(team, adjudicator_id=team.senior.person_id)
    for caller in (team.senior, team.administrator):
        assert sees(caller, desk)


def test_an_administrator_who_paints_is_an_annotator_like_others(team: Team, desk: PredictedClinic) -> None:
    hand_out(team.administrator, (team.administrator.person_id,), proposals=False)
    assert not sees(team.administrator, desk)


def test_a_task_with_proposals_keeps_nothing_back_and_one_of_two_without_is_enough(
    team: Team, desk: PredictedClinic
) -> None:
    team.hand_out(proposals=True)
    assert sees(team.anna, desk)
    without_model(team, title="second", finding=Finding.MOSAIC)
    assert not sees(team.anna, desk), "whatever the finding"
    paint_and_submit(team.anna, desk.cases[0].image_id)
    assert not sees(team.anna, desk), "the mosaic waits still"
    paint_and_submit(team.anna, desk.cases[0].image_id, finding=Finding.MOSAIC)
    assert sees(team.anna, desk)


def test_predictions_of_older_models_are_kept_back_too(
    team: Team, desk: PredictedClinic, administrator: Caller
) -> None:
    desk.add_checkpoint("model-2", administrator)
    without_model(team)
    case, old = desk.cases[0], desk.predictions[0]
    for way in ways(team.anna, old, case.image_id).values():
        with pytest.raises(Blinding):
            way()
    assert review.list_for_review(team.anna, checkpoint_id=desk.checkpoint_id).rows == ()


def test_no_verdict_on_what_is_kept_back_and_next_passes_over_it(team: Team, desk: PredictedClinic) -> None:
    task = without_model(team)
    first, second, third = desk.predictions
    refused(Blinding, lambda: verdicts.record_review(team.anna, prediction_id=first, verdict=Verdict.AGREE))
    assert count(team.administrator, Review) == 0
    for number in (0, 2):
        skip(team.anna, task, desk.cases[number].image_id)
    shown = review.open_review(team.anna, prediction_id=first)
    assert (shown.next_id, shown.waiting) == (third, 2)
    assert second not in [row.id for row in review.list_for_review(team.anna).rows]
