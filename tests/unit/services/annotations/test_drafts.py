"""What a version tells of how its mask was made, and that each stroke counts once."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from colpo_core.errors import InputRejected
from colpo_core.images.masks import encode_rle
from colpo_core.records.annotations import StartSource
from colpo_core.services.annotations import imported_masks, own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import TaskItem
from colpo_core.terms import MaskOrigin, Start, TaskItemState
from tests.support.refusals import refused
from tests.support.review_desks import HEIGHT, WIDTH, Desk, add_image, add_task, case_of, everything, made, pixels
from tests.support.store_rows import row


def test_a_mask_painted_from_nothing_says_so(annotator: Caller, desk: Desk) -> None:
    assert (desk.opened.start, desk.opened.strokes, desk.opened.active_ms) == (Start.NOTHING, 0, 0)
    desk.paint(pixels(1), strokes=3, active_ms=1500)
    desk.paint(pixels(2), strokes=1, active_ms=200)
    assert (desk.opened.strokes, desk.opened.active_ms) == (4, 1700)
    version = desk.submit()
    assert made(version) == (Start.NOTHING, None, None, False, 4, 1700)
    assert (version.kept_share, version.added_share, version.base_number) == (None, 1.0, None)
    assert version.author_id == annotator.person_id


def test_the_next_draft_starts_from_the_version(desk: Desk) -> None:
    desk.paint(pixels(1), strokes=3)
    first = desk.submit()
    assert (desk.opened.start, desk.opened.strokes, desk.opened.active_ms) == (Start.OWN_VERSION, 0, 0)
    assert not desk.opened.changed
    grown = pixels(1).copy()
    grown[0] = True
    desk.paint(grown)
    second = desk.submit()
    assert made(second) == (Start.OWN_VERSION, first.version_id, None, False, 1, 100)
    assert second.kept_share == 1.0
    assert second.added_share == np.count_nonzero(grown & ~pixels(1)) / np.count_nonzero(grown)
    assert second.base_number == 1


def test_an_empty_first_version_has_no_shares(annotator: Caller, image_id: int) -> None:
    version = Desk(annotator, image_id).submit()
    assert made(version) == (Start.NOTHING, None, None, False, 0, 0)
    assert (version.kept_share, version.added_share) == (None, None)


def test_a_save_that_comes_twice_counts_once(store: Store, annotator: Caller, image_id: int, desk: Desk) -> None:
    add_task(store, image_id, annotator)
    for _ in range(3):
        own_masks.save_draft(
            annotator, document_id=desk.document_id, base_seq=0, rle=encode_rle(pixels(1)), strokes=5, active_ms=700
        )
    assert (desk.opened.seq, desk.opened.strokes, desk.opened.active_ms) == (1, 5, 700)
    assert row(store, TaskItem.active_ms) == 700


def test_a_save_repeated_after_submitting_counts_for_neither_version(annotator: Caller, desk: Desk) -> None:
    desk.paint(pixels(1), strokes=5, active_ms=700)
    version = desk.submit()
    again = own_masks.save_draft(
        annotator, document_id=desk.document_id, base_seq=0, rle=encode_rle(pixels(1)), strokes=5, active_ms=700
    )
    assert again.seq == 1
    assert (version.strokes, desk.opened.strokes, desk.opened.active_ms) == (5, 0, 0)


@pytest.mark.parametrize(("strokes", "active_ms"), [(-1, 0), (10_001, 0), (0, -1), (0, 3_600_001)])
def test_a_save_with_impossible_counts_stores_nothing(store: Store, strokes: int, active_ms: int, desk: Desk) -> None:
    desk.paint(pixels(1))
    before = everything(store)
    refused(InputRejected, lambda: desk.paint(pixels(2), strokes=strokes, active_ms=active_ms))
    assert everything(store) == before


def test_the_task_hears_of_the_work(store: Store, annotator: Caller, image_id: int, desk: Desk) -> None:
    add_task(store, image_id, annotator)
    desk.paint(pixels(1), active_ms=400)
    desk.paint(pixels(2), active_ms=500)
    item = row(store, TaskItem)
    assert (item.active_ms, item.state, item.opened_at is None) == (900, TaskItemState.WAITING, False)
    version = desk.submit()
    item = row(store, TaskItem)
    assert (item.state, item.version_id) == (TaskItemState.SUBMITTED, version.version_id)


def test_an_imported_mask_says_nothing_of_how_it_was_made(image_id: int, annotator: Caller, importer: Caller) -> None:
    imported_masks.import_annotation(importer, image_id=image_id, mask=pixels(1), origin=MaskOrigin.CLOSED)
    version = own_masks.submitted_masks(annotator, image_id=image_id)[0]
    assert made(version) == (None,) * 6
    assert (version.kept_share, version.added_share, version.base_number) == (None, None, None)
    desk = Desk(importer, image_id)
    assert (desk.opened.start, desk.opened.changed) == (Start.OWN_VERSION, False)
    desk.paint(pixels(2))
    assert desk.submit().start_version_id == version.version_id


def test_painting_back_to_the_start_is_no_change_of_it(desk: Desk) -> None:
    desk.paint(pixels(1))
    desk.submit()
    desk.paint(pixels(2))
    desk.paint(pixels(1))
    assert not desk.opened.changed
    assert (desk.opened.start, desk.opened.strokes) == (Start.OWN_VERSION, 2)
    refused(InputRejected, lambda: desk.submit(), match="Nothing has changed since version 1")
    assert desk.opened.strokes == 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("paint"), st.integers(0, 4)),
        st.tuples(st.just("start"), st.sampled_from([Start.NOTHING, Start.OWN_VERSION, Start.OTHER_IMAGE])),
        st.tuples(st.just("submit"), st.none()),
    ),
    max_size=14,
)


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
def test_every_version_tells_what_happened_since_the_one_before(
    store: Store, annotator: Caller, steps: list[tuple[str, Any]]
) -> None:
    image_id = add_image(store)
    other = Desk(annotator, add_image(store, case_id=case_of(store, image_id)))
    other.paint(pixels(3))
    desk = Desk(annotator, image_id)
    start, strokes, versions = np.zeros((HEIGHT, WIDTH), np.bool_), 0, []
    for step, what in steps:
        if step == "paint":
            desk.paint(pixels(what))
            strokes += 1
        elif step == "start":
            version_id = versions[0].version_id if what is Start.OWN_VERSION and versions else None
            if what is Start.OWN_VERSION and version_id is None:
                continue
            other_id = other.image_id if what is Start.OTHER_IMAGE else None
            desk.start(StartSource(what, version_id=version_id, image_id=other_id))
            start = desk.mask
        elif desk.opened.changed or not versions:
            final = desk.mask
            version = desk.submit()
            n_start, n_final, n_kept = (np.count_nonzero(area) for area in (start, final, start & final))
            assert version.strokes == strokes
            assert version.kept_share == (n_kept / n_start if n_start else None)
            assert version.added_share == ((n_final - n_kept) / n_final if n_final else None)
            versions.append(version)
            start, strokes = final, 0
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert [version.base_number or 0 for version in versions] == list(range(len(versions)))
    assert desk.opened.strokes == strokes
