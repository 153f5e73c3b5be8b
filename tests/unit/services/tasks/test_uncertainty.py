from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.services.common.callers import Caller
from colpo_core.services.tasks.uncertainty import Uncertainty, binary_entropy, image_uncertainty
from colpo_core.store import Store
from colpo_core.store.tables import Prediction
from tests.support.clinic import PredictedClinic

Said = tuple[float | None, float, float]


def ask(store: Store, desk: PredictedClinic, said: list[Said]) -> list[Uncertainty]:
    """What is found for the clinic's images when the model has said: mask entropy, 3 and 4 channels."""
    with store.writing() as session:
        rows = session.query(Prediction).order_by(Prediction.id).all()
        for row, (mask_entropy, prob_3ch, prob_4ch) in zip(rows, said, strict=True):
            row.mask_entropy, row.prob_hsil_3ch, row.prob_hsil_4ch = mask_entropy, prob_3ch, prob_4ch
    image_ids = [case.image_id for case in desk.cases]
    with store.reading() as session:
        found = image_uncertainty(session, image_ids)
    return [found[image_id] for image_id in image_ids]


def test_the_score_is_the_mean_of_the_three_ranks(store: Store, desk: PredictedClinic) -> None:
    sure, between, unsure = ask(store, desk, [(0.01, 0.0, 0.0), (0.02, 0.9, 0.8), (0.3, 0.1, 0.5)])
    assert (sure.score, between.score, unsure.score) == (0.0, 0.5, 1.0)
    assert (unsure.mask_entropy, unsure.class_entropy, unsure.disagreement) == (0.3, 1.0, 0.4)
    assert between.disagreement == pytest.approx(0.1)
    assert between.class_entropy == pytest.approx(-0.8 * log2(0.8) - 0.2 * log2(0.2))


def test_images_alike_share_a_rank_also_when_one_is_the_others_complement(store: Store, desk: PredictedClinic) -> None:
    said: list[Said] = [(0.2, 0.3, 0.1), (0.2, 0.7, 0.9), (0.2, 0.3, 0.1)]
    assert [one.score for one in ask(store, desk, said)] == [0.5, 0.5, 0.5]


def test_a_measure_that_an_older_prediction_lacks_is_left_out(store: Store, desk: PredictedClinic) -> None:
    old, low, high = ask(store, desk, [(None, 0.5, 0.5), (0.1, 0.0, 0.0), (0.2, 0.1, 0.3)])
    assert old.mask_entropy is None
    assert old.score == pytest.approx((1.0 + 0.25) / 2)
    assert (low.score, high.score) == (pytest.approx((0 + 0 + 0.25) / 3), pytest.approx((1 + 0.5 + 1) / 3))


def test_only_the_current_model_counts(store: Store, administrator: Caller, desk: PredictedClinic) -> None:
    newer = desk.add_checkpoint("model-2", administrator)
    image_ids = [case.image_id for case in desk.cases]
    with store.reading() as session:
        assert image_uncertainty(session, image_ids) == {}
    desk.predict(image_ids[0], newer)
    with store.reading() as session:
        found = image_uncertainty(session, image_ids)
        assert image_uncertainty(session, image_ids[1:]) == {}
    assert list(found) == [image_ids[0]]
    assert found[image_ids[0]].score == 0.5, "alone it is neither sure nor unsure"


def test_without_a_model_nothing_is_known(store: Store) -> None:
    with store.reading() as session:
        assert image_uncertainty(session, [1, 2]) == {}


@given(st.floats(0, 1))
def test_the_entropy_of_yes_or_no_runs_from_zero_to_one_bit(prob: float) -> None:
    assert 0 <= binary_entropy(prob) <= 1
    assert binary_entropy(0.5) == 1.0
    assert binary_entropy(prob) == pytest.approx(binary_entropy(1 - prob), abs=1e-9)
