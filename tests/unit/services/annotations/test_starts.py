"""What a mask starts from, and what of it the next version tells."""

import numpy as np
import pytest
from sqlalchemy import select

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.images.masks import encode_rle, resize_mask
from colpo_core.records.annotations import StartSource
from colpo_core.records.people import Actor
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.annotations.rows import Document
from colpo_core.services.annotations.starts import start_correction, start_from, start_options, write_start
from colpo_core.services.common import preferences
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.mask_rows import mask_pixels, store_pixels
from colpo_core.store import Store
from colpo_core.store.tables import (
    AnnotationTask,
    AnnotationVersion,
    AuditEntry,
    Mask,
    Prediction,
    Promotion,
    utc_now,
)
from colpo_core.terms import Finding, MaskOrigin, Start
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
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


@pytest.fixture
def fellow(store: Store) -> Actor:
    return add_person(store, "bea")


def test_a_correction_starts_from_the_guess_and_settles_it(store: Store, annotator: Actor, image_id: int) -> None:
    importer = program_actor(store, "importer")
    imported_masks.import_annotation(store, actor=importer, image_id=image_id, mask=pixels(1), origin=MaskOrigin.LINKED)
    guess = confirmation.list_to_confirm(store, actor=annotator).versions[0]
    assert start_options(store, actor=annotator, image_id=image_id).others == (guess,)
    desk = Desk(store, annotator, image_id)
    desk.start(StartSource(Start.OTHER_VERSION, version_id=guess.version_id))
    assert np.array_equal(desk.mask, pixels(1))
    assert desk.opened.changed
    assert confirmation.list_to_confirm(store, actor=annotator).total == 1
    version = desk.submit()
    assert made(version) == (Start.OTHER_VERSION, guess.version_id, None, False, 0, 0)
    assert (version.kept_share, version.added_share, version.origin) == (1.0, 0.0, MaskOrigin.PAINTED)
    assert confirmation.list_to_confirm(store, actor=annotator).total == 0
    assert own_masks.submitted_masks(store, actor=annotator, image_id=image_id) == (version,)


def test_starting_over_replaces_what_was_painted_and_shuts_out_other_tabs(
    store: Store, annotator: Actor, image_id: int
) -> None:
    desk = Desk(store, annotator, image_id)
    desk.paint(pixels(1), strokes=2, active_ms=300)
    saved = desk.start(NOTHING)
    assert saved.seq == desk.opened.seq == 2
    assert not desk.mask.any()
    with pytest.raises(Conflict, match="Load the newer state"):
        own_masks.save_draft(
            store, actor=annotator, document_id=desk.document_id, base_seq=1, rle=encode_rle(pixels(3))
        )
    assert not desk.mask.any()
    assert (desk.opened.strokes, desk.opened.active_ms) == (2, 300)


def test_a_start_before_the_first_stroke_makes_the_document(store: Store, annotator: Actor, image_id: int) -> None:
    desk = Desk(store, annotator, image_id)
    assert desk.start(NOTHING).seq == 1
    assert not desk.opened.changed
    assert desk.submit().start is Start.NOTHING


def test_an_own_earlier_version_is_a_start(store: Store, annotator: Actor, image_id: int) -> None:
    desk = Desk(store, annotator, image_id)
    versions = []
    for seed in (1, 2):
        desk.paint(pixels(seed))
        versions.append(desk.submit())
    options = start_options(store, actor=annotator, image_id=image_id)
    assert [version.version_id for version in options.own_versions] == [versions[1].version_id, versions[0].version_id]
    desk.start(StartSource(Start.OWN_VERSION, version_id=versions[0].version_id))
    desk.paint(pixels(1) | pixels(3))
    version = desk.submit()
    assert made(version)[:2] == (Start.OWN_VERSION, versions[0].version_id)
    assert (version.kept_share, version.base_number) == (1.0, 2)


def test_a_version_must_be_of_this_mask_and_of_whom_the_source_says(
    store: Store, annotator: Actor, fellow: Actor, image_id: int
) -> None:
    mine, theirs = Desk(store, annotator, image_id), Desk(store, fellow, image_id)
    mosaic = Desk(store, fellow, image_id, Finding.MOSAIC)
    elsewhere = Desk(store, fellow, add_image(store))
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
    with pytest.raises(NotFound):
        mine.start(StartSource(Start.OTHER_VERSION, version_id=999))
    for document_id in (theirs.document_id, "nonsense"):
        with pytest.raises(NotFound):
            start_from(store, actor=annotator, document_id=document_id, source=NOTHING)
    assert everything(store) == before


