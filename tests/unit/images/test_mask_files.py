from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from colpo_core.errors import ImageRejected, MaskRejected
from colpo_core.images.mask_files import read_mask_file
from colpo_core.images.masks import mask_png


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_what_the_program_writes_it_reads_back(seed: int, height: int, width: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert (read_mask_file(mask_png(mask), height_px=height, width_px=width) == mask).all()


def test_the_two_values_may_be_0_and_1() -> None:
    mask = np.eye(9, dtype=bool)
    file = BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(file, "PNG")
    assert (read_mask_file(file.getvalue(), height_px=9, width_px=9) == mask).all()


def test_another_size_is_refused() -> None:
    with pytest.raises(MaskRejected, match="9 × 8 pixels and its image 8 × 9"):
        read_mask_file(mask_png(np.zeros((8, 9), dtype=bool)), height_px=9, width_px=8)


def test_a_photograph_is_no_mask() -> None:
    file = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 9, 3), dtype=np.uint8)).save(file, "PNG")
    with pytest.raises(MaskRejected, match="more than two values"):
        read_mask_file(file.getvalue(), height_px=9, width_px=9)


def test_a_text_is_no_image() -> None:
    with pytest.raises(ImageRejected):
        read_mask_file(b"mask", height_px=9, width_px=9)
