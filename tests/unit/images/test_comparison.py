import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from colpo_core.images.comparison import comparison_png

BOTH, FIRST, SECOND = (1, 2, 3, 255), (4, 5, 6, 255), (7, 8, 9, 100)
PAIRS = array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


@given(PAIRS)
def test_each_pixel_has_the_colour_of_who_marked_it(pair: tuple[np.ndarray, np.ndarray]) -> None:
    png = comparison_png(*pair, both=BOTH, first_alone=FIRST, second_alone=SECOND)
    drawn = np.asarray(Image.open(io.BytesIO(png)))
    first, second = pair
    assert drawn.shape == (*first.shape, 4)
    for colour, area in ((BOTH, first & second), (FIRST, first & ~second), (SECOND, second & ~first)):
        assert (drawn[area] == colour).all()
    assert not drawn[~first & ~second].any()


def test_masks_of_two_sizes_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="one size"):
        comparison_png(
            np.zeros((2, 3), np.bool_), np.zeros((3, 2), np.bool_), both=BOTH, first_alone=FIRST, second_alone=SECOND
        )