def test_a_mask_of_another_image_comes_at_this_ones_size(store: Store, annotator: Actor, image_id: int) -> None:
    large = add_image(store, case_id=case_of(store, image_id), size=(HEIGHT * 2, WIDTH * 3))
    source = Desk(store, annotator, large)
    lesion = np.zeros((HEIGHT * 2, WIDTH * 3), np.bool_)
    lesion[4:20, 10:30] = True
    source.paint(lesion)
    option = start_options(store, actor=annotator, image_id=image_id).other_images
    assert [(start.image.id, start.is_submitted) for start in option] == [(large, False)]
    assert option[0].area_share == lesion.mean()
    submitted = source.submit()
    assert start_options(store, actor=annotator, image_id=image_id).other_images[0].is_submitted

    desk = Desk(store, annotator, image_id)
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
    with store.reading() as session:
        row = session.get_one(AnnotationVersion, version.version_id)
        assert np.array_equal(mask_pixels(session.get_one(Mask, row.start_mask_id)), expected)


def test_a_draft_of_another_image_names_no_version(store: Store, annotator: Actor, image_id: int) -> None:
    other = Desk(store, annotator, add_image(store, case_id=case_of(store, image_id)))
    other.paint(pixels(1))
    other.submit()
    other.paint(pixels(2))
    desk = Desk(store, annotator, image_id)
    desk.start(StartSource(Start.OTHER_IMAGE, image_id=other.image_id))
    assert np.array_equal(desk.mask, pixels(2))
    assert desk.submit().start_version_id is None


def test_an_image_without_my_mask_or_of_another_case_is_no_start(
    store: Store, annotator: Actor, fellow: Actor, image_id: int
) -> None:
    sibling = add_image(store, case_id=case_of(store, image_id))
    Desk(store, fellow, sibling).paint(pixels(1))
    stranger = Desk(store, annotator, add_image(store))
    stranger.paint(pixels(1))
    desk = Desk(store, annotator, image_id)
    desk.paint(pixels(2))
    Desk(store, annotator, sibling).submit()
    assert start_options(store, actor=annotator, image_id=image_id).other_images == ()
    before = everything(store)
    for asked in (sibling, stranger.image_id, image_id):
        with pytest.raises(InputRejected):
            desk.start(StartSource(Start.OTHER_IMAGE, image_id=asked))
    with pytest.raises(NotFound):
        desk.start(StartSource(Start.OTHER_IMAGE, image_id=999))
    assert everything(store) == before


@pytest.fixture
def predicted(store: Store, administrator: Actor) -> PredictedClinic:
    return PredictedClinic(store, administrator)


def proposed(store: Store, predicted: PredictedClinic, place: int = 0) -> tuple[int, StartSource]:
    return predicted.cases[place].image_id, StartSource(Start.PROPOSAL, prediction_id=predicted.predictions[place])


def test_a_proposal_is_taken_up_and_measured(store: Store, annotator: Actor, predicted: PredictedClinic) -> None:
    image_id, source = proposed(store, predicted)
    options = start_options(store, actor=annotator, image_id=image_id)
    assert options.proposal is not None
    assert (options.proposal.prediction_id, options.proposal.checkpoint_name) == (source.prediction_id, "model-1")
    assert options.proposals_refused == ""
    desk = Desk(store, annotator, image_id)
    desk.start(source)
    start = desk.mask
    assert start.mean() == options.proposal.acetowhite_share
    desk.paint(start ^ pixels(7, start.shape), strokes=9)
    version = desk.submit()
    final = start ^ pixels(7, start.shape)
    assert made(version) == (Start.PROPOSAL, None, source.prediction_id, True, 9, 100)
    assert version.kept_share == np.count_nonzero(start & final) / np.count_nonzero(start)
    assert version.added_share == np.count_nonzero(final & ~start) / np.count_nonzero(final)
    desk.paint(start)
    assert made(desk.submit())[:4] == (Start.OWN_VERSION, version.version_id, None, False)


def test_a_proposal_that_was_dropped_was_still_seen(store: Store, annotator: Actor, predicted: PredictedClinic) -> None:
    image_id, source = proposed(store, predicted)
    desk = Desk(store, annotator, image_id)
    desk.start(source)
    desk.start(NOTHING)
    desk.paint(pixels(1, desk.mask.shape))
    version = desk.submit()
    with store.reading() as session:
        assert session.get_one(AnnotationVersion, version.version_id).start_mask_id is None
    assert made(version)[:4] == (Start.NOTHING, None, None, True)
    assert (version.kept_share, version.added_share) == (None, 1.0)


