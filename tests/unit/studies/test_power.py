from typing import Any

import numpy as np
import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.power import PowerEstimate
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.endpoints import components
from colpo_core.studies.power import Assumed, _draw, estimate_power
from colpo_core.studies.roe_metz import RoeMetz

MODEL = RoeMetz(reader=0.01, arm_reader=0.01)


def power(
    *, difference: float = 0.1, readers: int = 4, cases: int = 30, studies: int = 150, seed: int = 0, **changes: Any
) -> PowerEstimate:
    figures = 0.85 + difference / 2, 0.85 - difference / 2
    assumed = Assumed(figures, readers, cases, cases, **({"model": MODEL} | changes))
    return estimate_power(assumed, studies=studies, seed=seed)


def test_formula_and_simulation_agree() -> None:
    for difference in (0.06, 0.12):
        found = power(difference=difference, cases=40)
        assert found.simulated.low - 0.06 < found.by_formula < found.simulated.high + 0.06


def test_power_grows_with_the_difference_with_cases_and_with_readers() -> None:
    least = power(studies=50).by_formula
    for more in ({"difference": 0.15}, {"cases": 60}, {"readers": 8}):
        assert power(studies=50, **more).by_formula > least, more
    assert power(studies=50, alpha=0.01).by_formula < least


def test_without_a_difference_power_is_the_level_of_the_test() -> None:
    found = power(difference=0)
    assert found.by_formula == 0.05
    assert found.simulated.low < 0.05


def test_the_same_seed_says_the_same() -> None:
    assert power(studies=20) == power(studies=20) != power(studies=20, seed=1)


@pytest.mark.parametrize("endpoint", list(Endpoint))
@pytest.mark.parametrize("standalone", [False, True])
def test_every_endpoint_and_kind_of_study_has_a_formula_near_its_simulation(
    endpoint: Endpoint, standalone: bool
) -> None:
    asked = {"endpoint": endpoint, "standalone": standalone, "cases": 80, "readers": 5}
    for difference in (0.1, -0.1):
        found = power(difference=difference, **asked)
        assert found.simulated.low - 0.09 < found.by_formula < found.simulated.high + 0.09
    none = power(difference=0, studies=400, **asked)
    assert none.simulated.low < 0.05, "where there is no difference one is found as rarely as alpha says"


def test_the_simulated_figures_are_the_assumed_ones() -> None:
    for endpoint in Endpoint:
        assumed = Assumed((0.9, 0.7), 40, 200, 300, endpoint=endpoint, standalone=True)
        generator = np.random.default_rng(3)
        drawn = [_draw(assumed, generator) for _ in range(10)]
        found = np.mean(
            [components(truth, ratings[:1, 0], endpoint, threshold=0).value for truth, ratings in drawn], axis=0
        )
        of_readers = np.mean(
            [components(truth, ratings[1], endpoint, threshold=0).value.mean() for truth, ratings in drawn]
        )
        assert found[0] == pytest.approx(0.9, abs=0.02), endpoint
        assert of_readers == pytest.approx(0.7, abs=0.02), endpoint


def test_a_wide_margin_is_easily_met_and_a_narrow_one_hardly() -> None:
    wide, narrow = (power(difference=0, margin=margin, cases=60) for margin in (0.2, 0.02))
    assert wide.by_formula > 0.9
    assert narrow.by_formula < 0.2
    for found, margin in ((wide, 0.2), (narrow, 0.02)):
        assert found.simulated.low - 0.06 < found.by_formula < found.simulated.high + 0.06, margin
    worse = power(difference=-0.1, margin=0.1, studies=400, cases=60)
    assert worse.simulated.low < 0.025, "at the margin itself it is shown as rarely as half of alpha"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"readers": 1}, "2 to 100 readers"),
        ({"cases": 1}, "at least 2 cases"),
        ({"difference": 0.4}, "assumed auc"),
        ({"difference": 2.0, "endpoint": Endpoint.SENSITIVITY}, "assumed sensitivity"),
        ({"margin": 0.0}, "margin"),
        ({"alpha": 1.0}, "Alpha"),
        ({"studies": 0}, "can be simulated"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        power(**wrong)
