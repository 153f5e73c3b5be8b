"""How the model's masks overlap the annotators', on images that it has not met and that did not begin as its own."""

from dataclasses import replace

import numpy as np
import pytest

from colpo_core.errors import PermissionDenied
from colpo_core.evaluation.blind import blind_reference
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels, store_pixels
from colpo_core.services.overview import overlaps
from colpo_core.services.overview.overlaps import overlap_figures
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, Checkpoint, Prediction, Snapshot
from colpo_core.terms import Split, Start
from tests.conftest import add_person
from tests.support.clinic import SIDE_PX, PredictedClinic
from tests.support.learned import publish_anew
from tests.support.refusals import refused
from tests.support.store_rows import change_all
from tests.unit.services.cases.test_lists import hand_out


@pytest.fixture
def desk(administrator: Caller) -> PredictedClinic:
    """Five predicted cases, of which the model has met the third."""
    desk = PredictedClinic(administrator)
    for _ in range(2):
        case = desk.clinic.add_case()
        desk.predictions.append(desk.predict(case.image_id, desk.checkpoint_id))
        desk.cases.append(case)
    overlaps._PAIRS._values.clear()
    return desk


def set_masks(store: Store, desk: PredictedClinic, place: int, own: slice, annotated: slice) -> None:
    """Columns that the model and the annotator mark, over all rows."""
    case = desk.cases[place]
    with store.writing() as session:
        mask = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
        mask[:, own] = True
        session.query(Prediction).filter_by(image_id=case.image_id).one().mask_id = store_pixels(session, mask).id
    mask = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    mask[:, annotated] = True
    desk.clinic.add_version(case.annotation_id, mask)


