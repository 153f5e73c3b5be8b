import numpy as np
import pytest

from colpo_core.evaluation.intervals import patient_bootstrap, wilson


def mean(rows: np.ndarray) -> float:
    return float(rows.mean())


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


def test_bootstrap_of_a_mean_is_near_its_normal_interval() -> None:
    values = np.random.default_rng(1).normal(size=200)
    estimate = patient_bootstrap(values, range(200), mean, seed=5)
    half = 1.96 * values.std(ddof=1) / np.sqrt(200)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.03)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.03)
    assert (estimate.n_patients, estimate.n_images) == (200, 200)


def test_images_of_one_patient_count_together() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=20), 10)
    clustered = patient_bootstrap(values, np.repeat(np.arange(20), 10).tolist(), mean)
    naive = patient_bootstrap(values, range(200), mean)
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)  # type: ignore[operator]
    assert (clustered.n_patients, clustered.n_images) == (20, 200)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(10.0)
    first, second = (patient_bootstrap(values, range(10), mean, seed=3) for _ in range(2))
    assert first == second
    assert first != patient_bootstrap(values, range(10), mean, seed=4)


def test_one_patient_has_a_value_and_no_interval() -> None:
    estimate = patient_bootstrap([0.2, 0.4], ["a", "a"], mean)
    assert estimate.value == pytest.approx(0.3)
    assert (estimate.low, estimate.high) == (None, None)


def test_nothing_has_no_value() -> None:
    estimate = patient_bootstrap([], [], mean)
    assert (estimate.value, estimate.low, estimate.high, estimate.n_patients) == (None, None, None, 0)


def test_undefined_resamples_are_passed_over_while_they_are_few() -> None:
    def only_with_the_first(rows: np.ndarray) -> float:
        return float(rows.mean()) if (rows == 0).any() else float("nan")

    few = patient_bootstrap(np.arange(6.0), range(6), only_with_the_first)
    assert few.low is not None

    def mostly_undefined(rows: np.ndarray) -> float:
        return float(rows.mean()) if len(np.unique(rows)) > 4 else float("nan")

    many = patient_bootstrap(np.arange(6.0), range(6), mostly_undefined)
    assert many.value is not None
    assert many.low is None


def test_rows_and_patients_must_match() -> None:
    with pytest.raises(ValueError, match="2 rows, but 1 patients"):
        patient_bootstrap([1.0, 2.0], [1], mean)
