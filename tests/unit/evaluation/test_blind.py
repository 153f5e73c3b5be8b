import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.evaluation.blind import BlindReference, blind_reference
from colpo_core.evaluation.masks import blind_figures, blind_pair, mask_figures, segmentation_figures


def rectangle(height: int, width: int, top: float, left: float, bottom: float, right: float) -> np.ndarray:
    """A mask given in shares of the image."""
    mask = np.zeros((height, width), np.bool_)
    mask[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = True
    return mask


def test_the_mean_mask_is_cut_where_it_does_best_on_the_training_side() -> None:
    wide = rectangle(20, 20, 0.2, 0.2, 0.8, 0.8)
    narrow = rectangle(20, 20, 0.4, 0.4, 0.6, 0.6)
    found = blind_reference([wide, wide, narrow], height_px=20, width_px=20)
    # IoU of the wide one: (1 + 1 + 16 / 144) / 3; of the narrow one: (2 * 16 / 144 + 1) / 3.
    assert np.array_equal(found.mean_mask(20, 20), wide)
    # All levels up to two thirds cut the same mask out: the middle one of them.
    assert found.threshold == pytest.approx(1 / 3)
    assert found.area == pytest.approx((144 + 144 + 16) / 3 / 400)
    assert found.n_masks == 3
    mostly_narrow = blind_reference([wide, narrow, narrow], height_px=20, width_px=20)
    assert np.array_equal(mostly_narrow.mean_mask(20, 20), narrow)


def test_masks_of_other_sizes_are_stretched_and_empty_ones_take_no_part() -> None:
    masks = [rectangle(60, 80, 0.25, 0.25, 0.75, 0.75), rectangle(90, 90, 0.25, 0.25, 0.75, 0.75)]
    empty = np.zeros((50, 70), np.bool_)
    found = blind_reference([*masks, empty], height_px=40, width_px=40)
    assert (found.n_masks, found.mean.shape) == (2, (40, 40))
    assert found.area == pytest.approx(0.25)
    over = found.mean_mask(120, 160)
    assert over.shape == (120, 160)
    assert mask_figures(rectangle(120, 160, 0.25, 0.25, 0.75, 0.75), over).iou_acetowhite == pytest.approx(1, abs=0.05)
    assert blind_reference([empty], height_px=40, width_px=40) is None
    assert blind_reference([], height_px=40, width_px=40) is None


@pytest.mark.parametrize(("height", "width"), [(200, 200), (300, 200), (150, 320)])
def test_the_disc_lies_in_the_middle_and_has_the_mean_area(height: int, width: int) -> None:
    disc = BlindReference(np.zeros((2, 2), np.uint8), 0.5, 0.2, 1).disc(height, width)
    assert disc.mean() == pytest.approx(0.2, abs=0.003)
    assert np.array_equal(disc, disc[::-1, ::-1])
    rows, columns = np.nonzero(disc)
    assert (np.ptp(rows), np.ptp(columns)) == (pytest.approx(np.ptp(columns), abs=2), np.ptp(columns))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 8))
def test_no_other_threshold_does_better_on_the_training_side(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    masks = [chance.random((9, 11)) < chance.uniform(0.2, 0.8) for _ in range(count)]
    found = blind_reference(masks, height_px=9, width_px=11)
    if found is None:
        return
    marked = [mask for mask in masks if mask.any()]

    def mean_iou(level: int) -> float:
        mask = found.mean >= level
        return float(np.mean([(truth & mask).sum() / (truth | mask).sum() for truth in marked]))

    chosen = round(found.threshold * 255)
    assert mean_iou(chosen) == pytest.approx(max(mean_iou(level) for level in range(1, 256)))
    assert np.array_equal(found.mean_mask(9, 11), found.mean >= chosen)


def test_a_card_keeps_it_to_the_bit() -> None:
    found = blind_reference([np.random.default_rng(0).random((30, 40)) < 0.4], height_px=32, width_px=24)
    read = BlindReference.from_card(json.loads(json.dumps({"blind_reference": found.to_card()})))
    assert np.array_equal(read.mean, found.mean)
    assert (read.threshold, read.area, read.n_masks) == (found.threshold, found.area, found.n_masks)
    assert BlindReference.from_card({}) is None
    with pytest.raises(ValueError, match="damaged"):
        BlindReference.from_card({"blind_reference": found.to_card() | {"mean": "eA=="}})


def test_a_segmenter_that_draws_the_mean_mask_is_no_better_than_it() -> None:
    """The case that an IoU of 0.44 hid: masks in the middle overlap lesions in the middle."""
    chance = np.random.default_rng(3)
    middle = [rectangle(60, 60, *(0.3 + shift), *(0.7 + shift)) for shift in chance.uniform(-0.1, 0.1, (40, 2))]
    reference = blind_reference(middle[:20], height_px=60, width_px=60)
    rest = middle[20:]
    drawn = [mask_figures(truth, reference.mean_mask(60, 60)) for truth in rest]
    pairs = [blind_pair(truth, reference) for truth in rest]
    patients = [place // 2 for place in range(20)]
    found = blind_figures(drawn, pairs, patients, reference)
    assert found.mean_mask.iou_acetowhite.value > 0.5
    assert found.difference.value == 0
    assert found.difference == found.mean_mask.iou_difference
    assert (found.difference.n_patients, found.difference.n_images) == (10, 20)
    perfect = [mask_figures(truth, truth) for truth in rest]
    better = blind_figures(perfect, pairs, patients, reference)
    assert better.difference.low > 0
    assert better.difference.value == pytest.approx(1 - found.mean_mask.iou_acetowhite.value)
    assert better.disc.dice_difference.value == pytest.approx(1 - (found.disc.dice.value or 0))
    kept = segmentation_figures(perfect, patients, blind=better)
    assert kept.blind == better


def test_images_without_a_lesion_are_in_no_difference_and_their_area_is_a_figure() -> None:
    truth, empty = rectangle(10, 10, 0.2, 0.2, 0.8, 0.8), np.zeros((10, 10), np.bool_)
    reference = blind_reference([truth], height_px=10, width_px=10)
    marked = rectangle(10, 10, 0, 0, 0.5, 0.8)
    figures = [mask_figures(truth, marked), mask_figures(empty, marked), mask_figures(empty, empty)]
    pairs = [blind_pair(one, reference) for one in (truth, empty, empty)]
    found = blind_figures(figures, pairs, [1, 2, 3], reference)
    assert (found.difference.n_images, found.mean_mask.area) == (1, pytest.approx(0.36))
    summed = segmentation_figures(figures, [1, 2, 3], confirmed=[False, True, False])
    assert (summed.lesion_free_area.value, summed.lesion_free_area.n_images) == (pytest.approx(0.4), 1)
    assert (summed.false_area.value, summed.false_area.n_images) == (pytest.approx(0.2), 2)
    with pytest.raises(ValueError, match="as many"):
        segmentation_figures(figures, [1, 2, 3], confirmed=[True])
    with pytest.raises(ValueError, match="as many"):
        blind_figures(figures, pairs[:1], [1, 2, 3], reference)
