"""Simulated cases look the same every time, carry their truth, and do not give it away by brightness."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from colpo_core.labels import GRADE_LABELS
from colpo_core.simulation.cases import SimulatedCase, simulate_case
from colpo_core.terms import Colposcopy, Grade, Label

HEIGHT, WIDTH = 120, 160
N_CASES = 40
N_TINY = 160


@cache
def small_case(seed: int) -> SimulatedCase:
    return simulate_case(seed, height_px=HEIGHT, width_px=WIDTH)


@cache
def tiny_case(seed: int) -> SimulatedCase:
    return simulate_case(seed, height_px=64, width_px=64)


def some_cases(number: int = N_CASES) -> list[SimulatedCase]:
    return [small_case(seed) for seed in range(number)]


def test_the_same_seed_gives_the_same_case() -> None:
    first, second = simulate_case(5, height_px=96, width_px=128), simulate_case(5, height_px=96, width_px=128)
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.native_rgb, second.native_rgb)
    assert np.array_equal(first.mask, second.mask)
    assert (first.grade, first.colposcopy, first.lesion_density, first.seconds_after_acid) == (
        second.grade,
        second.colposcopy,
        second.lesion_density,
        second.seconds_after_acid,
    )


def test_another_seed_gives_another_case() -> None:
    assert not np.array_equal(small_case(1).rgb, small_case(2).rgb)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (64, 64), (200, 111)])
def test_a_case_has_the_size_asked_for(height: int, width: int) -> None:
    case = simulate_case(3, height_px=height, width_px=width)
    assert case.rgb.shape == case.native_rgb.shape == (height, width, 3)
    assert case.rgb.dtype == case.native_rgb.dtype == np.uint8
    assert case.mask.shape == (height, width)
    assert case.mask.dtype == np.bool_


def test_an_image_too_small_for_a_cervix_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="64 pixels"):
        simulate_case(0, height_px=63, width_px=640)


def test_the_mask_says_what_the_record_says() -> None:
    for case in some_cases():
        assert case.mask.any() == (case.lesion_density > 0) == (case.colposcopy is Colposcopy.ABNORMAL)
        assert 0 <= case.lesion_density <= 1
        assert 30 <= case.seconds_after_acid <= 180


def test_lesions_have_the_sizes_of_outlined_ones() -> None:
    shares = [case.mask.mean() for case in some_cases(80) if case.mask.any()]
    assert 0.5 < len(shares) / 80 < 0.9
    assert 0.12 < np.mean(shares) < 0.28
    assert np.min(shares) < 0.06
    assert np.max(shares) > 0.3


def test_acetic_acid_whitens_the_lesion_and_little_else() -> None:
    """The rise of the lesion's green against its surroundings' is what acetic acid does."""
    for case in some_cases():
        if case.lesion_density > 0.4:
            rise = case.rgb[..., 1].astype(float) - case.native_rgb[..., 1]
            assert rise[case.mask].mean() > rise[~case.mask].mean() + 6


def test_labels_come_in_the_mix_of_a_clinic() -> None:
    labels = [GRADE_LABELS[tiny_case(seed).grade] for seed in range(N_TINY)]
    assert 0.48 < labels.count(Label.NORMAL) / N_TINY < 0.63
    assert 0 < labels.count(None) / N_TINY < 0.05


def test_histology_goes_with_what_is_seen_but_not_always() -> None:
    agreements = []
    for seed in range(N_TINY):
        case = tiny_case(seed)
        if case.grade.severity <= Grade.CIN3.severity:
            agreements.append((case.lesion_density > 0.58) == (GRADE_LABELS[case.grade] is Label.HSIL))
    assert 0.84 < np.mean(agreements) < 0.94


def channels(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Grey, red, green, blue and saturation, each H x W uint8."""
    low, high = rgb.min(axis=2).astype(int), rgb.max(axis=2).astype(int)
    saturation = ((high - low) * 255 // np.maximum(high, 1)).astype(np.uint8)
    grey = (rgb @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return [grey, rgb[..., 0], rgb[..., 1], rgb[..., 2], saturation]


def best_threshold_iou(values: NDArray[np.uint8], truth: NDArray[np.bool_]) -> float:
    """IoU of the best single threshold over all pixels together, of either polarity."""
    hits = np.bincount(values[truth], minlength=256).astype(float)
    others = np.bincount(values[~truth], minlength=256).astype(float)
    best = 0.0
    for inside, outside in ((hits, others), (hits[::-1], others[::-1])):
        found = np.cumsum(inside)
        best = max(best, float(np.max(found / (truth.sum() + np.cumsum(outside)))))
    return best


def test_no_global_threshold_finds_the_lesions() -> None:
    cases = some_cases()
    truth = np.concatenate([case.mask.ravel() for case in cases])
    layers = [channels(case.rgb) for case in cases]
    for number in range(5):
        values = np.concatenate([layer[number].ravel() for layer in layers])
        assert best_threshold_iou(values, truth) < 0.5


def test_the_measure_of_thresholds_finds_one_where_it_exists() -> None:
    values = np.array([10, 20, 200, 210, 220], np.uint8)
    assert best_threshold_iou(values, values > 150) == 1.0
    assert best_threshold_iou(values, values < 15) == 1.0
