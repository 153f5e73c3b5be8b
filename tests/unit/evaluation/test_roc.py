import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from colpo_core.evaluation.roc import auc, auc_estimate, youden_threshold
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


@pytest.mark.parametrize("seed", range(5))
def test_auc_equals_scikit_learn_with_ties(seed: int) -> None:
    generator = np.random.default_rng(seed)
    positive = generator.random(50) < 0.4
    scores = np.round(generator.random(50) + 0.2 * positive, 1)
    truth = [H if flag else N for flag in positive]
    assert auc(truth, scores.tolist()) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_auc_needs_both_labels() -> None:
    assert auc([H, H], [0.1, 0.9]) is None
    assert auc([], []) is None
    assert auc_estimate([N], [0.3], [1]).value is None


def test_auc_interval_holds_its_value_and_comes_from_patients() -> None:
    generator = np.random.default_rng(3)
    positive = generator.random(60) < 0.5
    scores = generator.normal(size=60) + positive
    estimate = auc_estimate([H if flag else N for flag in positive], scores.tolist(), [n // 2 for n in range(60)])
    assert estimate.low < estimate.value < estimate.high  # type: ignore[operator]
    assert (estimate.n_patients, estimate.n_images) == (30, 60)


def test_a_perfect_ranking_of_few_claims_no_certainty() -> None:
    estimate = auc_estimate([N, N, H, H], [0.1, 0.2, 0.8, 0.9], [1, 2, 3, 4])
    assert estimate.value == 1.0
    assert (estimate.low, estimate.high) == (None, None)


def test_threshold_separates_what_can_be_separated() -> None:
    threshold = youden_threshold([N, N, N, H, H], [0.1, 0.15, 0.2, 0.3, 0.9])
    assert threshold == pytest.approx(0.25)


def test_of_equally_good_thresholds_the_nearest_to_a_half_is_taken() -> None:
    # 0.25 and 0.65 both have Youden's index 0.5.
    assert youden_threshold([N, H, N, H], [0.2, 0.3, 0.6, 0.7]) == pytest.approx(0.65)


def test_threshold_falls_back_to_a_half() -> None:
    assert youden_threshold([H, H], [0.1, 0.2]) == 0.5
    assert youden_threshold([], []) == 0.5
    assert youden_threshold([N, H], [0.3, 0.3]) == 0.5
    assert youden_threshold([H, N], [0.1, 0.9]) == 0.5


def test_lengths_must_match() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        auc([N], [0.1, 0.2])
