"""Saying that nothing acetowhite is on an image, and what that counts as."""

from dataclasses import replace

import numpy as np
import pytest

from colpo_core.errors import Conflict, InputRejected, MaskDoubted, NotFound, PermissionDenied
from colpo_core.services.annotations import clear_images, confirmation, imported_masks, own_masks
from colpo_core.services.annotations.versions import list_versions, restore_version
from colpo_core.services.annotations.workbench import annotation_desk, next_image
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.overview.dashboard import dashboard
from colpo_core.services.snapshots.freezing import SnapshotQuery, gather_manifest
from colpo_core.services.tasks.queue import my_queues
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, CaseSummary
from colpo_core.terms import AnnotationState, Finding, MaskDoubt, MaskOrigin, MaskPolicy, Stage
from tests.conftest import AddCase
from tests.support.clinic import Clinic
from tests.support.handed_out import hand_out, image_of, paint_and_submit
from tests.support.refusals import refused
from tests.support.review_desks import Desk
from tests.support.store_rows import change_all, rows


def unmarked(caller: Caller) -> list[int]:
    return [one.image_id for one in clear_images.list_unmarked(caller).images]


def mask_of(store: Store, image_id: int, **query: object) -> tuple[bool, bool]:
    """Whether a snapshot takes a mask of the image, and whether it takes it as confirmed."""
    items = {item.image_id: item for item in gather_manifest(store, SnapshotQuery("any", **query)).items}
    return items[image_id].mask_sha256 is not None, items[image_id].confirmed_clear