def test_a_proposal_is_the_current_models_alone(
    store: Store, annotator: Actor, administrator: Actor, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    newer = predicted.add_checkpoint("model-2", administrator)
    desk = Desk(store, annotator, image_id)
    options = start_options(store, actor=annotator, image_id=image_id)
    assert (options.proposal, options.proposals_refused) == (None, "")
    before = everything(store)
    with pytest.raises(Conflict, match="Another model"):
        desk.start(source)
    _, other = proposed(store, predicted, 1)
    for wrong in (other, StartSource(Start.PROPOSAL, prediction_id=999)):
        with pytest.raises(NotFound):
            desk.start(wrong)
    assert everything(store) == before
    current = predicted.predict(image_id, newer)
    with pytest.raises(Conflict, match="Another model"):
        desk.start(source)
    desk.start(StartSource(Start.PROPOSAL, prediction_id=current))
    assert desk.opened.start is Start.PROPOSAL


def test_without_a_current_model_there_is_no_proposal(
    store: Store, annotator: Actor, predicted: PredictedClinic
) -> None:
    with store.writing() as session:
        session.delete(session.scalars(select(Promotion)).one())
    image_id, source = proposed(store, predicted)
    assert start_options(store, actor=annotator, image_id=image_id).proposal is None
    with pytest.raises(Conflict):
        Desk(store, annotator, image_id).start(source)


def test_the_model_marks_acetowhite_epithelium_alone(
    store: Store, annotator: Actor, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    before = everything(store)
    for finding in set(Finding) - {Finding.ACETOWHITE}:
        options = start_options(store, actor=annotator, image_id=image_id, finding=finding)
        assert options.proposal is None
        assert "acetowhite epithelium alone" in options.proposals_refused
        with pytest.raises(PermissionDenied, match="acetowhite epithelium alone"):
            Desk(store, annotator, image_id, finding).start(source)
    assert everything(store) == before


def test_proposals_that_are_switched_off_are_refused(
    store: Store, annotator: Actor, administrator: Actor, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    preferences.set_proposals(store, actor=administrator, allowed=False)
    options = start_options(store, actor=annotator, image_id=image_id)
    assert (options.proposal, "switched" in options.proposals_refused) == (None, True)
    before = everything(store)
    with pytest.raises(PermissionDenied, match="switched"):
        Desk(store, annotator, image_id).start(source)
    assert everything(store) == before
    preferences.set_proposals(store, actor=administrator, allowed=True)
    Desk(store, annotator, image_id).start(source)


def test_a_task_without_proposals_refuses_them_to_its_people_while_it_is_open(
    store: Store, annotator: Actor, fellow: Actor, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    task_id = add_task(store, image_id, annotator, proposals=False)
    desk = Desk(store, annotator, image_id)
    assert "in a task of yours" in start_options(store, actor=annotator, image_id=image_id).proposals_refused
    with pytest.raises(PermissionDenied, match="in a task of yours"):
        desk.start(source)
    desk.submit()
    with pytest.raises(PermissionDenied):
        desk.start(source)
    assert start_options(store, actor=fellow, image_id=image_id).proposal is not None
    with store.writing() as session:
        session.get_one(AnnotationTask, task_id).closed_at = utc_now()
    desk.start(source)


def test_a_hidden_mask_is_no_start(store: Store, annotator: Actor, fellow: Actor, image_id: int) -> None:
    add_task(store, image_id, annotator, fellow, blind=True)
    theirs = Desk(store, fellow, image_id)
    theirs.paint(pixels(1))
    hidden = theirs.submit()
    mine = Desk(store, annotator, image_id)
    mine.paint(pixels(2))
    source = StartSource(Start.OTHER_VERSION, version_id=hidden.version_id)
    before = everything(store)
    assert start_options(store, actor=annotator, image_id=image_id).others == ()
    assert own_masks.submitted_masks(store, actor=annotator, image_id=image_id) == ()
    for look in (own_masks.version_mask, own_masks.version_mask_overlay):
        with pytest.raises(Blinding, match="blind task"):
            look(store, actor=annotator, version_id=hidden.version_id)
    with pytest.raises(Blinding):
        mine.start(source)
    assert everything(store) == before
    mine.submit()
    assert len(own_masks.submitted_masks(store, actor=annotator, image_id=image_id)) == 2
    assert start_options(store, actor=annotator, image_id=image_id).others == (hidden,)
    mine.start(source)
    assert np.array_equal(mine.mask, pixels(1))


def test_a_reader_starts_nothing(store: Store, reader: Actor, image_id: int) -> None:
    with pytest.raises(PermissionDenied):
        start_options(store, actor=reader, image_id=image_id)
    with pytest.raises(PermissionDenied):
        start_from(store, actor=reader, document_id=f"i{image_id}-p{reader.person_id}-mosaic", source=NOTHING)


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
    with pytest.raises(InputRejected):
        StartSource(**words)  # type: ignore[arg-type]


def test_a_combination_is_written_with_the_strokes_that_follow(store: Store, annotator: Actor, image_id: int) -> None:
    desk = Desk(store, annotator, image_id)
    with store.writing() as session:
        document = Document.read(desk.document_id, annotator)
        mask = store_pixels(session, pixels(4))
        write_start(session, annotator, document, mask=mask, start=Start.COMBINATION)
    assert np.array_equal(desk.mask, pixels(4))
    desk.paint(pixels(4) & pixels(5))
    version = desk.submit()
    assert made(version) == (Start.COMBINATION, None, None, False, 1, 100)
    assert version.added_share == 0.0


def test_starts_are_in_the_log_and_leave_no_mask_behind(store: Store, annotator: Actor, image_id: int) -> None:
    large = (HEIGHT * 2, WIDTH * 2)
    other = Desk(store, annotator, add_image(store, case_id=case_of(store, image_id), size=large))
    other.paint(pixels(1, large))
    desk = Desk(store, annotator, image_id)
    for _ in range(3):
        desk.start(StartSource(Start.OTHER_IMAGE, image_id=other.image_id))
        desk.paint(pixels(2))
        desk.start(NOTHING)
    with store.reading() as session:
        actions = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "start mask over")).all()
        assert [detail["start"] for detail in actions] == ["other_image", "nothing"] * 3
        areas = sorted(session.scalars(select(Mask.area_px)))
    assert areas == [0, np.count_nonzero(pixels(1, large))]


def test_a_correction_of_a_prediction_starts_from_the_models_mask_and_says_so(
    store: Store, administrator: Actor
) -> None:
    clinic = PredictedClinic(store, administrator)
    anna = add_person(store, "correcting")
    found = start_correction(store, actor=anna, prediction_id=clinic.predictions[1])
    assert (found.image_id, found.has_started) == (clinic.cases[1].image_id, True)
    opened = own_masks.open_annotation(store, actor=anna, image_id=found.image_id)
    with store.reading() as session:
        prediction = session.get_one(Prediction, clinic.predictions[1])
        wanted = mask_pixels(session.get_one(Mask, prediction.mask_id))
    assert opened.start is Start.PROPOSAL
    assert opened.rle == encode_rle(wanted)
    version = own_masks.submit_annotation(store, actor=anna, document_id=opened.document_id, seq=opened.seq, note="")
    assert (version.start, version.kept_share) == (Start.PROPOSAL, 1.0)


def test_a_correction_takes_the_place_of_nothing_that_was_painted(store: Store, administrator: Actor) -> None:
    clinic = PredictedClinic(store, administrator)
    anna = add_person(store, "correcting")
    image_id = clinic.cases[1].image_id
    opened = own_masks.open_annotation(store, actor=anna, image_id=image_id)
    mine = np.zeros((64, 64), bool)
    mine[3:9, 3:9] = True
    own_masks.save_draft(store, actor=anna, document_id=opened.document_id, base_seq=0, rle=encode_rle(mine))
    assert not start_correction(store, actor=anna, prediction_id=clinic.predictions[1]).has_started
    now = own_masks.open_annotation(store, actor=anna, image_id=image_id)
    assert (now.rle, now.start) == (encode_rle(mine), Start.NOTHING)
    own_masks.submit_annotation(store, actor=anna, document_id=now.document_id, seq=now.seq, note="")
    assert not start_correction(store, actor=anna, prediction_id=clinic.predictions[1]).has_started
    assert own_masks.open_annotation(store, actor=anna, image_id=image_id).rle == encode_rle(mine)


def test_a_correction_is_refused_where_the_model_may_not_be_seen_or_is_not_the_current_one(
    store: Store, administrator: Actor
) -> None:
    clinic = PredictedClinic(store, administrator)
    anna = add_person(store, "correcting")
    with pytest.raises(NotFound):
        start_correction(store, actor=anna, prediction_id=99)
    clinic.predict(clinic.cases[1].image_id, clinic.add_checkpoint("model-2", administrator))
    with pytest.raises(Conflict):
        start_correction(store, actor=anna, prediction_id=clinic.predictions[1])
    assert own_masks.open_annotation(store, actor=anna, image_id=clinic.cases[1].image_id).annotation_id is None
