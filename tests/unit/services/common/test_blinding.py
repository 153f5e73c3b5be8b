"""An annotator of a blind task sees nobody else's mask on any way to it, until all have submitted or skipped."""

import numpy as np
import pytest

from colpo_core.errors import Blinding
from colpo_core.services.annotations import confirmation, own_masks
from colpo_core.services.annotations.drafts import submit_draft
from colpo_core.services.annotations.imported_masks import import_annotation
from colpo_core.services.annotations.rows import Document
from colpo_core.services.annotations.versions import compare_versions, comparison_overlay, list_versions
from colpo_core.services.annotations.workbench import annotation_desk, next_image_to_confirm
from colpo_core.services.cases.case import get_case
from colpo_core.services.cases.lists import list_cases
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import mark_image
from colpo_core.services.review import desk as review
from colpo_core.services.tasks import tasks
from colpo_core.services.tasks.queue import queue_items, resume_item, skip_item
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, TaskItem
from colpo_core.terms import AnnotationState, Finding, MaskOrigin, TaskItemState
from tests.conftest import AddCase
from tests.support import store_rows
from tests.support.clinic import PredictedClinic
from tests.support.handed_out import Team, hand_out, image_of, make_team, paint_and_submit, task_draft
from tests.support.store_rows import get


def seen_by(caller: Caller, case_id: int, image_id: int) -> set[str]:
    """Names of the other people whose masks an actor sees on any page of an image; the pages must agree."""
    on_desk = {version.author for version in annotation_desk(caller, image_id=image_id).others}
    shown = next(one for one in get_case(caller, case_id=case_id).images if one.image.id == image_id)
    on_case = {
        one.annotator
        for one in shown.annotations
        if one.finding is Finding.ACETOWHITE and one.state is not AnnotationState.REJECTED
    }
    listed = {
        version.author
        for version in own_masks.submitted_masks(caller, image_id=image_id)
        if version.finding is Finding.ACETOWHITE
    }
    assert on_desk == on_case - {caller.actor.display_name} == listed - {caller.actor.display_name}
    return on_desk


def opens(caller: Caller, version_id: int, own_id: int) -> bool:
    """Whether an actor gets at a version's mask on any way; all ways must agree."""
    annotation_id = get(caller.store, AnnotationVersion, version_id).annotation_id
    answers = set()
    for way in (
        lambda: own_masks.version_mask(caller, version_id=version_id),
        lambda: own_masks.version_mask_overlay(caller, version_id=version_id),
        lambda: list_versions(caller, annotation_id=annotation_id),
        lambda: compare_versions(caller, first_id=own_id, second_id=version_id),
        lambda: comparison_overlay(caller, first_id=version_id, second_id=own_id),
    ):
        try:
            way()
            answers.add(True)
        except Blinding as error:
            assert "blind task" in str(error)
            answers.add(False)
    assert len(answers) == 1, "the ways to a mask do not agree"
    return answers.pop()


def test_masks_are_hidden_until_all_have_submitted(team: Team, case_id: int, image_id: int) -> None:
    team.hand_out()
    by_anna = paint_and_submit(team.anna, image_id)
    assert seen_by(team.ben, case_id, image_id) == set()
    assert not opens(team.ben, by_anna.version_id, by_anna.version_id)
    assert annotation_desk(team.anna, image_id=image_id).versions[0].version_id == by_anna.version_id
    by_ben = paint_and_submit(team.ben, image_id, side_px=7)
    assert seen_by(team.ben, case_id, image_id) == {"Anna"}
    assert seen_by(team.anna, case_id, image_id) == {"Ben"}
    assert opens(team.ben, by_anna.version_id, by_ben.version_id)
    assert opens(team.anna, by_ben.version_id, by_anna.version_id)


