import cv2
import numpy as np
import pytest

from colpo_core.images.highlights import fill_highlights, find_highlights

TISSUE = (180, 95, 95)
ACETOWHITE = (235, 220, 215)
LAMP = (255, 255, 252)


@pytest.fixture
def tissue() -> np.ndarray:
    grain = np.random.default_rng(0).normal(0, 4, (120, 160, 1))
    return np.clip(np.array(TISSUE) + grain, 0, 255).astype(np.uint8)


def test_a_highlight_takes_the_colour_around_it(tissue: np.ndarray) -> None:
    wet = tissue.copy()
    cv2.circle(wet, (60, 40), 3, LAMP, -1)
    cv2.ellipse(wet, (100, 80), (9, 1), 30, 0, 360, LAMP, -1)
    found = find_highlights(wet)
    assert np.array_equal(found, wet.min(axis=2) > 200)
    filled = fill_highlights(wet)
    assert np.abs(filled[found].astype(int) - TISSUE).max() < 25
    far = cv2.dilate(found.astype(np.uint8), np.ones((7, 7))) == 0
    assert np.array_equal(filled[far], wet[far])


def test_a_dim_highlight_goes_with_its_halo(tissue: np.ndarray) -> None:
    wet = tissue.copy()
    cv2.circle(wet, (60, 40), 3, (215, 205, 200), -1)
    wet[30:50, 50:70] = cv2.GaussianBlur(wet[30:50, 50:70], (0, 0), 0.7)
    assert np.abs(wet[30:50, 50:70].astype(int) - TISSUE).max() > 80
    assert np.abs(fill_highlights(wet)[30:50, 50:70].astype(int) - TISSUE).max() < 35


def test_dense_acetowhite_stays_to_its_corners(tissue: np.ndarray) -> None:
    lesion = tissue.copy()
    cv2.rectangle(lesion, (40, 30), (80, 70), ACETOWHITE, -1)
    cv2.circle(lesion, (120, 80), 9, ACETOWHITE, -1)
    assert not find_highlights(lesion).any()
    assert np.array_equal(fill_highlights(lesion), lesion)


def test_a_highlight_on_acetowhite_becomes_acetowhite(tissue: np.ndarray) -> None:
    lesion = tissue.copy()
    cv2.rectangle(lesion, (40, 30), (100, 90), (200, 185, 180), -1)
    wet = lesion.copy()
    cv2.circle(wet, (70, 60), 3, LAMP, -1)
    filled = fill_highlights(wet)
    assert np.abs(filled.astype(int) - lesion).max() <= 2


def test_bright_colours_are_no_highlights(tissue: np.ndarray) -> None:
    spotted = tissue.copy()
    cv2.circle(spotted, (60, 40), 3, (255, 120, 120), -1)
    cv2.circle(spotted, (90, 40), 3, (255, 240, 90), -1)
    assert np.array_equal(fill_highlights(spotted), spotted)


def test_an_image_burnt_out_all_over_is_left_as_it_is() -> None:
    white = np.full((64, 64, 3), 255, dtype=np.uint8)
    assert np.array_equal(fill_highlights(white), white)


def test_filling_repeats_itself_and_leaves_its_input(tissue: np.ndarray) -> None:
    cv2.circle(tissue, (60, 40), 3, LAMP, -1)
    before = tissue.copy()
    first = fill_highlights(tissue)
    assert np.array_equal(first, fill_highlights(tissue))
    assert np.array_equal(tissue, before)
    assert not np.shares_memory(fill_highlights(first), first)


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 image"):
        find_highlights(image)
