from typing import Any

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.reader_statistics import PowerEstimate
from colpo_core.studies.power import estimate_power
from colpo_core.studies.roe_metz import RoeMetz

MODEL = RoeMetz(reader=0.01, arm_reader=0.01)


def power(*, difference: float = 0.1, readers: int = 4, cases: int = 30, **changes: Any) -> PowerEstimate:
    aucs = 0.85 + difference / 2, 0.85 - difference / 2
    values = {"n_readers": readers, "n_positive": cases, "n_negative": cases, "model": MODEL, "studies": 150}
    return estimate_power(aucs, **(values | changes))


def test_formula_and_simulation_agree() -> None:
    for difference in (0.06, 0.12):
        found = power(difference=difference, cases=40)
        assert found.simulated.low is not None
        assert found.simulated.high is not None
        assert found.simulated.low - 0.06 < found.by_formula < found.simulated.high + 0.06


def test_power_grows_with_the_difference_with_cases_and_with_readers() -> None:
    least = power().by_formula
    assert power(difference=0.15).by_formula > least
    assert power(cases=60).by_formula > least
    assert power(readers=8).by_formula > least
    assert power(alpha=0.01).by_formula < least


def test_without_a_difference_power_is_the_level_of_the_test() -> None:
    found = power(difference=0)
    assert found.by_formula == 0.05
    assert found.simulated.low is not None
    assert found.simulated.low < 0.05


def test_the_same_seed_says_the_same() -> None:
    assert power(studies=20) == power(studies=20) != power(studies=20, seed=1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"readers": 1}, "2 to 100 readers"),
        ({"cases": 1}, "at least 2 cases"),
        ({"difference": 0.4}, "assumed area"),
        ({"alpha": 1.0}, "Alpha"),
        ({"studies": 0}, "can be simulated"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        power(**wrong)
