"""Whether a probability goes with a device, against scipy and by hand."""

import numpy as np
import pytest
from scipy.stats import kruskal

from colpo_core.evaluation.score_by_group import FEWEST_OF_A_GROUP, group_p

GROUPS = ["a"] * 30 + ["b"] * 30


def test_within_one_stratum_it_is_the_test_of_kruskal_and_wallis() -> None:
    chance = np.random.default_rng(2)
    for shift in (0.0, 0.4, 0.8):
        scores = chance.normal(0, 1, 60) + shift * np.repeat([0, 1], 30)
        expected = kruskal(scores[:30], scores[30:]).pvalue
        assert group_p(scores.tolist(), ["hsil"] * 60, GROUPS) == pytest.approx(expected, abs=0.03)


def test_a_difference_between_strata_alone_is_none_between_groups() -> None:
    scores = np.random.default_rng(3).normal(0, 0.01, 60)
    strata = ["normal"] * 25 + ["hsil"] * 10 + ["normal"] * 5 + ["hsil"] * 20
    apart = (scores + np.array([name == "hsil" for name in strata])).tolist()
    assert group_p(apart, ["all"] * 60, GROUPS) < 0.01  # type: ignore[operator]
    assert group_p(apart, strata, GROUPS) > 0.05  # type: ignore[operator]


def test_small_groups_take_no_part() -> None:
    few = FEWEST_OF_A_GROUP - 1
    assert group_p([0.1] * 10 + [0.9] * few, ["hsil"] * (10 + few), ["a"] * 10 + ["b"] * few) is None
    assert group_p([], [], []) is None


def test_each_probability_has_a_stratum_and_a_group() -> None:
    with pytest.raises(ValueError, match="one stratum and one group"):
        group_p([0.5], ["hsil"], [])
