from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from colpo_core.evaluation.intervals import exact_share, mean_by_patients, patient_bootstrap, share_by_patients, wilson


def test_wilson_agrees_with_a_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    share = wilson(81, 263)
    assert (share.k, share.n) == (81, 263)
    assert share.low == pytest.approx(0.2553, abs=5e-5)
    assert share.high == pytest.approx(0.3662, abs=5e-5)


def test_wilson_at_the_ends() -> None:
    # Newcombe 1998, table I: 0 of 20 gives 0 to 0.1611; 29 of 29 mirrors 0 of 29 (0 to 0.1170).
    none, every = wilson(0, 20), wilson(29, 29)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.1611, abs=5e-5)
    assert every.high == 1.0
    assert every.low == pytest.approx(1 - 0.1170, abs=5e-5)


def test_no_trial_has_no_value() -> None:
    share = wilson(0, 0)
    assert (share.value, share.low, share.high) == (None, None, None)
    assert "not defined" in share.text()


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        wilson(k, n)


def test_a_mean_of_many_has_nearly_its_normal_interval() -> None:
    values = np.random.default_rng(1).normal(size=200)
    estimate = mean_by_patients(values, range(200))
    half = 1.96 * values.std(ddof=1) / np.sqrt(200)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.03)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.03)
    assert (estimate.n_patients, estimate.n_images) == (200, 200)


def test_images_of_one_patient_count_together() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=20), 10)
    clustered = mean_by_patients(values, np.repeat(np.arange(20), 10).tolist())
    naive = mean_by_patients(values, range(200))
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)  # type: ignore[operator]
    assert (clustered.n_patients, clustered.n_images) == (20, 200)


def test_the_order_of_the_rows_does_not_matter() -> None:
    values, patients = np.random.default_rng(0).normal(size=30), np.arange(30) // 2
    first = mean_by_patients(values, patients.tolist())
    turned = mean_by_patients(values[::-1], patients[::-1].tolist())
    assert (first.value, first.low, first.high) == pytest.approx((turned.value, turned.low, turned.high))


def test_no_interval_leaves_what_the_figure_can_be() -> None:
    chance = np.random.default_rng(6)
    for _ in range(50):
        shares = chance.beta(0.2, 2, size=6)
        found = mean_by_patients(shares, range(6), within=(0.0, 1.0))
        assert 0 <= found.low < found.value < found.high <= 1  # type: ignore[operator]
        differences = mean_by_patients(chance.choice([-1.0, 1.0], 6) * (1 - shares / 9), range(6))
        assert differences.low is None or -1 <= differences.low <= differences.high <= 1  # type: ignore[operator]
    with pytest.raises(ValueError, match="lies outside"):
        mean_by_patients([0.2, 1.4], [1, 2], within=(0.0, 1.0))


@pytest.mark.parametrize(("a", "b"), [(0.4, 1.2), (6.0, 1.2), (0.25, 4.0)])
@pytest.mark.parametrize("images", [1, 3])
def test_means_cover_by_patients(a: float, b: float, images: int) -> None:
    """Of IoU, Dice and Brier scores of 20 patients, whose images are alike; the percentile bootstrap covers 0.87."""
    chance = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        own = chance.normal(size=20).repeat(images) * (0.0 if images == 1 else 0.6**0.5)
        values = beta.ppf(norm.cdf(own + chance.normal(size=20 * images) * (1.0 if images == 1 else 0.4**0.5)), a, b)
        found = mean_by_patients(values, np.arange(20).repeat(images).tolist(), within=(0.0, 1.0))
        held += found.low <= a / (a + b) <= found.high  # type: ignore[operator]
    assert held / 400 >= 0.925


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_shares_cover_by_patients(share: float) -> None:
    chance = np.random.default_rng(8)
    patients = np.arange(20).repeat(3).tolist()
    held = apart = 0
    for _ in range(400):
        own = chance.normal(size=20).repeat(3) * 0.7**0.5 + chance.normal(size=60) * 0.3**0.5
        right = own < norm.ppf(share)
        found = share_by_patients(np.stack([np.ones(60), right], axis=1), patients)
        held += found.low <= share <= found.high  # type: ignore[operator]
        plain = exact_share(int(right.sum()), 60)
        apart += plain.low <= share <= plain.high  # type: ignore[operator]
    assert held / 400 >= 0.93
    assert apart < held


