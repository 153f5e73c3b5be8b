import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colpo_core.evaluation.likeness import likeness, pack_features, unpack_features

rows = arrays(np.float32, (5, 8), elements=st.floats(-1, 1, width=32)).filter(
    lambda values: bool((np.linalg.norm(values, axis=1) > 0.1).all())
)


def of_length_one(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@given(rows)
def test_what_is_stored_keeps_the_likeness(values: np.ndarray) -> None:
    values = of_length_one(values)
    stored = unpack_features([pack_features(row) for row in values])
    assert stored.dtype == np.float16
    found = likeness(stored[0], stored)
    assert found == pytest.approx(np.clip(values @ values[0], -1, 1), abs=2e-3)
    assert found[0] == pytest.approx(1, abs=2e-3)
    assert (np.abs(found) <= 1).all()


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    values = of_length_one(np.random.default_rng(0).normal(size=(50, 16))).astype(np.float16)
    whole = likeness(values[3], values)
    monkeypatch.setattr("colpo_core.evaluation.likeness._ROWS_AT_ONCE", 7)
    assert likeness(values[3], values) == pytest.approx(whole, abs=1e-6)
    assert likeness(values[3], values[:0]).shape == (0,)
    assert likeness(values[3], unpack_features([])).shape == (0,)


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.float32), np.zeros(0, np.float32), np.array([np.nan], np.float32)])
def test_only_one_row_of_numbers_is_stored(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one row"):
        pack_features(bad)