def test_the_overlap_is_that_of_unmet_images(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    met = 2
    set_masks(store, desk, 0, slice(0, 20), slice(10, 30))  # 10 of 30
    set_masks(store, desk, 1, slice(0, 20), slice(0, 20))
    set_masks(store, desk, met, slice(0, 20), slice(21, 31))
    set_masks(store, desk, 3, slice(0, 20), slice(5, 20))  # 15 of 20
    set_masks(store, desk, 4, slice(0, 20), slice(0, 0))  # nothing annotated: not defined
    found = overlap_figures(annotator)
    assert found.n_compared == 3
    assert found.iou.value == pytest.approx((1 / 3 + 1 + 0.75) / 3)
    assert found.median == pytest.approx(0.75)
    assert found.counts == (0, 0, 0, 1, 0, 0, 0, 1, 0, 1)
    assert [row.image_id for row in found.lowest] == [desk.cases[place].image_id for place in (0, 3, 1)]
    assert (found.iou.low, found.iou.missing) == (None, "3 patients, and it takes 5")


def test_a_mask_that_began_as_the_models_is_left_out(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    for place in range(5):
        set_masks(store, desk, place, slice(0, 20), slice(0, 20))
    case = desk.cases[0]
    change_all(
        store,
        AnnotationVersion,
        AnnotationVersion.annotation_id == case.annotation_id,
        AnnotationVersion.number == 1,
        start=Start.PROPOSAL,
    )
    found = overlap_figures(annotator)
    assert (found.n_from_proposal, found.n_compared) == (1, 3), "what was painted on from it later began as it, too"


def test_beside_it_stands_what_the_mean_training_mask_reaches(annotator: Caller, desk: PredictedClinic) -> None:
    """The model marks the columns 0 to 20, the mean training mask 5 to 25, on the very same images."""
    set_masks(annotator.store, desk, 0, slice(0, 20), slice(10, 30))  # model 10 of 30, blind 15 of 25
    set_masks(annotator.store, desk, 1, slice(0, 20), slice(0, 20))  # model 20 of 20, blind 15 of 25
    set_masks(annotator.store, desk, 3, slice(0, 20), slice(5, 25))  # model 15 of 25, blind 20 of 20
    set_masks(annotator.store, desk, 4, slice(0, 20), slice(0, 0))
    without = overlap_figures(annotator)
    assert (without.blind, without.difference) == (None, None), "an older card does not know it"
    trained = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    trained[:, 5:25] = True
    reference = blind_reference([trained], height_px=SIDE_PX, width_px=SIDE_PX)
    assert reference is not None
    with annotator.store.writing() as session:
        checkpoint = session.get_one(Checkpoint, desk.checkpoint_id)
        checkpoint.card = checkpoint.card | {"blind_reference": reference.to_card()}
    desk.clinic.add_case()  # what was counted is counted anew
    found = overlap_figures(annotator)
    assert found.blind.value == pytest.approx((15 / 25 + 15 / 25 + 1) / 3)
    assert found.difference.value == pytest.approx((10 / 30 + 1 + 15 / 25) / 3 - found.blind.value)
    assert (found.difference.n_images, found.difference.n_patients) == (3, 3)


def test_how_much_is_marked_where_a_person_has_confirmed_that_nothing_is(
    store: Store, annotator: Caller, desk: PredictedClinic
) -> None:
    for place, columns in ((0, 20), (1, 40), (2, 10), (4, 30)):
        set_masks(store, desk, place, slice(0, columns), slice(0, 0))
    with store.writing() as session:
        for version in session.query(AnnotationVersion).filter_by(number=2):
            is_asked = version.annotation_id != desk.cases[4].annotation_id
            version.absence_confirmed = True if is_asked else None
    found = overlap_figures(annotator)
    # The third is a patient that the model has met; of the fifth nobody has said that nothing is there.
    assert found.lesion_free_area.n_images == 2
    assert found.lesion_free_area.value == pytest.approx((20 + 40) / 2 / SIDE_PX)


def test_masks_are_read_once(
    annotator: Caller, administrator: Caller, desk: PredictedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(overlaps, "mask_pixels", lambda mask: read.append(mask.id) or mask_pixels(mask))
    overlap_figures(annotator)
    n_read = len(read)
    assert n_read > 0
    desk.clinic.add_case()  # all is counted anew, and no two masks are compared anew
    overlap_figures(administrator)
    assert len(read) == n_read


def test_what_is_hidden_from_me_is_not_named(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    for place in range(5):
        set_masks(store, desk, place, slice(0, 20), slice(0, 20))
    image_id = desk.cases[0].image_id
    hand_out(
        store,
        image_id,
        [annotator.person_id, add_person(store, "otto").person_id],
        blind=True,
        proposals=True,
    )
    found = overlap_figures(annotator)
    assert image_id not in [row.image_id for row in found.lowest]
    assert found.n_compared == 4, "the figures count it: they name nobody"


def test_readers_get_nothing_and_without_a_model_there_is_none(annotator: Caller, reader: Caller) -> None:
    assert overlap_figures(annotator) is None
    refused(PermissionDenied, lambda: overlap_figures(reader))


def test_a_model_of_the_papers_protocol_has_met_its_test_side_too(annotator: Caller, desk: PredictedClinic) -> None:
    """It augments before it splits, so that copies of each image stand on every side."""
    for place in range(5):
        set_masks(annotator.store, desk, place, slice(0, 20), slice(0, 20))
    with annotator.store.writing() as session:
        snapshot = session.query(Snapshot).one()
        manifest = read_manifest(annotator.store, snapshot.sha256)
        on_test = replace(manifest, items=tuple(replace(item, split=Split.TEST) for item in manifest.items))
        snapshot.sha256 = annotator.store.blobs.put(on_test.to_json())
    counted = []
    for protocol in ("patient", "paper"):
        assert publish_anew(annotator.store, desk.checkpoint_id, protocol=protocol) == ()
        desk.clinic.add_case()  # what was counted is counted anew
        counted.append(overlap_figures(annotator).n_compared)
    assert counted == [5, 4]
