"""A mask that starts from the model's proposal, or corrects a prediction."""

import numpy as np
import pytest
from sqlalchemy import select

from colpo_core.errors import Conflict, NotFound, PermissionDenied
from colpo_core.images.masks import encode_rle
from colpo_core.records.annotations import StartSource
from colpo_core.services.annotations import own_masks
from colpo_core.services.annotations.starts import start_correction, start_options
from colpo_core.services.common import preferences
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationTask, AnnotationVersion, Mask, Prediction, Promotion, utc_now
from colpo_core.terms import Finding, Start
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.refusals import refused
from tests.support.review_desks import NOTHING, Desk, add_task, everything, made, pixels
from tests.support.store_rows import change, get


@pytest.fixture
def predicted(administrator: Caller) -> PredictedClinic:
    return PredictedClinic(administrator)


def proposed(store: Store, predicted: PredictedClinic, place: int = 0) -> tuple[int, StartSource]:
    return predicted.cases[place].image_id, StartSource(Start.PROPOSAL, prediction_id=predicted.predictions[place])


def test_a_proposal_is_taken_up_and_measured(store: Store, annotator: Caller, predicted: PredictedClinic) -> None:
    image_id, source = proposed(store, predicted)
    options = start_options(annotator, image_id=image_id)
    assert (options.proposal.prediction_id, options.proposal.checkpoint_name) == (source.prediction_id, "model-1")
    assert options.proposals_refused == ""
    desk = Desk(annotator, image_id)
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


def test_a_proposal_that_was_dropped_was_still_seen(annotator: Caller, predicted: PredictedClinic) -> None:
    image_id, source = proposed(annotator.store, predicted)
    desk = Desk(annotator, image_id)
    desk.start(source)
    desk.start(NOTHING)
    desk.paint(pixels(1, desk.mask.shape))
    version = desk.submit()
    assert get(annotator, AnnotationVersion, version.version_id).start_mask_id is None
    assert made(version)[:4] == (Start.NOTHING, None, None, True)
    assert (version.kept_share, version.added_share) == (None, 1.0)


def test_a_proposal_is_the_current_models_alone(
    store: Store, annotator: Caller, administrator: Caller, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    newer = predicted.add_checkpoint("model-2", administrator)
    desk = Desk(annotator, image_id)
    options = start_options(annotator, image_id=image_id)
    assert (options.proposal, options.proposals_refused) == (None, "")
    before = everything(store)
    refused(Conflict, lambda: desk.start(source), match="Another model")
    _, other = proposed(store, predicted, 1)
    for wrong in (other, StartSource(Start.PROPOSAL, prediction_id=999)):
        with pytest.raises(NotFound):
            desk.start(wrong)
    assert everything(store) == before
    current = predicted.predict(image_id, newer)
    refused(Conflict, lambda: desk.start(source), match="Another model")
    desk.start(StartSource(Start.PROPOSAL, prediction_id=current))
    assert desk.opened.start is Start.PROPOSAL


def test_without_a_current_model_there_is_no_proposal(annotator: Caller, predicted: PredictedClinic) -> None:
    with annotator.store.writing() as session:
        session.delete(session.scalars(select(Promotion)).one())
    image_id, source = proposed(annotator.store, predicted)
    assert start_options(annotator, image_id=image_id).proposal is None
    refused(Conflict, lambda: Desk(annotator, image_id).start(source))


def test_the_model_marks_acetowhite_epithelium_alone(annotator: Caller, predicted: PredictedClinic) -> None:
    image_id, source = proposed(annotator.store, predicted)
    before = everything(annotator.store)
    for finding in set(Finding) - {Finding.ACETOWHITE}:
        options = start_options(annotator, image_id=image_id, finding=finding)
        assert options.proposal is None
        assert "acetowhite epithelium alone" in options.proposals_refused
        with pytest.raises(PermissionDenied, match="acetowhite epithelium alone"):
            Desk(annotator, image_id, finding).start(source)
    assert everything(annotator.store) == before


def test_proposals_that_are_switched_off_are_refused(
    store: Store, annotator: Caller, administrator: Caller, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    preferences.set_proposals(administrator, allowed=False)
    options = start_options(annotator, image_id=image_id)
    assert (options.proposal, "switched" in options.proposals_refused) == (None, True)
    before = everything(store)
    refused(PermissionDenied, lambda: Desk(annotator, image_id).start(source), match="switched")
    assert everything(store) == before
    preferences.set_proposals(administrator, allowed=True)
    Desk(annotator, image_id).start(source)


def test_a_task_without_proposals_refuses_them_to_its_people_while_it_is_open(
    store: Store, annotator: Caller, fellow: Caller, predicted: PredictedClinic
) -> None:
    image_id, source = proposed(store, predicted)
    task_id = add_task(store, image_id, annotator, proposals=False)
    desk = Desk(annotator, image_id)
    assert "in a task of yours" in start_options(annotator, image_id=image_id).proposals_refused
    refused(PermissionDenied, lambda: desk.start(source), match="in a task of yours")
    desk.submit()
    refused(PermissionDenied, lambda: desk.start(source))
    assert start_options(fellow, image_id=image_id).proposal is not None
    change(store, AnnotationTask, task_id, closed_at=utc_now())
    desk.start(source)


def test_a_correction_of_a_prediction_starts_from_the_models_mask_and_says_so(administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(administrator.store, "correcting")
    found = start_correction(anna, prediction_id=clinic.predictions[1])
    assert (found.image_id, found.has_started) == (clinic.cases[1].image_id, True)
    opened = own_masks.open_annotation(anna, image_id=found.image_id)
    wanted = mask_pixels(get(administrator, Mask, get(administrator, Prediction, clinic.predictions[1]).mask_id))
    assert opened.start is Start.PROPOSAL
    assert opened.rle == encode_rle(wanted)
    version = own_masks.submit_annotation(anna, document_id=opened.document_id, seq=opened.seq, note="")
    assert (version.start, version.kept_share) == (Start.PROPOSAL, 1.0)


def test_a_correction_takes_the_place_of_nothing_that_was_painted(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(store, "correcting")
    image_id = clinic.cases[1].image_id
    opened = own_masks.open_annotation(anna, image_id=image_id)
    mine = np.zeros((64, 64), bool)
    mine[3:9, 3:9] = True
    own_masks.save_draft(anna, document_id=opened.document_id, base_seq=0, rle=encode_rle(mine))
    assert not start_correction(anna, prediction_id=clinic.predictions[1]).has_started
    now = own_masks.open_annotation(anna, image_id=image_id)
    assert (now.rle, now.start) == (encode_rle(mine), Start.NOTHING)
    own_masks.submit_annotation(anna, document_id=now.document_id, seq=now.seq, note="")
    assert not start_correction(anna, prediction_id=clinic.predictions[1]).has_started
    assert own_masks.open_annotation(anna, image_id=image_id).rle == encode_rle(mine)


def test_a_correction_is_refused_where_the_model_may_not_be_seen_or_is_not_the_current_one(
    store: Store, administrator: Caller
) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(store, "correcting")
    refused(NotFound, lambda: start_correction(anna, prediction_id=99))
    clinic.predict(clinic.cases[1].image_id, clinic.add_checkpoint("model-2", administrator))
    refused(Conflict, lambda: start_correction(anna, prediction_id=clinic.predictions[1]))
    assert own_masks.open_annotation(anna, image_id=clinic.cases[1].image_id).annotation_id is None
