import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from colpo_core.evaluation.kappa import pixel_kappa


def test_a_published_example() -> None:
    # Readers 1 and 2 of Van Dyke et al. 1993, 3 or more read as positive; kappa computed in R.
    assert pixel_kappa(n_both=38, n_first=53, n_second=44, n_pixels=114) == pytest.approx(0.6255865, abs=5e-8)


@given(*[st.integers(0, 40)] * 4)
def test_it_is_that_of_scikit_learn(both: int, first: int, second: int, neither: int) -> None:
    found = pixel_kappa(
        n_both=both, n_first=both + first, n_second=both + second, n_pixels=both + first + second + neither
    )
    one = np.repeat([1, 1, 0, 0], [both, first, second, neither])
    other = np.repeat([1, 0, 1, 0], [both, first, second, neither])
    if first + second == 0 and 0 in (both, neither):
        assert found is None
    else:
        assert found == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)


def test_a_mask_that_says_the_same_of_every_pixel_agrees_as_chance_does() -> None:
    assert pixel_kappa(n_both=0, n_first=0, n_second=7, n_pixels=20) == 0
    assert pixel_kappa(n_both=0, n_first=0, n_second=20, n_pixels=20) == 0
    assert pixel_kappa(n_both=20, n_first=20, n_second=20, n_pixels=20) is None
