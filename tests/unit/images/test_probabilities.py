import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image as Picture

from colpo_core.errors import InputRejected
from colpo_core.images.probabilities import pack_probabilities, unpack_probabilities
from tests.support.image_files import file_of

probs = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(0, 1, width=32))


@given(probs)
def test_what_is_read_is_what_was_written_to_half_a_step(values: np.ndarray) -> None:
    found = unpack_probabilities(pack_probabilities(values))
    assert found.shape == values.shape
    assert found.dtype == np.float32
    assert np.abs(found - values).max() <= 0.5 / 255 + 1e-6
    assert pack_probabilities(found) == pack_probabilities(values), "equal ones give equal files"


@pytest.mark.parametrize(
    "bad", [np.full((2, 2), 1.1, np.float32), np.full((2, 2), np.nan, np.float32), np.zeros(4, np.float32)]
)
def test_what_is_no_probability_is_not_written(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        pack_probabilities(bad)


COLOURED = file_of(Picture.new("RGB", (3, 3)), "PNG")


@pytest.mark.parametrize("bad", [b"", b"no picture", pack_probabilities(np.ones((9, 9), np.float32))[:40], COLOURED])
def test_a_damaged_file_is_refused(bad: bytes) -> None:
    with pytest.raises(InputRejected, match="damaged"):
        unpack_probabilities(bad)