def test_the_first_who_submits_waits_for_the_others_too(team: Team, case_id: int, image_id: int) -> None:
    hand_out(team.administrator, (*team.annotator_ids, team.senior.person_id))
    by_anna = paint_and_submit(team.anna, image_id)
    by_ben = paint_and_submit(team.ben, image_id)
    assert seen_by(team.anna, case_id, image_id) == set(), "the third has it before him still"
    assert not opens(team.anna, by_ben.version_id, by_anna.version_id)
    skip_item(team.senior, item_id=item_id_of(team.senior), reason="my own patient")
    for caller, others in ((team.anna, {"Ben"}), (team.ben, {"Anna"}), (team.senior, {"Anna", "Ben"})):
        assert seen_by(caller, case_id, image_id) == others
    assert opens(team.anna, by_ben.version_id, by_anna.version_id)


def test_masks_from_outside_of_the_task_are_hidden_too(
    team: Team, case_id: int, image_id: int, importer: Caller
) -> None:
    outside = paint_and_submit(team.senior, image_id)
    import_annotation(importer, image_id=image_id, mask=np.ones((24, 32), np.bool_), origin=MaskOrigin.CHORD)
    team.hand_out()
    assert seen_by(team.anna, case_id, image_id) == set()
    desk = annotation_desk(team.anna, image_id=image_id)
    assert (desk.to_confirm, desk.is_blind) == ((), True)
    assert (desk.n_to_confirm, desk.next_to_confirm_id) == (0, None)
    assert next_image_to_confirm(team.anna) is None
    assert next_image_to_confirm(team.senior) == image_id
    assert not opens(team.anna, outside.version_id, outside.version_id)
    assert len(annotation_desk(team.senior, image_id=image_id).to_confirm) == 1
    kept_back = confirmation.list_to_confirm(team.anna)
    assert (kept_back.versions, kept_back.total) == ((), 0), "its share of the image tells of the mask"
    assert confirmation.list_to_confirm(team.senior).total == 1
    for caller in (team.anna, team.ben):
        paint_and_submit(caller, image_id)
    assert seen_by(team.anna, case_id, image_id) == {"Ben", "Senior"}
    assert not annotation_desk(team.anna, image_id=image_id).is_blind


def test_only_the_tasks_finding_and_images_are_hidden(store: Store, team: Team, add_case: AddCase) -> None:
    first, second = add_case(), add_case()
    team.hand_out(finding=Finding.MOSAIC)
    for case_id in (first, second):
        paint_and_submit(team.anna, image_of(store, case_id))
        paint_and_submit(team.anna, image_of(store, case_id), finding=Finding.MOSAIC)
    image_id = image_of(store, first)
    assert seen_by(team.ben, first, image_id) == {"Anna"}
    mosaic = annotation_desk(team.ben, image_id=image_id, finding=Finding.MOSAIC)
    assert mosaic.others == ()
    paint_and_submit(team.ben, image_id, finding=Finding.MOSAIC)
    mosaic = annotation_desk(team.ben, image_id=image_id, finding=Finding.MOSAIC)
    assert [version.author for version in mosaic.others] == ["Anna"]
    assert annotation_desk(team.ben, image_id=image_of(store, second), finding=Finding.MOSAIC).others == ()


@pytest.mark.parametrize("blind", [True, False])
def test_who_judges_and_who_is_outside_sees_all_and_so_does_everybody_in_an_open_task(
    team: Team, blind: bool, case_id: int, image_id: int
) -> None:
    team.hand_out(blind=blind, adjudicator_id=team.senior.person_id)
    paint_and_submit(team.anna, image_id)
    assert seen_by(team.senior, case_id, image_id) == {"Anna"}
    assert seen_by(team.administrator, case_id, image_id) == {"Anna"}
    assert seen_by(team.ben, case_id, image_id) == (set() if blind else {"Anna"})


def test_closing_the_task_opens_its_masks(team: Team, case_id: int, image_id: int) -> None:
    made = team.hand_out()
    paint_and_submit(team.anna, image_id)
    tasks.close_task(team.administrator, task_id=made.id)
    assert seen_by(team.ben, case_id, image_id) == {"Anna"}


def test_leaving_an_image_out_opens_nothing(team: Team, case_id: int, image_id: int) -> None:
    """Anybody may mark an image: marking it and marking it back must be no way to the others' masks."""
    team.hand_out()
    by_anna = paint_and_submit(team.anna, image_id)
    annotations_before = seen_by(team.ben, case_id, image_id)
    mark_image(team.ben, image_id=image_id, shows_cervix=False)
    assert seen_by(team.ben, case_id, image_id) == annotations_before == set()
    assert not opens(team.ben, by_anna.version_id, by_anna.version_id)


