"""Agreement of two masks, against slow plain code written apart from it."""

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from colpo_core.evaluation.agreement import mean_over_patients, pair_figures
from colpo_core.evaluation.outlines import outline_distance_px
from tests.support.masks import mask_pairs


@given(mask_pairs(24))
def test_figures_are_those_of_plain_code(masks: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    first, second = masks
    figures = pair_figures(first, second)
    here, there = set(zip(*np.nonzero(first), strict=True)), set(zip(*np.nonzero(second), strict=True))
    assert figures.n_empty == (not here) + (not there)
    if figures.n_empty == 0:
        assert figures.dice == pytest.approx(2 * len(here & there) / (len(here) + len(there)))
        assert figures.iou == pytest.approx(len(here & there) / len(here | there))
        assert figures.hd95_px == outline_distance_px(first, second)
        assert (figures.kappa is None) == (bool(first.all()) and bool(second.all()))
        if figures.kappa is not None:
            assert figures.kappa == pytest.approx(cohen_kappa_score(first.ravel(), second.ravel()))
    else:
        agree = 1.0 if figures.n_empty == 2 else 0.0
        assert (figures.dice, figures.iou) == (agree, agree)
        assert figures.kappa == (None if figures.n_empty == 2 else 0.0)
        assert figures.hd95_px == (0.0 if figures.n_empty == 2 else None)


@given(mask_pairs(24))
def test_the_order_does_not_matter_and_a_mask_agrees_with_itself(
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> None:
    first, second = masks
    assert pair_figures(first, second) == pair_figures(second, first)
    itself = pair_figures(first, first)
    assert (itself.dice, itself.iou, itself.hd95_px) == (1.0, 1.0, 0.0)


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
