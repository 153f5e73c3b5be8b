"""Masks that Hypothesis draws."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def mask_pairs(max_side: int) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Two masks of one size, bool, each side from 1 to `max_side` pixels."""
    shapes = st.tuples(st.integers(1, max_side), st.integers(1, max_side))
    return shapes.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape)))