def test_what_was_skipped_cannot_be_painted_blind_once_the_others_are_seen(
    team: Team, case_id: int, image_id: int
) -> None:
    team.hand_out()
    item_id = item_id_of(team.ben)
    skip_item(team.ben, item_id=item_id, reason="tired")
    resume_item(team.ben, item_id=item_id)
    skip_item(team.ben, item_id=item_id, reason="tired")
    paint_and_submit(team.anna, image_id)
    assert seen_by(team.ben, case_id, image_id) == {"Anna"}
    for caller in (team.ben, team.administrator):
        with pytest.raises(Blinding, match="would not be blind"):
            resume_item(caller, item_id=item_id)
    paint_and_submit(team.ben, image_id)
    item = get(team.administrator, TaskItem, item_id)
    assert (item.state, item.version_id) == (TaskItemState.SKIPPED, None)


def test_the_blind_version_stays_the_tasks_when_a_seeing_one_follows(team: Team, image_id: int) -> None:
    team.hand_out()
    paint_and_submit(team.anna, image_id)
    blind = paint_and_submit(team.anna, image_id, side_px=6)
    item_id = item_id_of(team.anna)
    paint_and_submit(team.ben, image_id)
    paint_and_submit(team.anna, image_id, side_px=8)
    assert get(team.administrator, TaskItem, item_id).version_id == blind.version_id


def test_the_list_of_cases_tells_numbers_alone(team: Team, add_case: AddCase) -> None:
    add_case()
    paint_and_submit(team.anna, queue_items(team.anna, task_id=team.hand_out().id)[0].image_id)
    (row,) = list_cases(team.ben).rows
    assert "Anna" not in repr(row)
    assert [type(count) for count in row.annotation_states.values()] == [int]


def test_the_review_shows_nobodys_mask(administrator: Caller) -> None:
    predicted = PredictedClinic(administrator)
    team = make_team(administrator)
    hand_out(administrator, team.annotator_ids)
    paint_and_submit(team.anna, predicted.cases[0].image_id)
    desk = review.open_review(team.ben, prediction_id=predicted.predictions[0])
    assert "Anna" not in repr(desk)
    assert "Painter" not in repr(desk)


def item_id_of(caller: Caller) -> int:
    return store_rows.row(caller.store, TaskItem, annotator_id=caller.person_id).id


def test_where_there_is_nothing_to_see_a_skipped_image_can_still_be_painted_blind(team: Team, image_id: int) -> None:
    team.hand_out()
    for caller in (team.anna, team.ben):
        skip_item(caller, item_id=item_id_of(caller), reason="later")
    resume_item(team.anna, item_id=item_id_of(team.anna))
    by_anna = paint_and_submit(team.anna, image_id)
    assert get(team.administrator, TaskItem, item_id_of(team.anna)).version_id == by_anna.version_id


def test_alone_on_an_image_each_new_version_is_the_tasks(store: Store, team: Team, image_id: int) -> None:
    hand_out(team.administrator, (team.anna.person_id,))
    for side_px in (5, 6):
        version = paint_and_submit(team.anna, image_id, side_px=side_px)
        assert get(store, TaskItem, item_id_of(team.anna)).version_id == version.version_id


def test_what_came_of_judging_is_no_reading_of_a_task(store: Store, team: Team, add_case: AddCase) -> None:
    """A senior's mask that was made from others' masks counts neither in a task of its own nor in a later one."""
    image_id = image_of(store, add_case())
    hand_out(team.administrator, (team.senior.person_id,))
    document = Document(image_id, team.senior.person_id, Finding.ACETOWHITE)
    with store.writing() as session:
        submit_draft(session, team.senior.actor, document, seq=0, origin=MaskOrigin.ADJUDICATED)
    assert get(store, TaskItem, item_id_of(team.senior)).state is TaskItemState.WAITING
    draft = task_draft((team.senior.person_id,), title="second")
    assert tasks.preview_task(team.administrator, draft=draft).n_done_already == 0
