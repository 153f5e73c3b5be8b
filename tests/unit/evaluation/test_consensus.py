"""Several masks made into one: what must hold of any of them, and both against plain code written apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from colpo_core.evaluation.consensus import STAPLE_MARGIN, combine_masks, staple_masks
from colpo_core.terms import Combination

Masks = list[NDArray[np.bool_]]
sides = st.integers(1, 20)
several = st.tuples(sides, sides, st.integers(1, 5)).flatmap(
    lambda sizes: st.lists(hnp.arrays(np.bool_, sizes[:2]), min_size=sizes[2], max_size=sizes[2])
)


def disc(row: float, column: float, radius: float, *, side: int = 80) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:side, :side]
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 < radius**2)


def three_discs() -> Masks:
    return [disc(40, 40, 18), disc(42, 43, 20), disc(38, 36, 15)]


def slow_staple(masks: Masks) -> NDArray[np.float64]:
    """The equations of the paper on the pixels of the box and its margin, pixel by pixel and until nothing moves."""
    union = np.any(masks, axis=0)
    rows, columns = np.nonzero(union)
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    margins = [(int(np.ceil(side * STAPLE_MARGIN)),) * 2 for side in union[box].shape]
    decisions = np.stack([np.pad(mask[box], margins).ravel() for mask in masks]).astype(np.float64)
    prior = decisions.mean()
    sensitivity, specificity = np.full(len(masks), 0.99999), np.full(len(masks), 0.99999)
    weight = np.zeros(decisions.shape[1])
    for _ in range(100):
        marked, left = sensitivity[:, None], specificity[:, None]
        if_true = prior * np.prod(np.where(decisions == 1, marked, 1 - marked), axis=0)
        if_false = (1 - prior) * np.prod(np.where(decisions == 1, 1 - left, left), axis=0)
        weight = if_true / (if_true + if_false)
        sensitivity = decisions @ weight / weight.sum()
        specificity = (1 - decisions) @ (1 - weight) / (1 - weight).sum()
    shape = [side + before + after for side, (before, after) in zip(union[box].shape, margins, strict=True)]
    inner = weight.reshape(shape)[margins[0][0] : -margins[0][1], margins[1][0] : -margins[1][1]]
    found = np.zeros(union.shape)
    found[box] = inner
    return found


@settings(deadline=None)
@given(several, st.sampled_from(list(Combination)), st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_the_result_lies_between(masks: Masks, how: Combination, chance: object) -> None:
    combined = combine_masks(masks, how)
    shuffled = list(masks)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert np.array_equal(combine_masks(shuffled, how), combined)
    union, intersection = np.any(masks, axis=0), np.all(masks, axis=0)
    assert not np.any(combined & ~union)
    assert not np.any(intersection & ~combined)


@settings(deadline=None)
@given(several, st.sampled_from(list(Combination)), st.integers(1, 4))
def test_identical_masks_give_themselves(masks: Masks, how: Combination, times: int) -> None:
    combined = combine_masks([masks[0]] * times, how)
    assert np.array_equal(combined, masks[0])
    assert not np.shares_memory(combined, masks[0])


@given(several)
def test_votes_are_those_of_plain_code(masks: Masks) -> None:
    share = np.mean(masks, axis=0)
    assert np.array_equal(combine_masks(masks, Combination.MAJORITY), share > 0.5)
    assert np.array_equal(combine_masks(masks, Combination.UNION), share > 0)
    assert np.array_equal(combine_masks(masks, Combination.INTERSECTION), share == 1)


def test_an_even_split_is_background() -> None:
    first, second = np.array([[True, True, False]]), np.array([[True, False, False]])
    assert combine_masks([first, second], Combination.MAJORITY).tolist() == [[True, False, False]]


@pytest.mark.parametrize("masks", [three_discs(), three_discs()[:2], [*three_discs(), disc(44, 40, 21)]])
def test_staple_is_that_of_the_paper(masks: Masks) -> None:
    probability = slow_staple(masks)
    is_clear = np.abs(probability - 0.5) > 1e-6
    assert is_clear.all()
    assert np.array_equal(staple_masks(masks), probability >= 0.5)


def test_staple_trusts_the_reliable_more_than_a_majority_does() -> None:
    """Four that agree and one who paints elsewhere: his lesion stays out, and it does not spoil theirs."""
    masks = [disc(30, 30, 14), disc(30, 31, 14), disc(31, 30, 14), disc(30, 30, 13), disc(60, 60, 10)]
    found = staple_masks(masks)
    assert not found[60, 60]
    assert found[30, 30]


def scattered(seed: int) -> Masks:
    """Small masks of noise, as different from each other as can be."""
    chance = np.random.default_rng(seed)
    height, width = chance.integers(4, 16, 2)
    return [chance.random((height, width)) < chance.random() for _ in range(chance.integers(2, 6))]


@pytest.mark.parametrize("masks", [three_discs(), scattered(3), scattered(5), scattered(6)])
def test_staple_knows_neither_the_size_of_the_image_nor_the_place_in_it(masks: Masks) -> None:
    height, width = masks[0].shape
    wide = [np.pad(mask, ((20, 180), (300, 10))) for mask in masks]
    assert np.array_equal(staple_masks(wide)[20 : 20 + height, 300 : 300 + width], staple_masks(masks))


def test_staple_stays_between_intersection_and_union_where_the_estimate_would_not() -> None:
    masks = scattered(1450)
    union = np.any(masks, axis=0)
    probability = slow_staple(masks)
    assert np.any((probability >= 0.5) & ~union) or np.any((probability < 0.5) & np.all(masks, axis=0))
    found = staple_masks(masks)
    assert not np.any(found & ~union)
    assert not np.any(np.all(masks, axis=0) & ~found)


def test_staple_ends_on_masks_that_have_nothing_in_common() -> None:
    chance = np.random.default_rng(0)
    masks = [chance.random((64, 64)) < 0.5 for _ in range(3)]
    found = staple_masks(masks)
    assert np.all(found <= np.any(masks, axis=0))


def test_staple_with_an_empty_mask_among_them() -> None:
    empty = np.zeros((80, 80), np.bool_)
    assert not staple_masks([empty, empty]).any()
    found = staple_masks([*three_discs(), empty])
    assert found[40, 40]


@pytest.mark.parametrize("how", list(Combination))
def test_masks_must_fit_each_other(how: Combination) -> None:
    mask = np.ones((3, 4), np.bool_)
    with pytest.raises(ValueError, match="at least one"):
        combine_masks([], how)
    with pytest.raises(ValueError, match="one size"):
        combine_masks([mask, mask.T], how)
    with pytest.raises(ValueError, match="bool"):
        combine_masks([mask.astype(np.uint8)], how)  # type: ignore[list-item]
