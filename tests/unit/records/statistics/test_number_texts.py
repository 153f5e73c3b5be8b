import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.records.statistics.number_texts import number_texts, percent_texts


@pytest.mark.parametrize(
    ("shares", "texts"),
    [
        ((0.523, 0.518), ("52.3%", "51.8%")),
        ((0.52, 0.4), ("52%", "40%")),
        ((0.5, 0.5), ("50%", "50%")),
        ((0.5201, 0.5204), ("52.01%", "52.04%")),
        ((0.004, 0.3), ("0.4%", "30.0%")),
        ((0.998, 0.3), ("99.8%", "30.0%")),
        ((0.0, 1.0), ("0%", "100%")),
        ((0.71,), ("71%",)),
    ],
)
def test_shares_that_differ_do_not_read_alike(shares: tuple[float, ...], texts: tuple[str, ...]) -> None:
    assert percent_texts(*shares) == texts


def test_numbers_have_decimals_enough() -> None:
    assert number_texts(0.523, 0.518) == ("0.523", "0.518"), "0.52 and 0.52 would hide the call"
    assert number_texts(0.5203, 0.5204, digits=3) == ("0.5203", "0.5204")
    assert number_texts(0.7) == ("0.70",)
    assert number_texts(0.999, 0.5) == ("0.999", "0.500")


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_call_can_be_read_from_the_texts(prob: float, threshold: float) -> None:
    told, frozen = percent_texts(prob, threshold)
    if abs(prob - threshold) > 1e-7:
        assert told != frozen
        assert (float(told[:-1]) > float(frozen[:-1])) == (prob > threshold)
    if 1e-7 < prob < 1 - 1e-7:
        assert told not in ("0%", "100%")
