"""Distance of two outlines, against slow plain code written apart from it."""

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from colpo_core.evaluation.outlines import outline_distance_px
from tests.support.masks import mask_pairs


def boundary(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Each marked pixel that has a neighbour which is not, one by one."""
    height, width = mask.shape

    def is_in(row: int, column: int) -> bool:
        return 0 <= row < height and 0 <= column < width and bool(mask[row, column])

    return [
        (row, column)
        for row in range(height)
        for column in range(width)
        if mask[row, column]
        and not all(is_in(row + down, column + right) for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)))
    ]


def slow_hd95(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    one, other = np.array(boundary(first), float), np.array(boundary(second), float)
    apart = np.linalg.norm(one[:, None] - other[None], axis=2)
    return float(max(np.percentile(apart.min(axis=1), 95), np.percentile(apart.min(axis=0), 95)))


@given(mask_pairs(24))
def test_the_distance_is_that_of_plain_code(masks: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    first, second = masks
    found = outline_distance_px(first, second)
    if first.any() and second.any():
        assert found == pytest.approx(slow_hd95(first, second), abs=1e-12)
        assert found == outline_distance_px(second, first)
        assert outline_distance_px(first, first) == 0.0
    else:
        assert found is None


def test_a_moved_square_is_as_far_as_it_was_moved() -> None:
    first = np.zeros((1984, 2976), np.bool_)
    first[100:200, 2000:2100] = True
    assert outline_distance_px(first, np.roll(first, 30, axis=1)) == pytest.approx(30)


def test_a_few_stray_pixels_do_not_make_the_distance() -> None:
    first = np.zeros((200, 200), np.bool_)
    first[20:120, 20:120] = True
    second = first.copy()
    second[195, 195] = True
    # 1 of 397 boundary pixels is far: beyond the 95th percentile, though not beyond the maximum.
    assert outline_distance_px(first, second) == 0.0
    assert outline_distance_px(first[:, :190], second[:, :190]) == 0.0


def test_the_margin_of_the_image_counts_as_outside() -> None:
    whole = np.ones((40, 60), np.bool_)
    inner = np.zeros((40, 60), np.bool_)
    inner[10:30, 10:50] = True
    assert outline_distance_px(whole, inner) == pytest.approx(slow_hd95(whole, inner))
