from hypothesis import given
from hypothesis import strategies as st

from colpo_core.records.statistics.figures import Estimate, Proportion, p_text, value_text


def test_a_proportion_shows_its_count_and_interval() -> None:
    assert Proportion(70, 83, 70 / 83, 0.7501, 0.9062).text() == "84.3% (70/83; 75.0 to 90.6)"
    assert Proportion(0, 0, None, None, None).text() == "not defined (0/0)"


def test_an_estimate_shows_how_many_patients_stand_behind_it() -> None:
    assert Estimate(0.512, 0.42, 0.6, 12, 20).text() == "0.51 (0.42 to 0.60; 12 patients)"
    assert Estimate(1.0, None, None, 6, 6).text() == "1.00 (no interval: 6 patients)"
    assert Estimate(None, None, None, 0, 0).text() == "not defined (0 patients)"


def test_a_difference_has_its_sign_its_interval_and_its_patients() -> None:
    assert Estimate(0.031, -0.02, 0.08, 12, 20).text(is_signed=True) == "+0.03 (-0.02 to +0.08; 12 patients)"
    assert Estimate(-0.1, None, None, 3, 3).text(is_signed=True) == "-0.10 (no interval: 3 patients)"
    assert Estimate(None, None, None, 0, 0).text(is_signed=True) == "not defined (0 patients)"


@given(st.floats(-1, 1), st.floats(0, 1), st.integers(1, 999), st.booleans())
def test_no_value_is_given_without_its_number_of_patients(
    value: float, half: float, n_patients: int, is_signed: bool
) -> None:
    for estimate in (
        Estimate(value, value - half, value + half, n_patients, 1),
        Estimate(value, None, None, n_patients, 1),
    ):
        text = estimate.text(is_signed=is_signed)
        assert text.endswith(f"{n_patients} patients)")
        assert " to " in text or "no interval" in text


def test_a_p_is_never_zero() -> None:
    assert (p_text(0.0), p_text(0.0421), p_text(None)) == ("< 0.001", "0.042", "not defined")
    assert (p_text(0.0, digits=4), p_text(0.00012, digits=4)) == ("< 0.0001", "0.0001")


def test_a_value_never_stands_without_its_interval_or_that_there_is_none() -> None:
    assert value_text(0.8431, (0.7512, 0.9061)) == "0.843 (0.751 to 0.906)"
    assert value_text(0.8431, (0.7512, 0.9061), digits=4) == "0.8431 (0.7512 to 0.9061)"
    assert value_text(0.5, None) == "0.500 (no interval)"
    assert value_text(None, None) == "not defined"
