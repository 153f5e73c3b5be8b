"""The interval of one area: against its own equation, known bounds, and simulated ratings whose area is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from colpo_core.evaluation.areas import area_interval, area_variances, clustered_variance, newcombe_5, newcombe_variance
from colpo_core.evaluation.delong import delong_interval
from colpo_core.evaluation.placements import placements
from colpo_core.terms import Label

REPLICATES = 200


def drawn(
    chance: np.random.Generator, patients: tuple[int, int], images: int, area: float, alike: float = 0.7
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Labels, scores and patients; images of a patient correlate by `alike`."""
    is_positive = np.repeat([True, False], [n * images for n in patients])
    who = np.repeat(np.arange(sum(patients)), images)
    own = chance.normal(size=sum(patients))[who] * alike**0.5
    scores = own + chance.normal(size=len(who)) * (1 - alike) ** 0.5 + is_positive * norm.ppf(area) * 2**0.5
    return is_positive, scores, who.tolist()


@settings(deadline=None)
@given(st.integers(0, 1000).map(lambda one: one / 1000), st.integers(2, 200), st.integers(2, 200))
def test_bounds_are_where_the_equation_says(area: float, n_positive: int, n_negative: int) -> None:
    low, high = newcombe_5(area, n_positive, n_negative)
    assert 0 <= low <= area <= high <= 1
    for bound in (low, high):
        if 1e-9 < bound < 1 - 1e-9:
            far = 1.959963985 * newcombe_variance(bound, n_positive, n_negative) ** 0.5
            assert abs(bound - area) == pytest.approx(far, rel=1e-5, abs=1e-8)
    turned = newcombe_5(1 - area, n_negative, n_positive)
    assert turned == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_all_ranked_right_has_a_lower_bound_and_no_interval_leaves_0_to_1() -> None:
    low, high = newcombe_5(1.0, 20, 20)
    assert high == 1.0
    # By hand: 1 - x = z sqrt(V(x)) with N* = 19.
    assert 1 - low == pytest.approx(1.959963985 * newcombe_variance(low, 20, 20) ** 0.5)
    assert 0.85 < low < 0.95
    assert newcombe_5(0.0, 20, 20) == pytest.approx((0.0, 1 - low))


def test_too_few_of_a_class_have_a_sentence_in_place_of_an_interval() -> None:
    found = area_interval(np.asarray([True] * 2 + [False] * 30), np.arange(32.0))
    assert (found.auc, found.low, found.high) == (0.0, None, None)
    assert found.missing == "2 cases of a class, and it takes 5 of each"
    three = area_interval(*drawn(np.random.default_rng(0), (3, 20), 3, 0.8))
    assert three.missing == "3 patients of a class, and it takes 5 of each"
    assert area_interval(np.asarray([True]), np.asarray([0.1])).auc is None


def test_one_row_a_patient_is_delongs_variance_and_copies_tell_nothing_new() -> None:
    is_positive, scores, who = drawn(np.random.default_rng(1), (20, 30), 1, 0.8)
    of = placements(is_positive, scores)
    by_patient = clustered_variance(*of, who[:20], who[20:])
    assert by_patient == pytest.approx(area_variances(*of))
    thrice = [np.repeat(one, 3) for one in (is_positive, scores)]
    copied = clustered_variance(*placements(*thrice), np.repeat(who[:20], 3).tolist(), np.repeat(who[20:], 3).tolist())
    assert copied == pytest.approx(by_patient)


@pytest.mark.parametrize("area", [0.8, 0.95])
def test_it_covers_with_one_image_a_patient_where_delongs_does_not(area: float) -> None:
    chance = np.random.default_rng(2)
    held = classic = 0
    for _ in range(REPLICATES):
        is_positive, scores, _ = drawn(chance, (20, 20), 1, area)
        found = area_interval(is_positive, scores)
        held += found.low <= area <= found.high  # type: ignore[operator]
        old = delong_interval([Label.HSIL if one else Label.NORMAL for one in is_positive], scores.tolist())
        classic += old.low is not None and old.low <= area <= old.high  # type: ignore[operator]
    assert held / REPLICATES >= 0.93
    assert area < 0.9 or classic / REPLICATES < 0.88


@pytest.mark.parametrize("area", [0.7, 0.95])
def test_it_covers_with_three_images_a_patient_and_not_where_they_count_as_patients(area: float) -> None:
    chance = np.random.default_rng(3)
    held = alone = 0
    for _ in range(REPLICATES):
        is_positive, scores, who = drawn(chance, (20, 20), 3, area)
        found, taken_apart = area_interval(is_positive, scores, who), area_interval(is_positive, scores)
        held += found.low <= area <= found.high  # type: ignore[operator]
        alone += taken_apart.low <= area <= taken_apart.high  # type: ignore[operator]
    assert held / REPLICATES >= 0.93
    assert alone / REPLICATES < 0.92


def test_unlike_spreads_of_unlike_classes_are_minded() -> None:
    chance = np.random.default_rng(4)
    held = plain = 0
    is_positive = np.repeat([True, False], [20, 100])
    for _ in range(REPLICATES):
        scores = np.concatenate([chance.normal(norm.ppf(0.85) * 5**0.5, 2, 20), chance.normal(size=100)])
        found = area_interval(is_positive, scores)
        held += found.low <= 0.85 <= found.high  # type: ignore[operator]
        low, high = newcombe_5(found.auc or 0, 20, 100)
        plain += low <= 0.85 <= high
    assert held / REPLICATES >= 0.92
    assert plain / REPLICATES < held / REPLICATES
