from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colpo_core.studies.reader_figures import paired_aucs, paired_calls, reader_arm

TRUTH = np.asarray([True] * 4 + [False] * 6)
RATINGS = arrays(np.float64, 10, elements=st.integers(1, 5).map(float))
ONE = np.asarray([5, 4, 2, 3, 1, 1, 3, 2, 1, 1.0])


@settings(max_examples=40)
@given(RATINGS, st.integers(1, 5))
def test_counts_are_those_of_the_table(ratings: np.ndarray, threshold: int) -> None:
    found = reader_arm(TRUTH, ratings, threshold=threshold)
    calls = ratings >= threshold
    assert (found.sensitivity.k, found.sensitivity.n) == (calls[:4].sum(), 4)
    assert (found.specificity.k, found.specificity.n) == ((~calls[4:]).sum(), 6)
    assert (found.ppv.k, found.ppv.n) == (calls[:4].sum(), calls.sum())
    assert (found.npv.k, found.npv.n) == ((~calls[4:]).sum(), (~calls).sum())
    assert found.accuracy.k == (calls == TRUTH).sum()
    if not calls.any():
        assert (found.ppv.value, found.ppv.wilson, found.ppv.clopper_pearson) == (None, None, None)


def test_without_a_threshold_there_are_no_calls_and_without_ratings_no_area() -> None:
    few = reader_arm(TRUTH, ONE)
    assert few.auc == pytest.approx((6 + 6 + 4.5 + 5.5) / 24)
    assert (few.auc_ci, few.auc_ci_missing) == (None, "4 cases of a class, and it takes 5 of each")
    assert few.auc_ci_delong is not None
    truth, ratings = np.tile(TRUTH, 3), np.tile(ONE, 3)
    found = reader_arm(truth, ratings)
    assert (found.sensitivity, found.ppv_at_prevalence) == (None, None)
    assert found.auc == pytest.approx((6 + 6 + 4.5 + 5.5) / 24)
    assert found.auc_ci[0] < found.auc < found.auc_ci[1] <= 1
    assert found.auc_ci_method == "newcombe-5"
    wide = reader_arm(truth, ratings, patients=np.arange(30) // 3)
    assert wide.auc_ci_method == "newcombe-5-by-patients"
    assert reader_arm(TRUTH, ONE, has_ratings=False, threshold=3).auc is None
    narrow = reader_arm(truth, ratings, alpha=0.5).auc_ci
    assert narrow[0] > found.auc_ci[0]


def test_predictive_values_follow_bayes_at_the_prevalence() -> None:
    found = reader_arm(TRUTH, ONE, threshold=3, prevalence=0.1)  # sensitivity 3/4, specificity 5/6
    ppv, npv = found.ppv_at_prevalence, found.npv_at_prevalence
    assert ppv.value == pytest.approx(0.075 / (0.075 + 0.9 / 6))
    assert npv.value == pytest.approx(0.75 / (0.75 + 0.025))
    logits = [log(one / (1 - one)) for one in (*ppv.ci, ppv.value)]
    assert sum(logits[:2]) / 2 == pytest.approx(logits[2])
    assert logits[1] - logits[0] == pytest.approx(2 * 1.959964 * (1 / 12 + 5 / 6) ** 0.5, rel=1e-5)
    own = reader_arm(TRUTH, ONE, threshold=3, prevalence=0.4)
    assert own.ppv_at_prevalence.value == pytest.approx(own.ppv.value)
    sure = reader_arm(TRUTH, TRUTH.astype(float), threshold=1, prevalence=0.1)
    # Mercaldo, Lau and Zhou 2007: two successes and two failures (z squared) join shares of 0 and 1.
    square = 1.959964**2
    hit, rejected = (4 + square / 2) / (4 + square), (6 + square / 2) / (6 + square)
    error = ((1 - hit) / (hit * (4 + square)) + rejected / ((1 - rejected) * (6 + square))) ** 0.5
    middle = log(hit * 0.1 / ((1 - rejected) * 0.9))
    low, high = sure.ppv_at_prevalence.ci
    assert (sure.ppv_at_prevalence.value, high) == (1, 1)
    assert log(low / (1 - low)) == pytest.approx(middle - 1.959964 * error, rel=1e-5)
    never = reader_arm(TRUTH, ONE, threshold=9, prevalence=0.1)
    assert (never.ppv_at_prevalence.value, never.ppv_at_prevalence.missing) == (None, "nobody would be called so")


def test_a_difference_of_areas_from_few_cases_has_neither_interval_nor_p() -> None:
    # From so few HSIL DeLong's normal distribution makes a p of 0.01 of what McNemar's test finds nothing in.
    few = paired_aucs(TRUTH, ONE, ONE[::-1])
    assert (few.ci, few.p, few.reason) == (None, None, "4 cases of a class, and it takes 10 of each")
    assert few.difference is not None
    truth = np.repeat([True, False], 10)
    enough = paired_aucs(truth, np.arange(20.0), np.arange(20.0)[::-1] % 7)
    assert -1 <= enough.ci[0] <= enough.ci[1] <= 1


@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 40))
def test_a_p_and_an_interval_that_part_are_said(b: int, c: int, same: int) -> None:
    truth = np.ones(b + c + same + 1, bool)
    first = np.repeat([5.0, 1.0, 5.0], [b, c, same + 1])
    second = np.repeat([1.0, 5.0, 5.0], [b, c, same + 1])
    found = paired_calls(truth, first, second, threshold=3)["accuracy"]
    leaves_0_out = found.ci[0] > 0 or found.ci[1] < 0
    assert (found.at_odds is None) == (leaves_0_out == (found.p < 0.05))
    assert found.p <= found.p_exact


def test_five_against_none_is_shown_by_both() -> None:
    truth = np.ones(40, bool)
    found = paired_calls(truth, np.repeat([5.0, 1.0], [40, 0]), np.repeat([1.0, 5.0], [5, 35]), threshold=3)["accuracy"]
    assert (found.p, found.p_exact) == pytest.approx((0.03125, 0.0625))
    assert found.at_odds is None
    assert found.ci[0] > 0


@settings(max_examples=40)
@given(RATINGS, RATINGS)
def test_turning_the_arms_round_turns_the_differences_round(first: np.ndarray, second: np.ndarray) -> None:
    here, there = paired_aucs(TRUTH, first, second), paired_aucs(TRUTH, second, first)
    assert here.difference == pytest.approx(-(there.difference or 0))
    assert here.p == there.p or here.p == pytest.approx(there.p)
    calls, turned = (paired_calls(TRUTH, *pair, threshold=3) for pair in ((first, second), (second, first)))
    for name in ("accuracy", "sensitivity", "specificity"):
        assert (calls[name].b, calls[name].c) == (turned[name].c, turned[name].b)
        assert calls[name].p == turned[name].p
        assert calls[name].ci == pytest.approx([-one for one in reversed(turned[name].ci)])


@given(RATINGS, RATINGS)
def test_a_monotone_change_of_the_ratings_changes_no_area(first: np.ndarray, second: np.ndarray) -> None:
    assert paired_aucs(TRUTH, np.exp(first), np.exp(second)).z == paired_aucs(TRUTH, first, second).z
    assert reader_arm(TRUTH, first**3).auc_ci == reader_arm(TRUTH, first).auc_ci
