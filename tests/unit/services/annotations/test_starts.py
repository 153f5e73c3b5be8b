"""What a mask starts from, and what of it the next version tells."""

import numpy as np
import pytest

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.images.masks import encode_rle, resize_mask
from colpo_core.records.annotations import StartSource
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.annotations.rows import Document
from colpo_core.services.annotations.starts import start_from, start_options, write_start
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels, store_pixels
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, AuditEntry, Mask
from colpo_core.terms import Finding, MaskOrigin, Start
from tests.support.refusals import refused
from tests.support.review_desks import (
    HEIGHT,
    NOTHING,
    WIDTH,
    Desk,
    add_image,
    add_task,
    case_of,
    everything,
    made,
    pixels,
)
from tests.support.store_rows import get, rows


def test_a_correction_starts_from_the_guess_and_settles_it(
    annotator: Caller, image_id: int, importer: Caller, desk: Desk
) -> None:
    imported_masks.import_annotation(importer, image_id=image_id, mask=pixels(1), origin=MaskOrigin.LINKED)
    guess = confirmation.list_to_confirm(annotator).versions[0]
    assert start_options(annotator, image_id=image_id).others == (guess,)
    desk.start(StartSource(Start.OTHER_VERSION, version_id=guess.version_id))
    assert np.array_equal(desk.mask, pixels(1))
    assert desk.opened.changed
    assert confirmation.list_to_confirm(annotator).total == 1
    version = desk.submit()
    assert made(version) == (Start.OTHER_VERSION, guess.version_id, None, False, 0, 0)
    assert (version.kept_share, version.added_share, version.origin) == (1.0, 0.0, MaskOrigin.PAINTED)
    assert confirmation.list_to_confirm(annotator).total == 0
    assert own_masks.submitted_masks(annotator, image_id=image_id) == (version,)


def test_starting_over_replaces_what_was_painted_and_shuts_out_other_tabs(annotator: Caller, desk: Desk) -> None:
    desk.paint(pixels(1), strokes=2, active_ms=300)
    assert desk.start(NOTHING).seq == desk.opened.seq == 2
    assert not desk.mask.any()
    with pytest.raises(Conflict, match="Load the newer state"):
        own_masks.save_draft(annotator, document_id=desk.document_id, base_seq=1, rle=encode_rle(pixels(3)))
    assert not desk.mask.any()
    assert (desk.opened.strokes, desk.opened.active_ms) == (2, 300)


def test_a_start_before_the_first_stroke_makes_the_document(desk: Desk) -> None:
    assert desk.start(NOTHING).seq == 1
    assert not desk.opened.changed
    assert desk.submit().start is Start.NOTHING


def test_an_own_earlier_version_is_a_start(annotator: Caller, image_id: int, desk: Desk) -> None:
    versions = []
    for seed in (1, 2):
        desk.paint(pixels(seed))
        versions.append(desk.submit())
    options = start_options(annotator, image_id=image_id)
    assert [version.version_id for version in options.own_versions] == [versions[1].version_id, versions[0].version_id]
    desk.start(StartSource(Start.OWN_VERSION, version_id=versions[0].version_id))
    desk.paint(pixels(1) | pixels(3))
    version = desk.submit()
    assert made(version)[:2] == (Start.OWN_VERSION, versions[0].version_id)
    assert (version.kept_share, version.base_number) == (1.0, 2)


def test_a_version_must_be_of_this_mask_and_of_whom_the_source_says(
    store: Store, annotator: Caller, fellow: Caller, image_id: int
) -> None:
    mine, theirs = Desk(annotator, image_id), Desk(fellow, image_id)
    mosaic = Desk(fellow, image_id, Finding.MOSAIC)
    elsewhere = Desk(fellow, add_image(store))
    for desk in (mine, theirs, mosaic, elsewhere):
        desk.paint(pixels(1))
    own, other = mine.submit(), theirs.submit()
    wrong = [
        StartSource(Start.OTHER_VERSION, version_id=own.version_id),
        StartSource(Start.OWN_VERSION, version_id=other.version_id),
        StartSource(Start.OTHER_VERSION, version_id=mosaic.submit().version_id),
        StartSource(Start.OTHER_VERSION, version_id=elsewhere.submit().version_id),
    ]
    before = everything(store)
    for source in wrong:
        with pytest.raises(InputRejected):
            mine.start(source)
    refused(NotFound, lambda: mine.start(StartSource(Start.OTHER_VERSION, version_id=999)))
    for document_id in (theirs.document_id, "nonsense"):
        with pytest.raises(NotFound):
            start_from(annotator, document_id=document_id, source=NOTHING)
    assert everything(store) == before


def test_a_mask_of_another_image_comes_at_this_ones_size(store: Store, annotator: Caller, image_id: int) -> None:
    large = add_image(store, case_id=case_of(store, image_id), size=(HEIGHT * 2, WIDTH * 3))
    source = Desk(annotator, large)
    lesion = np.zeros((HEIGHT * 2, WIDTH * 3), np.bool_)
    lesion[4:20, 10:30] = True
    source.paint(lesion)
    option = start_options(annotator, image_id=image_id).other_images
    assert [(start.image.id, start.is_submitted) for start in option] == [(large, False)]
    assert option[0].area_share == lesion.mean()
    submitted = source.submit()
    assert start_options(annotator, image_id=image_id).other_images[0].is_submitted

    desk = Desk(annotator, image_id)
    desk.start(StartSource(Start.OTHER_IMAGE, image_id=large))
    expected = resize_mask(lesion, height_px=HEIGHT, width_px=WIDTH)
    assert np.array_equal(desk.mask, expected)
    assert np.array_equal(source.mask, lesion)
    cut = expected.copy()
    cut[:, :6] = False
    desk.paint(cut)
    version = desk.submit()
    assert made(version)[:2] == (Start.OTHER_IMAGE, submitted.version_id)
    assert version.kept_share == np.count_nonzero(cut) / np.count_nonzero(expected)
    assert version.added_share == 0.0
    row = get(store, AnnotationVersion, version.version_id)
    assert np.array_equal(mask_pixels(get(store, Mask, row.start_mask_id)), expected)


