import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.evaluation.intervals import wilson
from colpo_core.evaluation.paired_shares import newcombe

counts = st.integers(0, 30)


@pytest.mark.parametrize(
    ("table", "low", "high"), [((36, 12, 2, 0), 0.0569, 0.3404), ((20, 12, 2, 16), 0.0562, 0.3292)]
)
def test_newcombes_own_examples(table: tuple[int, int, int, int], low: float, high: float) -> None:
    found = newcombe(*table)
    assert found[0] == pytest.approx((table[1] - table[2]) / sum(table))
    assert found[1] == pytest.approx(low, abs=6e-5)
    assert found[2] == pytest.approx(high, abs=6e-5)


@given(counts, counts, counts, counts)
def test_an_interval_holds_its_difference_and_stays_within_one(a: int, b: int, c: int, d: int) -> None:
    found = newcombe(a, b, c, d)
    if a + b + c + d == 0:
        assert found is None
        return
    assert -1 - 1e-9 <= found[1] <= found[0] + 1e-9
    assert found[0] - 1e-9 <= found[2] <= 1 + 1e-9
    turned = newcombe(a, c, b, d)
    assert found == pytest.approx((-turned[0], -turned[2], -turned[1]))


def test_it_narrows_with_agreement_and_with_alpha() -> None:
    alike, unlike = newcombe(40, 5, 5, 50), newcombe(20, 25, 25, 30)
    assert alike[2] - alike[1] < unlike[2] - unlike[1]
    loose = newcombe(40, 5, 5, 50, alpha=0.5)
    assert loose[2] - loose[1] < alike[2] - alike[1]
    assert (wilson(5, 10, alpha=0.5).low or 0) > (wilson(5, 10).low or 0)
