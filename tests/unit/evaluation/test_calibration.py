"""Calibration: by hand, by property, and where too little is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from colpo_core.evaluation.calibration import (
    apply_calibration,
    brier_estimate,
    calibration_figures,
    ece_estimate,
    fit_calibration,
    reliability,
    within_rounding,
)
from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.judged import Judged
from colpo_core.records.statistics.calibration import Calibration
from colpo_core.terms import Label
from tests.support.cohorts import judged_alone

N, H = Label.NORMAL, Label.HSIL
rows = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([N, H]), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))),
    min_size=1,
    max_size=60,
).map(lambda drawn: [Judged(patient, place, label, prob) for place, (patient, label, prob) in enumerate(drawn)])


def drawn(prob: np.ndarray, chance: np.random.Generator, temperature: float = 1.0) -> list[Judged]:
    """One row a patient: HSIL with this probability, said with another temperature."""
    labels = [H if flag else N for flag in chance.random(len(prob)) < prob]
    return judged_alone(labels, expit(temperature * logit(prob)))


@settings(deadline=None, max_examples=50)
@given(rows)
def test_brier_is_that_of_scikit_learn_whatever_the_order(judged: list[Judged]) -> None:
    found = brier_estimate(judged)
    expected = brier_score_loss([row.label is H for row in judged], [row.prob_hsil for row in judged], pos_label=True)
    assert found.value == pytest.approx(expected)
    assert brier_estimate(judged[::-1]).value == pytest.approx(found.value)
    assert (found.n_images, found.n_patients) == (len(judged), len({row.patient_id for row in judged}))


@settings(deadline=None, max_examples=50)
@given(rows)
def test_bins_hold_every_case_once_and_make_the_calibration_error(judged: list[Judged]) -> None:
    bins = reliability(judged)
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
    turned = reliability(judged[::-1])
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


def test_observed_shares_have_exact_intervals_or_wider_ones_where_patients_repeat() -> None:
    judged = [Judged(n, n, H if n < 6 else N, 0.2 if n < 10 else 0.7) for n in range(20)]
    assert [one.observed for one in reliability(judged)] == [exact_share(6, 10), exact_share(0, 10)]
    together = [Judged(n // 4, n, row.label, row.prob_hsil) for n, row in enumerate(judged)]
    assert reliability(together)[0].observed.low < exact_share(6, 10).low  # type: ignore[operator]


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
            fit_calibration([H], [wrong], share=0.5)
        with pytest.raises(ValueError, match="cannot be"):
            apply_calibration(wrong, Calibration())
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="cannot be"):
            apply_calibration(0.5, Calibration(wrong))
    for wrong in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="nothing to tell apart"):
            fit_calibration([H], [0.1], share=wrong)
    with pytest.raises(ValueError, match="1 labels, but 2"):
        fit_calibration([H], [0.1, 0.2], share=0.5)


def taught_balanced(
    share: float, n: int, *, seed: int, temperature: float = 1.0, lean: float = 0.0
) -> tuple[np.ndarray, list[Label], list[float]]:
    """True probability of HSIL, label, and what a network says whose loss weighs both labels alike."""
    chance = np.random.default_rng(seed)
    is_hsil = chance.random(n) < share
    evidence = 1.5 * chance.normal(np.where(is_hsil, 0.75, -0.75), 1)  # its logarithm of the likelihood ratio
    said = expit(lean + temperature * evidence)
    return expit(evidence + logit(share)), [H if flag else N for flag in is_hsil], said.tolist()


@pytest.mark.parametrize(("share", "most_before"), [(0.03, 0.28), (0.27, 0.1)])
def test_what_the_weights_of_the_labels_added_is_taken_out(share: float, most_before: float) -> None:
    _, labels, said = taught_balanced(share, 300, seed=1)
    truth, _, new = taught_balanced(share, 20_000, seed=2)
    calibration = fit_calibration(labels, said, share=share)
    found = np.asarray([apply_calibration(prob, calibration) for prob in new])
    assert np.mean(new) - share > most_before, "not calibrated, the mean probability is far above the share"
    assert np.mean(found) == pytest.approx(share, abs=0.03)
    assert np.mean(np.abs(found - truth)) < 0.04
    # The temperature alone cannot do it, whatever it is.
    cooled = [np.mean(expit(logit(np.asarray(new)) / one)) for one in (0.25, 0.5, 1, 2, 4, 8)]
    assert min(cooled) - share > most_before / 2


def test_temperature_and_lean_that_were_put_in_are_found() -> None:
    for temperature, lean, share in ((2.5, -0.4, 0.3), (0.6, 0.5, 0.5)):
        _, labels, said = taught_balanced(share, 20_000, seed=3, temperature=temperature, lean=lean)
        found = fit_calibration(labels, said, share=share)
        assert found.temperature == pytest.approx(temperature, rel=0.05)
        assert found.intercept == pytest.approx(logit(share) - lean / temperature, abs=0.06)


def test_the_validation_sides_own_share_does_not_move_what_is_calibrated_for() -> None:
    _, labels, said = taught_balanced(0.5, 20_000, seed=4, temperature=1.8, lean=0.3)
    _, rare_labels, rare_said = taught_balanced(0.1, 20_000, seed=5, temperature=1.8, lean=0.3)
    one, other = fit_calibration(labels, said, share=0.27), fit_calibration(rare_labels, rare_said, share=0.27)
    assert one.temperature == pytest.approx(other.temperature, rel=0.06)
    assert one.intercept == pytest.approx(other.intercept, abs=0.08)


def test_few_cases_move_it_little_and_one_label_not_at_all() -> None:
    exact = Calibration(1.0, float(logit(0.27)))
    assert fit_calibration([], [], share=0.27) == exact
    assert fit_calibration([H] * 50, [0.6] * 50, share=0.27) == exact
    for labels, said in (
        ([H, N], [0.6, 0.4]),
        ([H, N, N], [0.1, 0.9, 0.4]),
        # Wholly parted: the likelihood alone would grow without end.
        ([H] * 3 + [N] * 3, [0.9] * 3 + [0.1] * 3),
    ):
        found = fit_calibration(labels, said, share=0.27)
        assert found.intercept == pytest.approx(exact.intercept, abs=0.5)
        assert 0.5 < found.temperature < 2


def test_a_penalised_fit_is_nearer_to_the_truth_than_the_subtraction_and_than_no_penalty() -> None:
    """A network that is too sure and leans, and validation sides of 60 images; the measure of the decision."""
    apart: dict[str, list[float]] = {"fitted": [], "subtracted": [], "temperature alone": []}
    for seed in range(30):
        _, labels, said = taught_balanced(0.27, 60, seed=seed, temperature=2.0, lean=0.4)
        truth, _, new = taught_balanced(0.27, 500, seed=1000 + seed, temperature=2.0, lean=0.4)
        ways = {
            "fitted": fit_calibration(labels, said, share=0.27),
            "subtracted": Calibration(1.0, float(logit(0.27))),
            "temperature alone": Calibration(2.0, 0.0),
        }
        for name, way in ways.items():
            found = np.asarray([apply_calibration(prob, way) for prob in new])
            apart[name].append(float(np.mean(np.abs(found - truth))))
    means = {name: np.mean(values) for name, values in apart.items()}
    assert means["fitted"] < 0.06 < 0.09 < means["subtracted"] < means["temperature alone"]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(0.2, 6), st.floats(0.01, 0.99))
def test_a_fit_lies_within_bounds_and_is_the_best(seed: int, temperature: float, share: float) -> None:
    chance = np.random.default_rng(seed)
    judged = drawn(expit(chance.normal(size=60)), chance, temperature)
    labels, probs = [row.label for row in judged], [row.prob_hsil for row in judged]
    found = fit_calibration(labels, probs, share=share)
    assert 0.25 <= found.temperature <= 8
    is_hsil = np.asarray([label is H for label in labels])
    shift = float(logit(is_hsil.mean()) - logit(share))

    def penalised(one: Calibration) -> float:
        said = [apply_calibration(prob, replace(one, intercept=one.intercept + shift)) for prob in probs]
        lean = one.intercept - logit(share)
        return log_loss(is_hsil, said, normalize=False) + 2 * (lean**2 + np.log(one.temperature) ** 2)

    best = penalised(found)
    for step in (-0.1, 0.1):
        assert best <= penalised(replace(found, intercept=found.intercept + step)) + 1e-4
        moved = float(np.clip(found.temperature * np.exp(step), 0.25, 8))
        assert best <= penalised(replace(found, temperature=moved)) + 1e-4


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.25, 8), st.floats(-5, 5))
def test_a_calibration_keeps_the_order(first: float, second: float, temperature: float, intercept: float) -> None:
    low, high = sorted((first, second))
    calibration = Calibration(temperature, intercept)
    assert 0 <= apply_calibration(low, calibration) <= apply_calibration(high, calibration) <= 1
    assert apply_calibration(first, Calibration()) == first


def test_a_calibration_by_hand() -> None:
    assert apply_calibration(0.9, Calibration(2.0)) == pytest.approx(3 / 4)
    assert apply_calibration(0.5, Calibration(3.0, float(logit(0.03)))) == pytest.approx(0.03)
    # Both weights of a loss at 27%: 0.73 and 0.27 in their ratio.
    assert apply_calibration(0.5, Calibration(1.0, -np.log(0.73 / 0.27))) == pytest.approx(0.27)
    # What a network calls certain can be brought down from it, and very unlikely cases keep their order.
    assert apply_calibration(1.0, Calibration(8.0)) == pytest.approx(expit(logit(1 - 1e-15) / 8))
    assert apply_calibration(0.0, Calibration(8.0)) == pytest.approx(expit(logit(1e-15) / 8))
    assert within_rounding(1 - 1e-16) == within_rounding(1.0) < 1
    assert apply_calibration(1e-12, Calibration(8.0, -1)) < apply_calibration(1e-11, Calibration(8.0, -1))


def test_calibration_in_the_large_and_the_slope_tell_a_network_that_was_taught_balanced() -> None:
    _, labels, said = taught_balanced(0.27, 2000, seed=6, temperature=2.0)
    rows = judged_alone(labels, said)
    found = calibration_figures(rows)
    assert found.observed.value == pytest.approx(0.27, abs=0.03)
    assert found.mean_prob == pytest.approx(found.observed.value + found.in_the_large.value)  # type: ignore[operator]
    assert found.in_the_large.low > 0.1  # type: ignore[operator]
    assert found.slope.low < 0.5 < found.slope.high < 1  # type: ignore[operator]
    calibration = fit_calibration(labels, said, share=0.27)
    mended = calibration_figures(
        [replace(row, prob_hsil=apply_calibration(row.prob_hsil, calibration)) for row in rows]
    )
    assert mended.in_the_large.low < 0 < mended.in_the_large.high  # type: ignore[operator]
    assert mended.slope.low < 1 < mended.slope.high  # type: ignore[operator]


def test_the_slope_is_that_of_a_logistic_regression_and_has_an_interval_where_it_covers() -> None:
    _, labels, said = taught_balanced(0.4, 120, seed=7)
    rows = judged_alone(labels, said)
    fitted = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(
        logit(np.asarray(said))[:, None], [label is H for label in labels]
    )
    found = calibration_figures(rows).slope
    assert found.value == pytest.approx(float(fitted.coef_[0, 0]), rel=1e-4)
    assert found.low is not None
    # Each row three times says no more than once: the patients stay the same.
    thrice = calibration_figures([row for row in rows for _ in range(3)]).slope
    assert thrice.value == pytest.approx(found.value, rel=1e-6)
    assert (thrice.low, thrice.high) == pytest.approx((found.low, found.high), rel=1e-6)
    few = calibration_figures(rows[:30]).slope
    assert few.missing.endswith("of a class, and it takes 20 of each")
    assert few.value is not None
    assert few.low is None, "fewer than 20 patients of a label"
    parted = [Judged(n, n, H if n % 2 else N, 0.9 if n % 2 else 0.1) for n in range(60)]
    assert calibration_figures(parted).slope.value is None
    assert calibration_figures([]).mean_prob is None
    assert calibration_figures([Judged(1, 1, H, 0.4)]).slope.value is None
