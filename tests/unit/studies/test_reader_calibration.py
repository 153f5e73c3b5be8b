import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.studies.reader_calibration import calibrate, implied_probability
from colpo_core.studies.study_analysis import reader_rating
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


@given(st.sampled_from(Label), st.integers(0, 100))
def test_a_guess_is_a_half_and_certainty_is_taken_at_its_word(call: Label, confidence: int) -> None:
    found = implied_probability(reader_rating(call, confidence))
    assert found == pytest.approx(0.5 + (confidence / 200 if call is H else -confidence / 200))


def test_a_reader_who_is_too_sure_is_told_so() -> None:
    truth = {case: H if case % 2 else N for case in range(40)}
    said = {case: 0.95 if label is H else 0.05 for case, label in truth.items()}
    for case in range(0, 40, 4):
        said[case] = 0.95  # every other normal case is called HSIL, with as much confidence
    found = calibrate("Rita", None, truth, said, patients={case: case for case in truth})
    assert (found.name, found.channels, found.n_cases) == ("Rita", None, 40)
    assert found.overconfidence.value == pytest.approx(0.95 - 0.75)
    assert found.overconfidence.low > 0
    assert found.overcalling.value == pytest.approx(np.mean(list(said.values())) - 0.5)
    assert found.brier.value == pytest.approx((30 * 0.05**2 + 10 * 0.95**2) / 40)
    assert found.bins[-1].observed.value == pytest.approx(20 / 30)
    assert found.ece.value is not None


def test_who_is_as_sure_as_right_is_well_calibrated() -> None:
    truth = {case: H if case < 15 else N for case in range(20)}
    found = calibrate("net", 4, truth, dict.fromkeys(truth, 0.75), patients={case: case // 2 for case in truth})
    assert found.overcalling.value == pytest.approx(0)
    assert found.overconfidence.value == pytest.approx(0)
    assert found.ece.value == pytest.approx(0)
    assert found.brier.n_patients == 10
