import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from colpo_core.errors import ImageRejected, MaskRejected
from colpo_core.images.mask_files import read_mask_file
from colpo_core.images.masks import mask_png
from tests.support.image_files import file_of


def png_of(pixels: np.ndarray) -> bytes:
    return file_of(Image.fromarray(pixels), "PNG")


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_what_the_program_writes_it_reads_back(seed: int, height: int, width: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert (read_mask_file(mask_png(mask), height_px=height, width_px=width) == mask).all()


def test_the_two_values_may_be_0_and_1() -> None:
    mask = np.eye(9, dtype=bool)
    assert (read_mask_file(png_of(mask.astype(np.uint8)), height_px=9, width_px=9) == mask).all()


def test_another_size_is_refused() -> None:
    with pytest.raises(MaskRejected, match="9 × 8 pixels and its image 8 × 9"):
        read_mask_file(mask_png(np.zeros((8, 9), dtype=bool)), height_px=9, width_px=8)


def test_a_photograph_is_no_mask() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (9, 9, 3), dtype=np.uint8)
    with pytest.raises(MaskRejected, match="more than two values"):
        read_mask_file(png_of(pixels), height_px=9, width_px=9)


def rgba_file(mask: np.ndarray, *, inside: tuple[int, ...], outside: tuple[int, ...]) -> bytes:
    return png_of(np.asarray([outside, inside], np.uint8)[mask.astype(np.uint8)])


@pytest.mark.parametrize("marked", [0.1, 0.8])
def test_a_mask_with_transparent_parts_is_told_what_to_do(marked: float) -> None:
    """It was refused as a photograph would be, with "Choose the photograph itself"."""
    mask = np.zeros((20, 20), dtype=bool)
    mask[: round(20 * marked)] = True
    file = rgba_file(mask, inside=(255, 0, 0, 255), outside=(0, 0, 0, 0))
    with pytest.raises(MaskRejected, match=r"is transparent.*without transparency"):
        read_mask_file(file, height_px=20, width_px=20)


def test_a_mask_with_an_opaque_alpha_channel_is_taken() -> None:
    mask = np.eye(9, dtype=bool)
    file = rgba_file(mask, inside=(255, 255, 255, 255), outside=(0, 0, 0, 255))
    assert (read_mask_file(file, height_px=9, width_px=9) == mask).all()


def test_two_values_of_which_neither_is_black_do_not_tell_the_background() -> None:
    file = png_of(np.where(np.eye(9, dtype=bool), 200, 100).astype(np.uint8))
    with pytest.raises(MaskRejected, match="two values, and neither of them is black"):
        read_mask_file(file, height_px=9, width_px=9)


@pytest.mark.parametrize("cut", [10, 40, 60])
def test_a_damaged_file_is_said(cut: int) -> None:
    with pytest.raises(ImageRejected):
        read_mask_file(mask_png(np.eye(30, dtype=bool))[:cut], height_px=30, width_px=30)


def test_a_text_is_no_image() -> None:
    with pytest.raises(ImageRejected):
        read_mask_file(b"mask", height_px=9, width_px=9)