def test_too_few_patients_have_a_sentence_in_place_of_an_interval() -> None:
    few = mean_by_patients([0.1, 0.5, 0.6, 0.8], [1, 2, 3, 4])
    assert (few.low, few.missing) == (None, "4 patients, and it takes 5")
    assert few.text() == "0.50 (no interval: 4 patients, and it takes 5)"
    one = share_by_patients([(1, 1), (1, 0)], [1, 1])
    assert one.text() == "50.0% (1/2; no interval: 1 patient)"


def test_one_patient_has_a_value_and_no_interval() -> None:
    estimate = mean_by_patients([0.2, 0.4], [1, 1])
    assert (estimate.value, estimate.low, estimate.high) == (pytest.approx(0.3), None, None)


def test_nothing_has_no_value() -> None:
    estimate = mean_by_patients([], [])
    assert (estimate.value, estimate.low, estimate.high, estimate.n_patients) == (None, None, None, 0)


def test_resamples_that_all_say_the_same_claim_no_certainty() -> None:
    estimate = mean_by_patients([0.1] * 8, [1, 1, 1, 2, 2, 3, 4, 5])
    assert estimate.value == pytest.approx(0.1)
    assert (estimate.low, estimate.high, estimate.missing) == (None, None, "5 patients, who all say the same")


def test_undefined_resamples_are_passed_over_while_they_are_few() -> None:
    values = np.arange(6.0)

    def only_with_the_first(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, 0] > 0, weights @ values / weights.sum(axis=1), np.nan)

    few = patient_bootstrap(only_with_the_first, range(6))
    assert few.low is not None

    def mostly_undefined(weights: np.ndarray) -> np.ndarray:
        return np.where((weights > 0).sum(axis=1) > 4, weights @ values, np.nan)

    many = patient_bootstrap(mostly_undefined, range(6))
    assert many.value is not None
    assert many.low is None


def test_a_share_of_independent_trials_has_the_exact_interval() -> None:
    trials = [(1, 1), (1, 0), (0, 0), (1, 1)]
    assert share_by_patients(trials, [1, 2, 3, 4]) == exact_share(2, 3)
    assert share_by_patients([], []) == exact_share(0, 0)
    assert exact_share(0, 0).value is None
    with pytest.raises(ValueError, match="3 successes of 2 trials"):
        exact_share(3, 2)


@pytest.mark.parametrize("n", [10, 20, 21, 50, 100])
def test_the_exact_interval_covers_every_share(n: int) -> None:
    """Wilson's holds a share of 0.99 in 84 of 100 where there are 20 cases."""
    found = [exact_share(k, n) for k in range(n + 1)]
    low, high = (np.array([getattr(one, end) for one in found], np.float64) for end in ("low", "high"))
    shares = np.concatenate([ends + step for ends in (low, high) for step in (-1e-9, 1e-9)])
    for share in shares[(shares > 0) & (shares < 1)]:
        assert binom.pmf(np.arange(n + 1), n, share)[(low <= share) & (share <= high)].sum() >= 0.95


def test_copies_of_a_trial_count_as_one() -> None:
    right = np.repeat([1, 0, 1, 0, 1, 1], 10)
    trials = np.stack([np.ones(60), right], axis=1)
    patients = np.repeat(np.arange(6), 10).tolist()
    share, once = share_by_patients(trials, patients), exact_share(4, 6)
    assert (share.k, share.n) == (40, 60)
    assert (share.low, share.high) == pytest.approx((once.low, once.high))
    every, once = share_by_patients(np.ones((60, 2)), patients), exact_share(6, 6)
    assert (every.k, every.low, every.high) == (60, pytest.approx(once.low), 1.0)


@pytest.mark.parametrize(("figure", "rows"), [(mean_by_patients, [1.0, 2.0]), (share_by_patients, [(1, 1), (1, 0)])])
def test_rows_and_patients_must_match(figure: Callable[..., object], rows: list[object]) -> None:
    with pytest.raises(ValueError, match="2 rows, but 1 patients"):
        figure(rows, [1])
