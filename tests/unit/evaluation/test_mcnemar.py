"""McNemar's test against the binomial test, R, and published tables."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from colpo_core.evaluation.mcnemar import mcnemar


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(b: int, c: int) -> None:
    found = mcnemar(b, c)
    assert (found.b, found.c) == (b, c)
    if b + c == 0:
        assert found.p == 1.0
        return
    assert found.p_exact == pytest.approx(binomtest(b, b + c, 0.5).pvalue)
    by_hand = 2 * sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert found.p_exact == pytest.approx(min(1.0, by_hand))
    assert found.p == pytest.approx(found.p_exact - binom.pmf(b, b + c, 0.5) * (0.5 if b == c else 1))
    assert 0 < found.p < found.p_exact
    assert found.p == pytest.approx(mcnemar(c, b).p)


def test_mcnemar_agrees_with_r() -> None:
    # Reader 1 of Van Dyke et al. 1993, 3 or more read as positive; p computed in R.
    assert mcnemar(14, 9).p_exact == pytest.approx(0.4048729, abs=5e-8)
    assert mcnemar(0, 4).p_exact == pytest.approx(0.125)
    assert mcnemar(14, 5).p_exact == pytest.approx(0.06356812, abs=5e-9)


def test_the_mid_p_of_published_tables() -> None:
    # Fagerland, Lydersen and Laake 2013: airway hyper-responsiveness before and after transplantation, 1 against 7.
    found = mcnemar(1, 7)
    assert (round(found.p_exact, 4), round(found.p, 4)) == (0.0703, 0.0391)
    # Newcombe's interval leaves 0 out where five cases differ one way and none the other: so does the mid-p.
    assert (mcnemar(5, 0).p_exact, mcnemar(5, 0).p) == pytest.approx((0.0625, 0.03125))


def test_counts_below_0_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        mcnemar(-1, 3)
