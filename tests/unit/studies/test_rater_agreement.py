from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from colpo_core.records.statistics.rater_agreement import Coefficient
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
        assert found.ci is None, "eight cases are too few"
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
        assert many.ci[0] < many.value < many.ci[1]  # type: ignore[operator]
        assert many.ci[1] - many.ci[0] < 0.5 * (few.ci[1] - few.ci[0])


def test_full_agreement_has_an_interval_that_narrows_with_cases() -> None:
    widths = []
    for n in (20, 200, 2000):
        found = cohen(np.arange(n) % 2, np.arange(n) % 2)
        assert found.ci[1] == 1
        widths.append(1 - found.ci[0])
    assert widths[0] == pytest.approx(0.36, abs=0.05), "Wilson's bound of 0 of 20, over a disagreement by chance of 0.5"
    assert widths[0] > widths[1] > widths[2]


@given(arrays(np.int64, (3, 24), elements=st.integers(0, 1)), st.sampled_from([0.05, 0.01]))
@settings(max_examples=60, deadline=None)
def test_intervals_hold_the_value_and_stay_within_one(calls: np.ndarray, alpha: float) -> None:
    for found in (
        cohen(*calls[:2], alpha=alpha), fleiss(calls, alpha=alpha), gwet_ac1(calls, alpha=alpha),
        krippendorff_alpha(calls, alpha=alpha), krippendorff_alpha(calls, is_ordinal=True, alpha=alpha),
    ):  # fmt: skip
        if found.ci is not None:
            assert -1 <= found.ci[0] <= (found.value or 0) + 1e-12
            assert (found.value or 0) - 1e-12 <= found.ci[1] <= 1


def test_too_few_patients_or_calls_of_the_rarer_kind_give_no_interval() -> None:
    calls = np.asarray([[1, 0] * 10, [1, 0] * 9 + [0, 1]])
    assert cohen(*calls).ci is not None
    assert cohen(*calls, patients=[str(case % 9) for case in range(20)]).ci is None
    rare = np.zeros((2, 100))
    rare[:, :2] = 1
    assert (cohen(*rare).value, cohen(*rare).ci, fleiss(rare).ci, krippendorff_alpha(rare).ci) == (1, None, None, None)
    assert gwet_ac1(rare).ci is not None, "it does not fall where one kind is rare"


@pytest.mark.parametrize(
    "coefficient",
    [
        *(lambda table, patients, how=how: cohen(*table[:2], weighting=how, patients=patients) for how in WEIGHTINGS),
        lambda table, patients: fleiss(table, patients=patients),
        lambda table, patients: gwet_ac1(table, patients=patients),
        lambda table, patients: krippendorff_alpha(table, patients=patients),
        lambda table, patients: krippendorff_alpha(table, is_ordinal=True, patients=patients),
    ],
)
def test_cases_that_are_copies_of_one_patients_say_no_more_than_one(coefficient: Callable[..., Coefficient]) -> None:
    table = np.random.default_rng(3).integers(1, 4, (3, 60)).astype(float)
    alone = coefficient(table, [str(case) for case in range(60)])
    thrice = coefficient(np.repeat(table, 3, axis=1), [str(case) for case in range(60) for _ in range(3)])
    taken_as_many = coefficient(np.repeat(table, 3, axis=1), None)
    assert thrice.value == pytest.approx(alone.value, abs=0.01)
    assert thrice.ci == pytest.approx(alone.ci, abs=0.01)
    assert taken_as_many.ci[1] - taken_as_many.ci[0] < 0.7 * (alone.ci[1] - alone.ci[0])


def test_the_variance_is_that_of_fleiss_cohen_and_everitt() -> None:
    generator = np.random.default_rng(5)
    one = generator.integers(0, 2, 4000)
    other = np.where(generator.random(4000) < 0.8, one, 1 - one)
    found = cohen(one, other)
    shares = np.asarray([[np.mean((one == a) & (other == b)) for b in range(2)] for a in range(2)])
    agreed, rows, columns = np.trace(shares), shares.sum(axis=1), shares.sum(axis=0)
    by_chance = (rows * columns).sum()
    kappa = (agreed - by_chance) / (1 - by_chance)
    a = sum(shares[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
    b = (1 - kappa) ** 2 * sum(shares[i, j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j)
    c = (kappa - by_chance * (1 - kappa)) ** 2
    se = np.sqrt((a + b - c) / ((1 - by_chance) ** 2 * 4000))
    assert (found.ci[1] - found.ci[0]) / 2 == pytest.approx(1.96 * se, rel=0.01)


def test_intervals_cover_what_is_true() -> None:
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        truth = generator.integers(0, 2, 30)
        first, second = (np.where(generator.random(30) < 0.9, truth, 1 - truth) for _ in range(2))
        found = cohen(first, second)
        held += found.ci is not None and found.ci[0] <= 0.64 <= found.ci[1]  # both are right or both wrong: 0.82
    assert held / 400 >= 0.93


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
