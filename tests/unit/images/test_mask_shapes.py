import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.images.mask_shapes import doubt_of, is_outline
from colpo_core.simulation.cases import simulate_case
from colpo_core.terms import MaskDoubt


def ellipse(height: int, width: int, *, thickness: int, shrink: float = 0.3, turn: float = 20) -> np.ndarray:
    canvas = np.zeros((height, width), np.uint8)
    axes = (round(width * shrink), round(height * shrink * 0.7))
    cv2.ellipse(canvas, (width // 2, height // 2), axes, turn, 0, 360, 1, thickness)
    return canvas.astype(bool)


@pytest.mark.parametrize(("height", "width"), [(200, 300), (600, 800), (1500, 2000)])
@pytest.mark.parametrize("pen", [0.003, 0.006, 0.01])
def test_an_outline_that_was_not_filled_is_asked_about(height: int, width: int, pen: float) -> None:
    line = ellipse(height, width, thickness=max(1, round(pen * width)))
    assert doubt_of(line) is MaskDoubt.OUTLINE
    assert doubt_of(line, is_line=True) is None
    assert doubt_of(ellipse(height, width, thickness=-1)) is None


def test_an_open_curve_is_asked_about_and_small_regions_are_not() -> None:
    curve = np.zeros((400, 500), np.uint8)
    cv2.ellipse(curve, (250, 200), (120, 90), 0, 30, 310, 1, 4)
    assert is_outline(curve.astype(bool))
    dots = np.zeros((400, 500), np.uint8)
    for place in range(60, 400, 60):
        cv2.circle(dots, (place, 200), 9, 1, -1)
    assert not is_outline(dots.astype(bool))
    ring = ellipse(400, 500, thickness=60)
    assert doubt_of(ring) is None  # a broad ring round the os is a lesion


def test_a_region_with_a_line_beside_it_is_a_region() -> None:
    both = ellipse(400, 500, thickness=-1, shrink=0.15)
    both[20, 20:300] = True
    assert doubt_of(both) is None


def test_nothing_everything_and_inside_out() -> None:
    assert doubt_of(np.zeros((60, 80), bool)) is MaskDoubt.EMPTY
    assert doubt_of(np.ones((60, 80), bool)) is MaskDoubt.LARGE
    inside_out = ~ellipse(300, 400, thickness=-1)
    assert doubt_of(inside_out) is MaskDoubt.INVERTED
    large = np.zeros((300, 400), bool)
    large[:, :260] = True
    assert doubt_of(large) is MaskDoubt.LARGE
    assert doubt_of(large, is_large=True) is None
    assert doubt_of(large[:, :240] | np.zeros((300, 240), bool)) is MaskDoubt.LARGE


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 5000))
def test_true_masks_of_simulated_lesions_are_not_asked_about(seed: int) -> None:
    mask = simulate_case(seed, height_px=240, width_px=320).mask
    assert doubt_of(mask) in (None, MaskDoubt.EMPTY)
