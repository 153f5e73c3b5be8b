"""Agreement of two masks, against slow plain code written apart from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from colpo_core.evaluation.agreement import mean_over_patients, pair_figures

sides = st.integers(1, 24)
pairs = st.tuples(sides, sides).flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)


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


@given(pairs)
def test_figures_are_those_of_plain_code(masks: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    first, second = masks
    figures = pair_figures(first, second)
    here, there = set(zip(*np.nonzero(first), strict=True)), set(zip(*np.nonzero(second), strict=True))
    assert figures.n_empty == (not here) + (not there)
    if figures.n_empty == 0:
        assert figures.dice == pytest.approx(2 * len(here & there) / (len(here) + len(there)))
        assert figures.iou == pytest.approx(len(here & there) / len(here | there))
        assert figures.hd95_px == pytest.approx(slow_hd95(first, second), abs=1e-4)
    else:
        agree = 1.0 if figures.n_empty == 2 else 0.0
        assert (figures.dice, figures.iou) == (agree, agree)
        assert figures.hd95_px == (0.0 if figures.n_empty == 2 else None)


@given(pairs)
def test_the_order_does_not_matter_and_a_mask_agrees_with_itself(
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> None:
    first, second = masks
    assert pair_figures(first, second) == pair_figures(second, first)
    itself = pair_figures(first, first)
    assert (itself.dice, itself.iou, itself.hd95_px) == (1.0, 1.0, 0.0)


def test_a_moved_square_is_as_far_as_it_was_moved() -> None:
    first = np.zeros((1984, 2976), np.bool_)
    first[100:200, 2000:2100] = True
    assert pair_figures(first, np.roll(first, 30, axis=1)).hd95_px == pytest.approx(30)


def test_a_few_stray_pixels_do_not_make_the_distance() -> None:
    first = np.zeros((200, 200), np.bool_)
    first[20:120, 20:120] = True
    second = first.copy()
    second[195, 195] = True
    # 1 of 397 boundary pixels is far: beyond the 95th percentile, though not beyond the maximum.
    assert pair_figures(first, second).hd95_px == 0.0
    assert pair_figures(first[:, :190], second[:, :190]).hd95_px == 0.0


def test_the_margin_of_the_image_counts_as_outside() -> None:
    whole = np.ones((40, 60), np.bool_)
    inner = np.zeros((40, 60), np.bool_)
    inner[10:30, 10:50] = True
    assert pair_figures(whole, inner).hd95_px == pytest.approx(slow_hd95(whole, inner))


def test_masks_must_fit_each_other() -> None:
    mask = np.ones((3, 4), np.bool_)
    with pytest.raises(ValueError, match="one size"):
        pair_figures(mask, mask.T)
    with pytest.raises(ValueError, match="one size"):
        pair_figures(mask[:0], mask[:0])
    with pytest.raises(ValueError, match="bool"):
        pair_figures(mask, mask.astype(np.uint8))  # type: ignore[arg-type]


def test_the_mean_has_an_interval_by_patients() -> None:
    values = tuple(np.random.default_rng(0).uniform(0.2, 0.9, 12).repeat(5).tolist())
    clustered = mean_over_patients(values, tuple(np.arange(12).repeat(5).tolist()))
    naive = mean_over_patients(values, tuple(range(60)))
    assert clustered.value == naive.value == pytest.approx(np.mean(values))
    assert (clustered.n_patients, clustered.n_images) == (12, 60)
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)  # type: ignore[operator]
    assert mean_over_patients((), ()).value is None
