from colpo_core.records.statistics.curves import NamedEstimate, axis_reach, calibration_curve, error_bars
from colpo_core.records.statistics.figures import Estimate, Proportion, ReliabilityBin

EMPTY = ReliabilityBin(0.0, 0.1, 0.05, Proportion(0, 0, None, None, None))
FULL = ReliabilityBin(0.1, 0.2, 0.15, Proportion(1, 4, 0.25, 0.01, 0.8))


def test_a_bin_without_cases_is_no_point_of_the_curve() -> None:
    curve = calibration_curve("4 channels", "4ch", [EMPTY, FULL])
    assert (curve.points, curve.shares) == (((0.15, 0.25),), (FULL.observed,))
    before = calibration_curve("4 channels", "4ch", [EMPTY, FULL], is_before=True)
    assert (before.points, before.shares) == (curve.points, ())


def test_error_bars_reach_from_the_value_to_the_bounds_and_have_no_length_without_them() -> None:
    figures = [Estimate(0.5, 0.25, 1.0, 6, 6), Estimate(0.5, None, None, 3, 3), FULL.observed, EMPTY.observed]
    assert error_bars(figures) == ([0.25, 0.0, 0.24, 0.0], [0.5, 0.0, 0.55, 0.0])


def test_the_axis_of_a_forest_plot_holds_every_interval() -> None:
    rows = [NamedEstimate("a", Estimate(0.1, -0.4, 0.3, 6, 6)), NamedEstimate("b", Estimate(-0.6, None, None, 3, 3))]
    assert axis_reach(rows) == 0.6
    assert axis_reach(rows[:1]) == 0.4
    assert axis_reach([]) == 0.05
