from colpo_core.records.figures import Estimate, Proportion


def test_a_proportion_shows_its_count_and_interval() -> None:
    assert Proportion(70, 83, 70 / 83, 0.7501, 0.9062).text() == "84.3% (70/83; 75.0 to 90.6)"
    assert Proportion(0, 0, None, None, None).text() == "not defined (0/0)"


def test_an_estimate_shows_how_many_patients_stand_behind_it() -> None:
    assert Estimate(0.512, 0.42, 0.6, 12, 20).text() == "0.51 (0.42 to 0.60; 12 patients)"
    assert Estimate(1.0, None, None, 6, 6).text() == "1.00 (no interval: 6 patients)"
    assert Estimate(None, None, None, 0, 0).text() == "not defined (0 patients)"
