import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.records.studies.reading_plans import ConfidenceScale, ReadingPlan
from colpo_core.records.typed_json import canonical_json, from_values, to_values


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_sessions": 0},
        {"n_sessions": 11},
        {"washout_days": -1},
        {"repeat_share": 0.51},
        {"repeat_share": float("nan")},
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"margin": 0.0},
        {"margin": 1.0},
    ],
)
def test_a_value_that_is_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    ReadingPlan().check()
    with pytest.raises(InputRejected):
        replace(ReadingPlan(), **wrong).check()


def test_repeats_are_a_share_and_never_more_than_half() -> None:
    assert [ReadingPlan(repeat_share=0.1).n_repeats(n) for n in (4, 5, 24, 25, 200)] == [0, 1, 2, 3, 20]
    assert ReadingPlan(repeat_share=0.5).n_repeats(3) == 1
    assert ReadingPlan(n_sessions=2, repeat_share=0.1).n_each(200) == 440


def test_a_plan_comes_back_from_what_is_stored() -> None:
    plan = ReadingPlan(2, 7, 0.2, ConfidenceScale.FIVE_STEPS, Endpoint.SENSITIVITY, 0.1, 0.025, "as good")
    assert from_values(ReadingPlan, json.loads(canonical_json(to_values(plan))), name="a plan") == plan


def test_the_next_session_opens_after_the_washout() -> None:
    last = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert ReadingPlan().opens_at(last) == last + timedelta(days=28)


def test_a_scale_takes_its_own_values_alone() -> None:
    assert [value for value in range(-1, 102) if ReadingPlan().takes(value)] == list(range(101))
    steps = ReadingPlan(confidence=ConfidenceScale.FIVE_STEPS)
    assert [value for value in range(-1, 102) if steps.takes(value)] == [0, 25, 50, 75, 100]
    assert not ReadingPlan().takes(50.0)
    assert not ReadingPlan().takes(True)
