import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from colpo_core.studies.rater_agreement import WEIGHTINGS, cohen, fleiss, gwet_ac1, krippendorff_alpha

PAIR = arrays(np.float64, (2, 15), elements=st.integers(1, 4).map(float))
NAN = np.nan
# Krippendorff's own example of four coders, and what he gives for it.
CODERS = np.asarray(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
# Fleiss 1971 in the small: five readers, four cases, how many call each case which of three categories.
COUNTED = ((5, 0, 0), (3, 2, 0), (1, 1, 3), (0, 4, 1))


def calls_of(counted: tuple[tuple[int, ...], ...]) -> np.ndarray:
    return np.asarray([[kind for kind, n in enumerate(case) for _ in range(n)] for case in counted]).T


@given(PAIR, st.sampled_from(WEIGHTINGS))
@settings(max_examples=40, deadline=None)
def test_cohen_is_scikit_learns(pair: np.ndarray, weighting: str) -> None:
    found = cohen(*pair, weighting=weighting)
    if len(np.unique(pair)) == 1:
        assert found.value is None
        return
    ranks = np.unique(pair, return_inverse=True)[1].reshape(pair.shape)
    expected = cohen_kappa_score(*ranks, weights=None if weighting == "none" else weighting)
    assert found.value == pytest.approx(expected)
    assert cohen(*pair[::-1], weighting=weighting).value == pytest.approx(expected)


def test_fleiss_and_gwet_by_hand() -> None:
    agreeing = np.mean([1, (3 * 2 + 2) / 20, (3 * 2) / 20, (4 * 3) / 20])
    shares = np.asarray([9, 7, 4]) / 20
    calls = calls_of(COUNTED)
    assert fleiss(calls).value == pytest.approx((agreeing - (shares**2).sum()) / (1 - (shares**2).sum()))
    by_chance = (shares * (1 - shares)).sum() / 2
    assert gwet_ac1(calls).value == pytest.approx((agreeing - by_chance) / (1 - by_chance))


def test_krippendorffs_own_example() -> None:
    assert krippendorff_alpha(CODERS).value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(CODERS, is_ordinal=True).value == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha(CODERS).n == 11  # one case was coded once


@given(arrays(np.int64, (3, 12), elements=st.integers(0, 1)), st.permutations(range(3)), st.permutations(range(12)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_readers_and_cases_does_not_matter(
    calls: np.ndarray, readers: list[int], cases: list[int]
) -> None:
    for coefficient in (fleiss, gwet_ac1, krippendorff_alpha):
        here, there = coefficient(calls), coefficient(calls[readers][:, cases])
        assert here.value == pytest.approx(there.value)


def test_full_agreement_is_one_and_one_category_alone_says_nothing() -> None:
    same = np.tile([0, 1, 1, 0, 1, 0, 0, 0], (3, 1))
    for coefficient in (fleiss, gwet_ac1, krippendorff_alpha):
        found = coefficient(same)
        assert found.value == pytest.approx(1)
        assert found.ci is None  # no resample can say anything else
    alone = np.ones((3, 8))
    assert (fleiss(alone).value, krippendorff_alpha(alone).value) == (None, None)
    assert gwet_ac1(alone).value == 1
    assert krippendorff_alpha(np.full((2, 3), NAN)).n == 0


def test_intervals_hold_the_value_and_narrow_with_cases() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 400)
    calls = np.where(generator.random((3, 400)) < 0.85, truth, 1 - truth)
    for coefficient in (fleiss, gwet_ac1, krippendorff_alpha):
        few, many = coefficient(calls[:, :50]), coefficient(calls)
        assert few.ci is not None
        assert many.ci is not None
        assert many.ci[0] < many.value < many.ci[1]  # type: ignore[operator]
        assert many.ci[1] - many.ci[0] < 0.5 * (few.ci[1] - few.ci[0])
    assert fleiss(calls, seed=1).ci == fleiss(calls, seed=1).ci != fleiss(calls, seed=2).ci


def test_chance_alone_is_no_agreement() -> None:
    calls = np.random.default_rng(0).integers(0, 2, (3, 4000))
    assert abs(fleiss(calls).value or 0) < 0.03
    assert abs(cohen(*calls[:2]).value or 0) < 0.05


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two readers"):
        fleiss(np.ones((1, 4)))
    with pytest.raises(ValueError, match="every reader"):
        gwet_ac1(CODERS)
    with pytest.raises(ValueError, match="weighting"):
        cohen([1, 2], [1, 2], weighting="square")
