"""Holes, specks, growing and shrinking in the editor's JavaScript, against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from tests.javascript.conftest import Run
from tests.javascript.masks import HELPERS, Mask, bounds_of, masks, received, sent

NEIGHBOURS_8 = np.ones((3, 3), np.int8)


@pytest.mark.parametrize(
    ("steps", "reference"),
    [
        ("holesFilled(mask)", ndimage.binary_fill_holes),
        ("grown(mask)", ndimage.binary_dilation),
        ("shrunk(mask)", lambda mask: ndimage.binary_erosion(mask, border_value=1)),
        *(
            (f"specksRemoved(mask, {size})", lambda mask, size=size: without_specks(mask, size))
            for size in (1, 2, 7, 30, 10**6)
        ),
    ],
)
def test_regions_are_those_of_scipy(run_javascript: Run, steps: str, reference: object) -> None:
    drawn = list(masks(11, 150))
    body = f"{HELPERS} return given.map((one) => {{ const mask = maskOf(one); return patched(mask, {steps}); }});"
    for mask, digits in zip(drawn, run_javascript(body, [sent(mask) for mask in drawn]), strict=True):
        assert np.array_equal(received(digits, mask), reference(mask))  # type: ignore[operator]


def without_specks(mask: Mask, least: int) -> Mask:
    areas, _ = ndimage.label(mask, NEIGHBOURS_8)
    large: Mask = np.bincount(areas.ravel())[areas] >= least
    return mask & large


@settings(max_examples=40, deadline=None)
@given(mask=arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_filled_has_no_hole_and_loses_nothing(run_javascript: Run, mask: Mask) -> None:
    body = f"""{HELPERS}
      const mask = maskOf(given);
      const bounds = boundsOf(mask);
      const filled = patched(mask, holesFilled(mask));
      return {{ bounds, filled, again: patched(mask, holesFilled(mask)) }};
    """
    found = run_javascript(body, sent(mask))
    filled = received(found["filled"], mask)
    assert np.array_equal(filled & mask, mask)
    assert np.array_equal(received(found["again"], mask), filled)
    if mask.any():
        assert found["bounds"] == bounds_of(mask)
    else:
        assert found["bounds"] is None
