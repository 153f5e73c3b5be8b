"""Versions of a mask: none changes, an earlier one comes back as a new one, two are compared."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.extra.numpy import arrays
from PIL import Image

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.images.masks import encode_rle
from colpo_core.records.annotations import StartSource
from colpo_core.services.annotations import own_masks
from colpo_core.services.annotations.drafts import submit_draft
from colpo_core.services.annotations.rows import Document
from colpo_core.services.annotations.versions import (
    BOTH_RGB,
    FIRST_RGB,
    SECOND_RGB,
    compare_versions,
    comparison_overlay,
    list_versions,
    restore_version,
)
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, TaskItem
from colpo_core.terms import MaskOrigin, Start, TaskItemState
from tests.support.refusals import refused
from tests.support.review_desks import HEIGHT, NOTHING, WIDTH, Desk, add_image, add_task, everything, made, pixels
from tests.support.store_rows import row


def mask_of(desk: Desk, version_id: int) -> np.ndarray:
    return own_masks.version_mask(desk.caller, version_id=version_id)


def test_an_earlier_version_comes_back_as_a_new_one(desk: Desk, store: Store, annotator: Caller) -> None:
    first, second = desk.submit_painted(pixels(1)), desk.submit_painted(pixels(2))
    restored = restore_version(annotator, version_id=first.version_id, note=" the better one ")
    assert (restored.number, restored.base_number, restored.note) == (3, 2, "the better one")
    assert made(restored) == (Start.OWN_VERSION, first.version_id, None, False, 0, 0)
    assert (restored.kept_share, restored.added_share) == (1.0, 0.0)
    assert np.array_equal(mask_of(desk, restored.version_id), pixels(1))
    assert list_versions(annotator, annotation_id=first.annotation_id) == (restored, second, first)
    assert np.array_equal(desk.mask, pixels(1))
    assert (desk.opened.changed, desk.opened.start) == (False, Start.OWN_VERSION)
    assert desk.submit_painted(pixels(3)).start_version_id == restored.version_id
    assert row(store, AuditEntry.detail, AuditEntry.action == "restore version") == {"restored": 1, "version": 3}


def test_a_tab_that_shows_the_mask_from_before_cannot_save_over_what_was_restored(
    desk: Desk, annotator: Caller
) -> None:
    first, _ = desk.submit_painted(pixels(1)), desk.submit_painted(pixels(2))
    seq = desk.opened.seq
    restore_version(annotator, version_id=first.version_id)
    with pytest.raises(Conflict):
        own_masks.save_draft(annotator, document_id=desk.document_id, base_seq=seq, rle=encode_rle(pixels(4)))
    assert np.array_equal(desk.mask, pixels(1))


def test_restoring_loses_no_stroke(desk: Desk, store: Store, annotator: Caller) -> None:
    first, _ = desk.submit_painted(pixels(1)), desk.submit_painted(pixels(2))
    desk.paint(pixels(3))
    before = everything(store)
    refused(Conflict, lambda: restore_version(annotator, version_id=first.version_id), match="painted since")
    assert everything(store) == before
    desk.paint(pixels(2))
    assert restore_version(annotator, version_id=first.version_id).strokes == 2


def test_what_is_newest_already_is_not_restored(desk: Desk, store: Store, annotator: Caller) -> None:
    first = desk.submit_painted(pixels(1))
    desk.submit_painted(pixels(2))
    newest = desk.submit_painted(pixels(1))
    before = everything(store)
    for version in (first, newest):
        with pytest.raises(Conflict, match="Version 3 is the newest"):
            restore_version(annotator, version_id=version.version_id)
    with pytest.raises(InputRejected, match="note"):
        restore_version(annotator, version_id=first.version_id + 1, note="x" * 2001)
    refused(NotFound, lambda: restore_version(annotator, version_id=999))
    assert everything(store) == before


def test_an_empty_version_can_be_restored(desk: Desk, annotator: Caller) -> None:
    empty = desk.submit()
    desk.submit_painted(pixels(1))
    restored = restore_version(annotator, version_id=empty.version_id)
    assert (restored.area_px, restored.kept_share, restored.added_share) == (0, None, None)


def test_a_restored_mask_came_to_be_as_it_did_before(desk: Desk, store: Store, annotator: Caller) -> None:
    desk.paint(pixels(1))
    with store.writing() as session:
        document = Document.read(desk.document_id, annotator.actor)
        judged = submit_draft(session, annotator.actor, document, seq=1, origin=MaskOrigin.ADJUDICATED).id
    assert desk.submit_painted(pixels(2)).origin is MaskOrigin.PAINTED
    assert restore_version(annotator, version_id=judged).origin is MaskOrigin.ADJUDICATED


def test_only_ones_own_versions_are_restored(desk: Desk, store: Store, administrator: Caller, reader: Caller) -> None:
    first = desk.submit_painted(pixels(1))
    desk.submit_painted(pixels(2))
    before = everything(store)
    for caller in (administrator, reader):
        with pytest.raises(PermissionDenied):
            restore_version(caller, version_id=first.version_id)
    assert everything(store) == before


def test_restoring_settles_the_task(desk: Desk, store: Store, annotator: Caller, image_id: int) -> None:
    first, _ = desk.submit_painted(pixels(1)), desk.submit_painted(pixels(2))
    add_task(store, image_id, annotator)
    restored = restore_version(annotator, version_id=first.version_id)
    item = row(store, TaskItem)
    assert (item.state, item.version_id) == (TaskItemState.SUBMITTED, restored.version_id)


def test_a_proposal_seen_before_a_restore_stays_seen(desk: Desk, store: Store, annotator: Caller) -> None:
    """The draft went back to the newest version, but what was looked at on the way was looked at."""
    first, second = desk.submit_painted(pixels(1)), desk.submit_painted(pixels(2))
    desk.start(NOTHING)
    desk.start(StartSource(Start.OWN_VERSION, version_id=second.version_id))
    with store.writing() as session:
        desk.row(session).draft_proposal_shown = True
    assert restore_version(annotator, version_id=first.version_id).proposal_shown


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=arrays(np.bool_, (HEIGHT, WIDTH)), second=arrays(np.bool_, (HEIGHT, WIDTH)))
def test_a_comparison_counts_every_pixel_once(
    store: Store, annotator: Caller, fellow: Caller, first: np.ndarray, second: np.ndarray
) -> None:
    image_id = add_image(store)
    one = Desk(annotator, image_id).submit_painted(first)
    other = Desk(fellow, image_id).submit_painted(second)
    found = compare_versions(annotator, first_id=one.version_id, second_id=other.version_id)
    assert (found.first, found.second) == (one, other)
    assert found.both_px == np.count_nonzero(first & second)
    assert found.only_first_px == np.count_nonzero(first & ~second)
    assert found.only_second_px == np.count_nonzero(second & ~first)
    either = found.both_px + found.only_first_px + found.only_second_px
    assert found.iou == pytest.approx(found.both_px / either if either else 1.0)
    assert found.dice == pytest.approx(2 * found.both_px / (either + found.both_px) if either else 1.0)
    turned = compare_versions(annotator, first_id=other.version_id, second_id=one.version_id)
    assert (turned.dice, turned.hd95_px) == (found.dice, found.hd95_px)


def test_a_comparison_is_drawn_in_three_colours(desk: Desk, annotator: Caller) -> None:
    first, second = desk.submit_painted(pixels(1)), desk.submit_painted(pixels(2))
    png = comparison_overlay(annotator, first_id=first.version_id, second_id=second.version_id)
    drawn = np.asarray(Image.open(io.BytesIO(png)))
    for colour, area in (
        (BOTH_RGB, pixels(1) & pixels(2)),
        (FIRST_RGB, pixels(1) & ~pixels(2)),
        (SECOND_RGB, pixels(2) & ~pixels(1)),
    ):
        assert (drawn[area, :3] == colour).all()
    assert not drawn[~pixels(1) & ~pixels(2)].any()


def test_versions_of_two_images_are_not_compared(desk: Desk, store: Store, annotator: Caller, reader: Caller) -> None:
    here = desk.submit_painted(pixels(1))
    there = Desk(annotator, add_image(store)).submit_painted(pixels(1))
    for look in (compare_versions, comparison_overlay):
        with pytest.raises(InputRejected, match="different images"):
            look(annotator, first_id=here.version_id, second_id=there.version_id)
        with pytest.raises(NotFound):
            look(annotator, first_id=here.version_id, second_id=999)
        with pytest.raises(PermissionDenied):
            look(reader, first_id=here.version_id, second_id=here.version_id)


def test_a_hidden_mask_is_neither_listed_nor_compared(
    desk: Desk, store: Store, annotator: Caller, fellow: Caller, administrator: Caller, image_id: int
) -> None:
    add_task(store, image_id, annotator, fellow, blind=True)
    theirs = Desk(fellow, image_id).submit_painted(pixels(1))
    earlier = Desk(administrator, image_id).submit_painted(pixels(3))
    for look in (compare_versions, comparison_overlay):
        for first, second in ((theirs, earlier), (earlier, theirs)):
            with pytest.raises(Blinding):
                look(annotator, first_id=first.version_id, second_id=second.version_id)
    refused(
        Blinding,
        lambda: list_versions(annotator, annotation_id=theirs.annotation_id),
        lambda: restore_version(annotator, version_id=theirs.version_id),
    )
    assert list_versions(administrator, annotation_id=theirs.annotation_id) == (theirs,)
    mine = desk.submit_painted(pixels(2))
    assert list_versions(annotator, annotation_id=theirs.annotation_id) == (theirs,)
    assert compare_versions(annotator, first_id=mine.version_id, second_id=theirs.version_id).iou < 1
    refused(NotFound, lambda: list_versions(annotator, annotation_id=999))
