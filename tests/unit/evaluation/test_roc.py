from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from colpo_core.evaluation import roc as evaluation_roc
from colpo_core.evaluation.roc import auc, auc_estimate, choose_threshold, roc_points, threshold_rule_text
from colpo_core.records.training.settings import THRESHOLD_RULES
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL
# Few distinct probabilities, so that ties are common.
cases = st.lists(st.tuples(st.sampled_from([N, H]), st.integers(0, 12).map(lambda n: n / 12)), max_size=40)


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


def test_an_only_patient_of_a_label_has_no_interval() -> None:
    truth, probabilities = [N, N, N, N, H, H], [0.1, 0.5, 0.6, 0.2, 0.3, 0.7]
    alone = auc_estimate(truth, probabilities, [1, 2, 3, 4, 5, 5])
    assert alone.value == auc(truth, probabilities) == 0.75
    assert (alone.low, alone.high) == (None, None)
    enough = auc_estimate(truth * 3, probabilities * 3, range(18))
    assert enough.value == 0.75
    assert (enough.method, enough.low is None) == ("newcombe-5", False)


@given(cases)
def test_the_curve_is_that_of_scikit_learn(rows: list[tuple[Label, float]]) -> None:
    truth, probabilities = [label for label, _ in rows], [prob for _, prob in rows]
    points = roc_points(truth, probabilities)
    if len(set(truth)) < 2:
        assert points == ()
        return
    false, true, _ = roc_curve([label is H for label in truth], probabilities, drop_intermediate=False)
    assert points == tuple(zip(false.tolist(), true.tolist(), strict=True))
    area = np.trapezoid([y for _, y in points], [x for x, _ in points])
    assert area == pytest.approx(auc(truth, probabilities))


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    chance = np.random.default_rng(0)
    truth = [H if flag else N for flag in chance.random(1000) < 0.3]
    points = roc_points(truth, chance.random(1000).tolist())
    assert len(points) == 200
    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert list(points) == sorted(points)


def test_scores_of_any_scale_give_the_same_curve() -> None:
    chance = np.random.default_rng(1)
    is_hsil, scores = chance.random(60) < 0.4, np.round(chance.random(60), 1)
    curve = evaluation_roc.roc_curve(is_hsil, 100 * scores - 50)
    assert curve == roc_points([H if flag else N for flag in is_hsil], scores.tolist())


def test_threshold_separates_what_can_be_separated() -> None:
    threshold = choose_threshold([N, N, N, H, H], [0.1, 0.15, 0.2, 0.3, 0.9], "youden")
    assert threshold == pytest.approx(0.25)


def test_of_equally_good_thresholds_the_nearest_to_a_half_is_taken() -> None:
    # 0.25 and 0.65 both have Youden's index 0.5.
    assert choose_threshold([N, H, N, H], [0.2, 0.3, 0.6, 0.7], "youden") == pytest.approx(0.65)


def test_sensitivity_90_takes_the_highest_specificity_that_still_finds_nine_in_ten() -> None:
    hsil = [0.05, *[0.30 + 0.01 * n for n in range(9)]]
    normal = [0.02, 0.2, 0.305, 0.345, 0.5]
    truth = [H] * 10 + [N] * 5
    # 9 of 10 HSIL lie above 0.25, with 2 of 5 normal below it; the next higher threshold finds 8.
    assert choose_threshold(truth, hsil + normal, "sensitivity_90") == pytest.approx(0.25)
    # One HSIL fewer, and 8 of 9 would not do: only what lies below 0.05 is called normal.
    assert choose_threshold(truth[1:], hsil[:-1] + normal, "sensitivity_90") == pytest.approx(0.035)


@pytest.mark.parametrize("rule", THRESHOLD_RULES)
@pytest.mark.parametrize(
    ("truth", "probs"), [([], []), ([H, H], [0.1, 0.2]), ([N, H], [0.3, 0.3]), ([H, N], [0.1, 0.9])]
)
def test_a_threshold_falls_back_to_a_half(truth: list[Label], probs: list[float], rule: str) -> None:
    assert choose_threshold(truth, probs, rule) == 0.5


def test_where_only_calling_everybody_would_do_sensitivity_90_falls_back_to_a_half() -> None:
    assert choose_threshold([H, N, H, H, H, H], [0.1, 0.2, *[0.9] * 4], "sensitivity_90") == 0.5


@given(cases, st.sampled_from(THRESHOLD_RULES))
def test_a_threshold_is_the_best_that_its_rule_allows(rows: list[tuple[Label, float]], rule: str) -> None:
    truth, probabilities = [label for label, _ in rows], [prob for _, prob in rows]
    hsil, normal = ([prob for label, prob in rows if label is one] for one in (H, N))

    def shares(threshold: float) -> tuple[float, float]:
        return sum(p >= threshold for p in hsil) / len(hsil), sum(p < threshold for p in normal) / len(normal)

    chosen = choose_threshold(truth, probabilities, rule)
    if not hsil or not normal:
        assert chosen == 0.5
        return
    levels = sorted(set(probabilities))
    every = [(shares((a + b) / 2), (a + b) / 2) for a, b in pairwise(levels)]
    fit = [(s, t) for s, t in every if sum(s) > 1 + 1e-9 and (rule == "youden" or s[0] >= 0.9 - 1e-9)]
    if not fit:
        assert chosen == 0.5
        return
    best = max(sum(s) if rule == "youden" else s[1] for s, _ in fit)
    tied = [t for s, t in fit if (sum(s) if rule == "youden" else s[1]) > best - 1e-9]
    assert abs(chosen - 0.5) == pytest.approx(min(abs(t - 0.5) for t in tied))
    assert chosen in tied


def test_every_rule_has_a_sentence_and_no_other_is_known() -> None:
    assert "Youden" in threshold_rule_text("youden")
    assert "90%" in threshold_rule_text("sensitivity_90")
    assert all(threshold_rule_text(rule).endswith(".") for rule in THRESHOLD_RULES)
    with pytest.raises(ValueError, match="'best'"):
        threshold_rule_text("best")
    with pytest.raises(ValueError, match="'best'"):
        choose_threshold([N, H], [0.1, 0.9], "best")


def test_lengths_must_match() -> None:
    with pytest.raises(ValueError, match="1 cases, but 2"):
        auc([N], [0.1, 0.2])
