import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from colpo_core.evaluation.start_shares import StartShares, start_shares
from tests.support.masks import mask_pairs


@given(mask_pairs(12))
def test_the_shares_are_those_of_the_sets_of_pixels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    start, final = ({(int(y), int(x)) for y, x in np.argwhere(mask)} for mask in pair)
    shares = start_shares(*pair)
    assert shares.kept == (len(start & final) / len(start) if start else None)
    assert shares.added == (len(final - start) / len(final) if final else None)


@given(mask_pairs(12))
def test_what_was_kept_and_what_was_added_make_the_mask(pair: tuple[np.ndarray, np.ndarray]) -> None:
    start, final = pair
    shares = start_shares(start, final)
    kept_px = (shares.kept or 0) * np.count_nonzero(start)
    added_px = (shares.added or 0) * np.count_nonzero(final)
    assert kept_px + added_px == pytest.approx(np.count_nonzero(final))


@given(arrays(np.bool_, (5, 7)))
def test_a_mask_left_as_it_was_is_kept_whole(mask: np.ndarray) -> None:
    shares = start_shares(mask, mask)
    assert (shares.kept, shares.added) == ((1.0, 0.0) if mask.any() else (None, None))


def test_from_nothing_all_is_added_and_to_nothing_none_is_kept() -> None:
    empty, full = np.zeros((3, 4), np.bool_), np.ones((3, 4), np.bool_)
    assert start_shares(empty, full) == StartShares(kept=None, added=1.0)
    assert start_shares(full, empty) == StartShares(kept=0.0, added=None)


@pytest.mark.parametrize(
    "other",
    [np.zeros((4, 3), np.bool_), np.zeros((3, 4), np.uint8), np.zeros(12, np.bool_)],
    ids=["size", "type", "1d"],
)
def test_masks_that_do_not_belong_together_are_a_programmers_mistake(other: np.ndarray) -> None:
    with pytest.raises(ValueError):
        start_shares(np.zeros((3, 4), np.bool_), other)
