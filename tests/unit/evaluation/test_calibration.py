"""Calibration: by hand, by property, and where too little is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, log_loss

from colpo_core.evaluation.calibration import (
    apply_temperature,
    brier_estimate,
    ece_estimate,
    fit_temperature,
    reliability,
)
from colpo_core.evaluation.intervals import wilson
from colpo_core.evaluation.judged import Judged
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL
rows = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([N, H]), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))),
    min_size=1,
    max_size=60,
).map(lambda drawn: [Judged(patient, place, label, prob) for place, (patient, label, prob) in enumerate(drawn)])


def drawn(prob: np.ndarray, chance: np.random.Generator, temperature: float = 1.0) -> list[Judged]:
    """One row a patient: HSIL with this probability, said with another temperature."""
    is_hsil = chance.random(len(prob)) < prob
    said = expit(temperature * logit(prob))
    return [Judged(n, n, H if flag else N, float(one)) for n, (flag, one) in enumerate(zip(is_hsil, said, strict=True))]


@settings(deadline=None, max_examples=50)
@given(rows)
def test_brier_is_that_of_scikit_learn_whatever_the_order(judged: list[Judged]) -> None:
    found = brier_estimate(judged, resamples=20)
    expected = brier_score_loss([row.label is H for row in judged], [row.prob_hsil for row in judged], pos_label=True)
    assert found.value == pytest.approx(expected)
    assert brier_estimate(judged[::-1], resamples=20).value == pytest.approx(found.value)
    assert (found.n_images, found.n_patients) == (len(judged), len({row.patient_id for row in judged}))


@settings(deadline=None, max_examples=50)
@given(rows)
def test_bins_hold_every_case_once_and_make_the_calibration_error(judged: list[Judged]) -> None:
    bins = reliability(judged, resamples=20)
    assert sum(one.observed.n for one in bins) == len(judged)
    assert sum(one.observed.k for one in bins) == sum(row.label is H for row in judged)
    assert (bins[0].low, bins[-1].high) == (0.0, 1.0)
    assert [one.high for one in bins[:-1]] == [one.low for one in bins[1:]]
    for one in bins:
        is_last = one is bins[-1]
        inside = [row for row in judged if one.low <= row.prob_hsil and (row.prob_hsil < one.high or is_last)]
        assert one.observed.n == len(inside) > 0
        assert one.mean_prob == pytest.approx(np.mean([row.prob_hsil for row in inside]))
    ece = sum(abs(one.observed.k - one.observed.n * one.mean_prob) for one in bins) / len(judged)
    found = ece_estimate(judged, resamples=20)
    assert found.value == pytest.approx(ece, abs=1e-12)
    assert found.low is None or found.low <= found.value <= found.high  # type: ignore[operator]
    turned = reliability(judged[::-1], resamples=20)
    assert [(one.low, one.high, one.observed.k, one.observed.n) for one in turned] == [
        (one.low, one.high, one.observed.k, one.observed.n) for one in bins
    ]


def test_bins_are_of_equal_mass_ten_at_most_and_of_ten_cases_at_least() -> None:
    chance = np.random.default_rng(0)
    for n, sizes in ((9, [9]), (20, [10, 10]), (35, [11, 12, 12]), (300, [30] * 10)):
        bins = reliability(drawn(chance.uniform(0.01, 0.99, n), chance))
        assert [one.observed.n for one in bins] == sizes
    bins = reliability([Judged(n, n, N, (0.1, 0.5, 0.5, 0.5)[n % 4]) for n in range(40)])
    assert [(one.low, one.high, one.observed.n) for one in bins] == [(0.0, 0.3, 10), (0.3, 1.0, 30)]


def test_observed_shares_are_wilsons_or_wider_where_patients_repeat() -> None:
    judged = [Judged(n, n, H if n < 6 else N, 0.2 if n < 10 else 0.7) for n in range(20)]
    assert [one.observed for one in reliability(judged)] == [wilson(6, 10), wilson(0, 10)]
    together = [Judged(n // 4, n, row.label, row.prob_hsil) for n, row in enumerate(judged)]
    assert reliability(together)[0].observed.low < wilson(6, 10).low  # type: ignore[operator]


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_has_not() -> None:
    chance = np.random.default_rng(1)
    prob = chance.uniform(0.02, 0.98, 4000)
    good, bold = ece_estimate(drawn(prob, chance)), ece_estimate(drawn(prob, chance, temperature=3))
    assert good.value < 0.03  # type: ignore[operator]
    assert bold.value > 0.1  # type: ignore[operator]
    assert good.high < bold.low  # type: ignore[operator]


def test_intervals_hold_what_is_so() -> None:
    chance = np.random.default_rng(2)
    prob = chance.uniform(0.1, 0.9, 400)
    found = brier_estimate(drawn(prob, chance))
    # The Brier score that a calibrated model is to expect.
    assert found.low < float((prob * (1 - prob)).mean()) < found.high  # type: ignore[operator]


def test_perfect_calls_of_few_claim_no_certainty() -> None:
    judged = [Judged(n, n, H if n % 2 else N, float(n % 2)) for n in range(6)]
    for found in (brier_estimate(judged), ece_estimate(judged)):
        assert (found.value, found.low, found.high) == (0.0, None, None)


def test_nothing_and_nonsense() -> None:
    assert reliability([]) == ()
    assert brier_estimate([]).value is None
    assert ece_estimate([]).value is None
    assert ece_estimate([Judged(1, 1, H, 0.3)]).value == pytest.approx(0.7)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            brier_estimate([Judged(1, 1, H, wrong)])
        with pytest.raises(ValueError, match="between 0 and 1"):
            fit_temperature([H], [wrong])
        with pytest.raises(ValueError, match="cannot be"):
            apply_temperature(wrong, 1.0)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="cannot be"):
            apply_temperature(0.5, wrong)
    with pytest.raises(ValueError, match="1 labels, but 2"):
        fit_temperature([H], [0.1, 0.2])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    chance = np.random.default_rng(3)
    judged = drawn(expit(chance.normal(size=5000)), chance, temperature)
    found = fit_temperature([row.label for row in judged], [row.prob_hsil for row in judged])
    assert found == pytest.approx(temperature, rel=0.1)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(0.2, 6))
def test_a_fitted_temperature_lies_within_bounds_and_never_raises_the_loss(seed: int, temperature: float) -> None:
    chance = np.random.default_rng(seed)
    judged = drawn(expit(chance.normal(size=60)), chance, temperature)
    labels, probs = [row.label for row in judged], [row.prob_hsil for row in judged]
    found = fit_temperature(labels, probs)
    assert 0.25 <= found <= 8
    is_hsil = [label is H for label in labels]
    warmed = [apply_temperature(prob, found) for prob in probs]
    assert log_loss(is_hsil, warmed) <= log_loss(is_hsil, probs) + 1e-6
    # No other temperature is better.
    for other in (0.25, 0.6, 1, 1.7, 4, 8):
        assert log_loss(is_hsil, warmed) <= log_loss(is_hsil, [apply_temperature(p, other) for p in probs]) + 1e-5


def test_a_temperature_is_not_fitted_where_it_cannot_be() -> None:
    wrong_once = [0.6] * 9 + [0.3]
    assert fit_temperature([], []) == 1.0
    assert fit_temperature([H] * 50, wrong_once * 5) == 1.0
    assert fit_temperature([H] * 10 + [N] * 9, [*wrong_once, *[0.4] * 9]) == 1.0
    assert fit_temperature([H] * 10 + [N] * 10, [*wrong_once, *[0.4] * 10]) != 1.0
    assert fit_temperature([H] * 10 + [N] * 10, [0.6] * 10 + [0.4] * 10) == 1.0
    assert fit_temperature([H] * 10 + [N] * 10, [0.5] * 20) == 1.0


def test_a_temperature_stays_within_its_bounds_where_the_model_is_of_no_use() -> None:
    assert fit_temperature([H] * 10 + [N] * 10, [0.1] * 10 + [0.9] * 10) == pytest.approx(8, rel=1e-3)
    # A single wrong case among very many very unsure ones.
    sure = [0.501] * 999 + [0.499] + [0.499] * 1000
    assert fit_temperature([H] * 1000 + [N] * 1000, sure) == pytest.approx(0.25, rel=1e-3)
    assert np.isfinite(fit_temperature([H] * 10 + [N] * 10, [0.0] + [1.0] * 9 + [0.0] * 10))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.25, 8))
def test_a_temperature_keeps_the_order_and_the_side_of_a_half(first: float, second: float, temperature: float) -> None:
    low, high = sorted((first, second))
    assert 0 <= apply_temperature(low, temperature) <= apply_temperature(high, temperature) <= 1
    if abs(first - 0.5) > 1e-12:
        assert (apply_temperature(first, temperature) > 0.5) == (first > 0.5)
    assert apply_temperature(0.5, temperature) == 0.5
    assert apply_temperature(first, 1.0) == first


def test_a_temperature_by_hand() -> None:
    assert apply_temperature(0.9, 2.0) == pytest.approx(3 / 4)
    assert apply_temperature(0.9, 0.5) == pytest.approx(81 / 82)
    # What a network of 32 bits calls certain can be brought down from it.
    assert apply_temperature(1.0, 8.0) == pytest.approx(expit(logit(1 - 1e-7) / 8))
    assert apply_temperature(0.0, 8.0) == pytest.approx(expit(logit(1e-7) / 8))