def test_a_draft_of_another_image_names_no_version(store: Store, annotator: Caller, image_id: int, desk: Desk) -> None:
    other = Desk(annotator, add_image(store, case_id=case_of(store, image_id)))
    other.paint(pixels(1))
    other.submit()
    other.paint(pixels(2))
    desk.start(StartSource(Start.OTHER_IMAGE, image_id=other.image_id))
    assert np.array_equal(desk.mask, pixels(2))
    assert desk.submit().start_version_id is None


def test_an_image_without_my_mask_or_of_another_case_is_no_start(
    store: Store, annotator: Caller, fellow: Caller, image_id: int, desk: Desk
) -> None:
    sibling = add_image(store, case_id=case_of(store, image_id))
    Desk(fellow, sibling).paint(pixels(1))
    stranger = Desk(annotator, add_image(store))
    stranger.paint(pixels(1))
    desk.paint(pixels(2))
    Desk(annotator, sibling).submit()
    assert start_options(annotator, image_id=image_id).other_images == ()
    before = everything(store)
    for asked in (sibling, stranger.image_id, image_id):
        with pytest.raises(InputRejected):
            desk.start(StartSource(Start.OTHER_IMAGE, image_id=asked))
    refused(NotFound, lambda: desk.start(StartSource(Start.OTHER_IMAGE, image_id=999)))
    assert everything(store) == before


def test_a_hidden_mask_is_no_start(store: Store, annotator: Caller, fellow: Caller, image_id: int) -> None:
    add_task(store, image_id, annotator, fellow, blind=True)
    theirs = Desk(fellow, image_id)
    theirs.paint(pixels(1))
    hidden = theirs.submit()
    mine = Desk(annotator, image_id)
    mine.paint(pixels(2))
    source = StartSource(Start.OTHER_VERSION, version_id=hidden.version_id)
    before = everything(store)
    assert start_options(annotator, image_id=image_id).others == ()
    assert own_masks.submitted_masks(annotator, image_id=image_id) == ()
    for look in (own_masks.version_mask, own_masks.version_mask_overlay):
        with pytest.raises(Blinding, match="blind task"):
            look(annotator, version_id=hidden.version_id)
    refused(Blinding, lambda: mine.start(source))
    assert everything(store) == before
    mine.submit()
    assert len(own_masks.submitted_masks(annotator, image_id=image_id)) == 2
    assert start_options(annotator, image_id=image_id).others == (hidden,)
    mine.start(source)
    assert np.array_equal(mine.mask, pixels(1))


def test_a_reader_starts_nothing(reader: Caller, image_id: int) -> None:
    refused(
        PermissionDenied,
        lambda: start_options(reader, image_id=image_id),
        lambda: start_from(reader, document_id=f"i{image_id}-p{reader.person_id}-mosaic", source=NOTHING),
    )


@pytest.mark.parametrize(
    "words",
    [
        {"start": Start.NOTHING, "version_id": 1},
        {"start": Start.OWN_VERSION},
        {"start": Start.OTHER_VERSION, "image_id": 1},
        {"start": Start.OTHER_IMAGE, "version_id": 1, "image_id": 1},
        {"start": Start.PROPOSAL},
        {"start": Start.COMBINATION},
    ],
)
def test_a_source_names_what_it_needs_and_nothing_else(words: dict[str, object]) -> None:
    refused(InputRejected, lambda: StartSource(**words))  # type: ignore[arg-type]


def test_a_combination_is_written_with_the_strokes_that_follow(store: Store, annotator: Caller, desk: Desk) -> None:
    with store.writing() as session:
        document = Document.read(desk.document_id, annotator.actor)
        mask = store_pixels(session, pixels(4))
        write_start(session, annotator.actor, document, mask=mask, start=Start.COMBINATION)
    assert np.array_equal(desk.mask, pixels(4))
    desk.paint(pixels(4) & pixels(5))
    version = desk.submit()
    assert made(version) == (Start.COMBINATION, None, None, False, 1, 100)
    assert version.added_share == 0.0


def test_starts_are_in_the_log_and_leave_no_mask_behind(annotator: Caller, image_id: int, desk: Desk) -> None:
    large = (HEIGHT * 2, WIDTH * 2)
    other = Desk(annotator, add_image(annotator.store, case_id=case_of(annotator.store, image_id), size=large))
    other.paint(pixels(1, large))
    for _ in range(3):
        desk.start(StartSource(Start.OTHER_IMAGE, image_id=other.image_id))
        desk.paint(pixels(2))
        desk.start(NOTHING)
    actions = rows(annotator, AuditEntry.detail, AuditEntry.action == "start mask over")
    assert [detail["start"] for detail in actions] == ["other_image", "nothing"] * 3
    assert sorted(rows(annotator, Mask.area_px)) == [0, np.count_nonzero(pixels(1, large))]