def test_an_image_without_a_mask_is_not_one_without_a_lesion_until_somebody_says_so(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    first, second, third = (image_of(store, add_case()) for _ in range(3))
    add_case(stage=Stage.NATIVE)
    add_case(shows_cervix=False)
    assert unmarked(annotator) == [first, second, third]
    assert mask_of(store, first) == (False, False)
    paint_and_submit(administrator, third)
    (made,) = clear_images.confirm_clear(annotator, image_ids=[first], note=" seen ")
    assert (made.image_id, made.number, made.area_px, made.absence_confirmed, made.note) == (first, 1, 0, True, "seen")
    assert (made.state, made.origin) == (AnnotationState.SUBMITTED, MaskOrigin.PAINTED)
    assert unmarked(annotator) == [second]
    assert mask_of(store, first) == (True, True)
    assert mask_of(store, third) == (True, False)
    # It counts as annotated wherever that is counted.
    assert next_image(annotator) == second
    assert dashboard(annotator).unannotated == 1
    assert [version.absence_confirmed for version in annotation_desk(administrator, image_id=first).others] == [True]


def test_many_at_once_are_all_confirmed_or_none(
    store: Store, annotator: Caller, administrator: Caller, reader: Caller, add_case: AddCase
) -> None:
    image_ids = [image_of(store, add_case()) for _ in range(5)]
    paint_and_submit(administrator, image_ids[3])
    with pytest.raises(Conflict, match=f"image {image_ids[3]} is no acetic-acid image that waits"):
        clear_images.confirm_clear(annotator, image_ids=image_ids)
    assert len(unmarked(annotator)) == 4, "nothing was confirmed"
    page = clear_images.list_unmarked(annotator, limit=2)
    assert (len(page.images), page.total, page.next_after) == (2, 4, image_ids[1])
    rest = clear_images.list_unmarked(annotator, after=page.next_after, limit=2)
    assert ([one.image_id for one in rest.images], rest.next_after) == ([image_ids[2], image_ids[4]], None)
    made = clear_images.confirm_clear(annotator, image_ids=[*unmarked(annotator), image_ids[0]])
    assert [one.image_id for one in made] == [image_ids[place] for place in (0, 1, 2, 4)]
    assert clear_images.list_unmarked(annotator).total == 0
    refused(InputRejected, lambda: clear_images.confirm_clear(annotator, image_ids=[]), match="Choose 1 to")
    refused(NotFound, lambda: clear_images.confirm_clear(annotator, image_ids=[999]))
    refused(
        PermissionDenied,
        lambda: clear_images.list_unmarked(reader),
        lambda: clear_images.confirm_clear(reader, image_ids=image_ids),
    )


def test_submitting_nothing_asks_whether_nothing_is_there(store: Store, annotator: Caller, add_case: AddCase) -> None:
    image_id = image_of(store, add_case())
    desk = Desk(annotator, image_id)
    with pytest.raises(MaskDoubted, match="no acetowhite epithelium on this image, or is it not painted yet") as asked:
        desk.submit(sure=())
    assert asked.value.doubt is MaskDoubt.EMPTY
    assert unmarked(annotator) == [image_id], "a question leaves nothing behind"
    made = own_masks.submit_annotation(annotator, document_id=desk.document_id, seq=0, sure={MaskDoubt.EMPTY})
    assert made.absence_confirmed
    assert mask_of(store, image_id) == (True, True)
    with pytest.raises(InputRejected, match="Nothing has changed since version 1"):
        clear_images.confirm_absence(annotator, document_id=desk.document_id)


def test_what_was_painted_is_not_confirmed_away_and_a_new_version_undoes_it(
    store: Store, annotator: Caller, add_case: AddCase
) -> None:
    image_id = image_of(store, add_case())
    desk = Desk(annotator, image_id)
    marked = np.zeros((24, 32), np.bool_)
    marked[4:12, 4:12] = True
    desk.paint(marked)
    assert unmarked(annotator) == [], "somebody is painting it"
    with pytest.raises(Conflict, match="marks something"):
        clear_images.confirm_absence(annotator, document_id=desk.document_id)
    desk.paint(np.zeros_like(marked))
    assert clear_images.confirm_absence(annotator, document_id=desk.document_id).absence_confirmed
    desk.paint(marked)
    undone = desk.submit(sure=())
    assert (undone.number, undone.absence_confirmed) == (2, False)
    assert mask_of(store, image_id) == (True, False)
    versions = list_versions(annotator, annotation_id=undone.annotation_id)
    back = restore_version(annotator, version_id=versions[-1].version_id)
    assert (back.number, back.absence_confirmed) == (3, True)
    assert mask_of(store, image_id) == (True, True)


def test_it_settles_the_image_of_a_task_and_of_the_lists(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    image_id = image_of(store, add_case())
    hand_out(administrator, (annotator.person_id,))
    assert unmarked(annotator) == [], "it waits in my queue: I look at it there"
    assert unmarked(administrator) == [image_id]
    clear_images.confirm_absence(annotator, document_id=Desk(annotator, image_id).document_id)
    (queue,) = my_queues(annotator)
    assert (queue.n_waiting if hasattr(queue, "n_waiting") else queue.next_image_id) in (0, None)
    (summary,) = rows(store, CaseSummary)
    assert summary.case_id is not None


def test_an_empty_mask_of_an_older_store_counts_and_waits_for_a_word(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    image_id = image_of(store, add_case())
    clear_images.confirm_clear(annotator, image_ids=[image_id])
    change_all(store, AnnotationVersion, absence_confirmed=None)
    assert mask_of(store, image_id) == (True, False)
    (waiting,) = clear_images.list_unmarked(administrator).images
    assert waiting.has_empty_mask
    (again,) = clear_images.confirm_clear(annotator, image_ids=[image_id])
    assert (again.number, again.absence_confirmed) == (2, True)
    assert mask_of(store, image_id) == (True, True)


def test_what_a_consensus_and_an_adjudication_make_of_it(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    both, one = (image_of(store, add_case()) for _ in range(2))
    for caller in (annotator, administrator):
        clear_images.confirm_absence(caller, document_id=Desk(caller, both).document_id)
    clear_images.confirm_absence(annotator, document_id=Desk(annotator, one).document_id)
    paint_and_submit(administrator, one)
    assert mask_of(store, both, mask_policy=MaskPolicy.MAJORITY) == (True, True)
    assert mask_of(store, one, mask_policy=MaskPolicy.MAJORITY) == (True, False)


def test_an_outline_that_was_imported_is_offered_to_nobody_as_an_image_without_a_lesion(
    annotator: Caller, clinic: Clinic
) -> None:
    guess = clinic.add_case(state=AnnotationState.TO_CONFIRM, origin=MaskOrigin.CHORD)
    rejected = clinic.add_case(state=AnnotationState.REJECTED, origin=MaskOrigin.CHORD)
    free = clinic.add_case(masked=False, swede_score=4)
    (found,) = clear_images.list_unmarked(annotator).images
    assert (found.image_id, found.swede_total) == (free.image_id, 4)
    assert not {guess.image_id, rejected.image_id} & {found.image_id}


def test_an_imported_mask_that_looks_wrong_waits_for_a_person(
    store: Store, annotator: Caller, add_case: AddCase, importer: Caller
) -> None:
    image_id, other = (image_of(store, add_case()) for _ in range(2))
    marked = np.zeros((24, 32), np.bool_)
    marked[4:12, 4:12] = True
    for row, mask in ((image_id, ~marked), (other, marked)):
        imported_masks.import_annotation(importer, image_id=row, mask=mask, origin=MaskOrigin.CLOSED)
    desk = annotation_desk(annotator, image_id=image_id)
    (waiting,) = desk.to_confirm
    assert desk.doubts == {waiting.version_id: MaskDoubt.INVERTED}
    assert mask_of(store, image_id) == (False, False)
    assert mask_of(store, other) == (True, False)
    confirmation.confirm_annotation(annotator, annotation_id=waiting.annotation_id)
    assert mask_of(store, image_id) == (True, False)


def test_a_true_mask_of_a_simulated_image_without_a_lesion_needs_no_word(annotator: Caller, add_case: AddCase) -> None:
    image_id = image_of(annotator.store, add_case())
    simulator = Caller(annotator.store, program_actor(annotator.store, "simulator"))
    empty = np.zeros((24, 32), np.bool_)
    imported_masks.import_annotation(
        simulator, image_id=image_id, mask=empty, origin=MaskOrigin.SIMULATED, finding=Finding.ACETOWHITE
    )
    assert unmarked(annotator) == []
    assert mask_of(annotator.store, image_id) == (True, True)


def test_a_manifest_says_it_and_keeps_the_hashes_of_older_ones(annotator: Caller, add_case: AddCase) -> None:
    image_id = image_of(annotator.store, add_case())
    add_case()
    before = gather_manifest(annotator.store, SnapshotQuery("any"))
    assert b"confirmed_clear" not in before.to_json()
    assert b'"format":1' in before.to_json()
    clear_images.confirm_clear(annotator, image_ids=[image_id])
    after = gather_manifest(annotator.store, SnapshotQuery("any"))
    assert b'"format":3' in after.to_json()
    assert type(after).from_json(after.to_json()) == after
    assert after.counts()["confirmed_clear"]["total"] == 1
    plain = replace(after, items=tuple(replace(item, confirmed_clear=False) for item in after.items))
    assert plain.sha256 != after.sha256
