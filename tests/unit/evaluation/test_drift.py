import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colpo_core.evaluation.drift import FEWEST, score_drift
from colpo_core.records.overview.cohort import DriftAlarm

values = arrays(np.float64, st.integers(FEWEST, 120), elements=st.floats(0, 1)).map(np.ndarray.tolist)


@given(values, values)
def test_the_index_is_never_negative_and_nothing_moves_against_itself(before: list[float], now: list[float]) -> None:
    found = score_drift("p", before, now)
    assert found.index >= 0
    assert score_drift("p", before, before).index == pytest.approx(0, abs=1e-12)
    assert score_drift("p", before, list(reversed(now))).index == found.index


@given(values, values)
def test_a_stretched_scale_moves_nothing(before: list[float], now: list[float]) -> None:
    """Bins follow the reference's own values. Powers of two, so that no two values fall together."""
    stretched = score_drift("p", [4 * one for one in before], [4 * one for one in now])
    assert stretched.index == pytest.approx(score_drift("p", before, now).index, abs=1e-9)


def test_the_alarm_follows_how_far_the_scores_have_moved() -> None:
    chance = np.random.default_rng(0)
    before = chance.normal(0, 1, 4_000)
    alarms = [score_drift("p", before, chance.normal(moved, 1, 4_000)).alarm for moved in (0.0, 0.45, 1.5)]
    assert alarms == [DriftAlarm.STEADY, DriftAlarm.WATCH, DriftAlarm.ALARM]


def test_the_index_is_that_of_the_formula() -> None:
    """The deciles of these are 0, 0.5 and 1: four bins, of which the first and the third stay empty."""
    before, now = [0.0] * 100 + [1.0] * 100, [0.0] * 50 + [1.0] * 150
    p, q = np.array([0.5, 100.5, 0.5, 100.5]) / 202, np.array([0.5, 50.5, 0.5, 150.5]) / 202
    assert score_drift("p", before, now).index == pytest.approx(float(((q - p) * np.log(q / p)).sum()))


def test_too_few_values_say_nothing_and_no_number_is_refused() -> None:
    found = score_drift("p", [0.5] * 49, [0.5] * 500)
    assert (found.index, found.alarm, found.n_reference, found.n_current) == (None, DriftAlarm.TOO_FEW, 49, 500)
    with pytest.raises(ValueError, match="number"):
        score_drift("p", [float("nan")] * 60, [0.5] * 60)
