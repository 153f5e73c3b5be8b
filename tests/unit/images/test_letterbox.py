"""Fitting an image into a box, and coming back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.images.letterbox import crop_box, fit_into, letterbox_image, letterbox_mask, unletterbox

SIDES = st.integers(1, 5000)
BOXES = st.integers(32, 640)


@given(SIDES, SIDES, BOXES, BOXES)
def test_an_image_lies_in_the_middle_of_its_box_and_touches_two_sides(
    height: int, width: int, box_height: int, box_width: int
) -> None:
    fit = fit_into(image_height_px=height, image_width_px=width, box_height_px=box_height, box_width_px=box_width)
    assert 1 <= fit.fitted_height_px <= box_height
    assert 1 <= fit.fitted_width_px <= box_width
    assert fit.fitted_height_px == box_height or fit.fitted_width_px == box_width
    assert 0 <= (box_height - fit.fitted_height_px) - 2 * fit.top_px <= 1
    assert 0 <= (box_width - fit.fitted_width_px) - 2 * fit.left_px <= 1


@given(st.integers(100, 4000), st.integers(100, 4000))
def test_proportions_are_kept(height: int, width: int) -> None:
    fit = fit_into(image_height_px=height, image_width_px=width, box_height_px=480, box_width_px=640)
    scale = min(480 / height, 640 / width)
    assert abs(fit.fitted_height_px - height * scale) <= 0.5
    assert abs(fit.fitted_width_px - width * scale) <= 0.5


def test_an_image_of_the_boxs_size_is_not_touched() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    box, fit = letterbox_image(rgb, height_px=64, width_px=96)
    assert fit.fills_box
    assert np.array_equal(box, rgb)


def test_padding_is_black_and_the_image_lies_between() -> None:
    rgb = np.full((50, 200, 3), 200, np.uint8)
    box, fit = letterbox_image(rgb, height_px=64, width_px=96)
    assert not fit.fills_box
    assert (fit.fitted_height_px, fit.fitted_width_px) == (24, 96)
    assert (box[fit.rows, fit.columns] == 200).all()
    assert box[: fit.top_px].sum() == 0
    assert box[fit.top_px + 24 :].sum() == 0


@pytest.mark.parametrize("size", [(480, 640), (63, 97), (33, 200), (200, 33), (1, 7)])
def test_a_mask_comes_back_where_it_was(size: tuple[int, int]) -> None:
    height, width = size
    mask = np.zeros(size, np.bool_)
    mask[: (height + 1) // 2, : width // 2] = True
    fit = fit_into(image_height_px=height, image_width_px=width, box_height_px=96, box_width_px=128)
    back = unletterbox(letterbox_mask(mask, fit).astype(np.float32), fit) >= 0.5
    assert back.shape == size
    if min(size) > 1:
        assert (back == mask).mean() > 0.95


def test_a_mask_is_set_where_half_of_what_a_pixel_shows_is() -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[:, ::2] = True
    mask[32:, ::4] = False
    fit = fit_into(image_height_px=64, image_width_px=64, box_height_px=32, box_width_px=32)
    small = letterbox_mask(mask, fit)
    assert small[:16].all()
    assert small[16:].mean() == 0.5


def test_padding_stays_out_of_a_mask_and_of_a_crop() -> None:
    fit = fit_into(image_height_px=10, image_width_px=40, box_height_px=64, box_width_px=64)
    box = letterbox_mask(np.ones((10, 40), np.bool_), fit)
    assert box.sum() == 16 * 64
    assert crop_box(box.astype(np.float32), fit).all()


def test_coming_back_overshoots_nothing() -> None:
    values = np.random.default_rng(1).random((64, 96), dtype=np.float32)
    fit = fit_into(image_height_px=301, image_width_px=211, box_height_px=64, box_width_px=96)
    back = unletterbox(values, fit)
    assert back.shape == (301, 211)
    assert back.min() >= values.min()
    assert back.max() <= values.max() + 1e-6


def test_what_does_not_fit_is_a_programmers_mistake() -> None:
    fit = fit_into(image_height_px=10, image_width_px=10, box_height_px=32, box_width_px=32)
    with pytest.raises(ValueError, match="above 0"):
        fit_into(image_height_px=0, image_width_px=10, box_height_px=32, box_width_px=32)
    with pytest.raises(ValueError, match="H x W x 3 uint8"):
        letterbox_image(np.zeros((10, 10), np.uint8), height_px=32, width_px=32)
    with pytest.raises(ValueError, match="the mask is"):
        letterbox_mask(np.zeros((9, 10), np.bool_), fit)
    with pytest.raises(ValueError, match="box's size"):
        unletterbox(np.zeros((10, 10), np.float32), fit)
