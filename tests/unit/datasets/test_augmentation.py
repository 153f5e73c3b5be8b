from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.datasets.augmentation import (
    Augmentation,
    blur_kernel,
    draw_augmentation,
    hue_matrix,
    tone_table,
    warp_channel,
    warp_image,
    warp_target,
)
from colpo_core.datasets.frames import IGNORED
from colpo_core.records.training.settings import AugmentationBounds

USUAL = AugmentationBounds()
EVERYTHING = AugmentationBounds(contrast=0.3, hue_deg=25, blur_px=2)
NOTHING = AugmentationBounds(
    flips=False, rotation_deg=0, zoom_out=1, zoom_in=1, translation=0, brightness=0, gamma=0, contrast=0
)


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_a_draw_depends_on_seed_epoch_and_place_alone() -> None:
    drawn = draw_augmentation(USUAL, seed=1, epoch=2, index=3)
    assert drawn == draw_augmentation(USUAL, seed=1, epoch=2, index=3)
    others = [
        draw_augmentation(USUAL, seed=seed, epoch=epoch, index=index)
        for seed, epoch, index in ((-1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4))
    ]
    assert all(drawn != other for other in others)


def test_draws_stay_within_their_bounds_and_vary() -> None:
    drawn = [draw_augmentation(EVERYTHING, seed=0, epoch=0, index=index) for index in range(300)]
    furthest = {
        "angle_deg": (-20, 20),
        "scale": (0.9, 1.25),
        "shift_x": (-0.08, 0.08),
        "shift_y": (-0.08, 0.08),
        "gain": (1 / 1.2, 1.2),
        "gamma": (1 / 1.18, 1.18),
        "contrast": (1 / 1.3, 1.3),
        "hue_deg": (-25, 25),
        "blur_px": (0, 2),
    }
    for name, (lowest, highest) in furthest.items():
        values = np.array([getattr(one, name) for one in drawn])
        assert values.min() >= lowest
        assert values.max() <= highest
        assert np.ptp(values) > 0.9 * (highest - lowest)
    assert 100 < sum(one.flip_horizontal for one in drawn) < 200
    assert 100 < sum(one.flip_vertical for one in drawn) < 200
    assert 100 < sum(one.gain < 1 for one in drawn) < 200


def test_bounds_of_nothing_draw_nothing() -> None:
    assert all(draw_augmentation(NOTHING, seed=0, epoch=0, index=index) == Augmentation() for index in range(20))


@pytest.mark.parametrize(
    ("off", "fields"),
    [
        ({"flips": False}, {"flip_horizontal", "flip_vertical"}),
        ({"rotation_deg": 0.0}, {"angle_deg"}),
        ({"zoom_out": 1.0, "zoom_in": 1.0}, {"scale"}),
        ({"translation": 0.0}, {"shift_x", "shift_y"}),
        ({"brightness": 0.0}, {"gain"}),
        ({"gamma": 0.0}, {"gamma"}),
        ({"contrast": 0.0}, {"contrast"}),
        ({"hue_deg": 0.0}, {"hue_deg"}),
        ({"blur_px": 0.0}, {"blur_px"}),
        ({"mask_highlights": True}, set()),
    ],
)
def test_an_option_leaves_the_draws_of_the_others(off: dict[str, float], fields: set[str]) -> None:
    changed = set()
    for index in range(10):
        with_all = asdict(draw_augmentation(EVERYTHING, seed=4, epoch=1, index=index))
        without = asdict(draw_augmentation(replace(EVERYTHING, **off), seed=4, epoch=1, index=index))
        changed |= {name for name in with_all if with_all[name] != without[name]}
    assert changed == fields


def test_no_augmentation_changes_nothing(rgb: np.ndarray) -> None:
    assert np.array_equal(warp_image(rgb, Augmentation()), rgb)
    assert np.array_equal(warp_channel(rgb[..., 0], Augmentation()), rgb[..., 0])


def test_flips_mirror_exactly(rgb: np.ndarray) -> None:
    assert np.array_equal(warp_image(rgb, Augmentation(flip_horizontal=True)), rgb[:, ::-1])
    assert np.array_equal(warp_image(rgb, Augmentation(flip_vertical=True)), rgb[::-1])


def test_a_shift_moves_right_and_down_and_brings_in_the_outside(rgb: np.ndarray) -> None:
    drawn = Augmentation(shift_x=6 / 60, shift_y=4 / 40)
    moved = warp_image(rgb, drawn)
    assert np.array_equal(moved[4:, 6:], rgb[:-4, :-6])
    assert not moved[:4].any()
    target = warp_target(np.ones((40, 60), dtype=np.uint8), drawn, outside=IGNORED)
    assert (target[:4] == IGNORED).all()
    assert (target[4:, 6:] == 1).all()


@pytest.mark.parametrize("index", range(8))
def test_image_mask_and_channel_keep_together(index: int) -> None:
    mask = np.zeros((96, 128), dtype=np.uint8)
    mask[30:60, 20:70] = 1
    drawn = draw_augmentation(EVERYTHING, seed=5, epoch=0, index=index)
    image = warp_image(np.repeat(255 * mask[..., None], 3, axis=2), drawn)[..., 0] > 100
    channel = warp_channel(255 * mask, drawn) > 127
    target = warp_target(mask, drawn, outside=IGNORED) == 1
    for other in (image, channel):
        assert (other & target).sum() / (other | target).sum() > 0.95
    assert set(np.unique(warp_target(mask, drawn, outside=IGNORED))) <= {0, 1, IGNORED}


def test_brightness_leaves_black_black_and_the_geometry_alone(rgb: np.ndarray) -> None:
    brighter = warp_image(rgb, Augmentation(gain=1.2))
    assert (brighter >= rgb).all()
    assert (brighter[rgb == 0] == 0).all()
    assert brighter.max() == 255
    assert (warp_image(rgb, Augmentation(gain=0.8)) <= rgb).all()


@settings(max_examples=50)
@given(contrast=st.floats(0.4, 2.5), gamma=st.floats(0.5, 2.0))
def test_contrast_keeps_black_white_and_the_order_of_levels(contrast: float, gamma: float) -> None:
    table = tone_table(Augmentation(contrast=contrast, gamma=gamma)).astype(int)
    assert (table[0], table[255]) == (0, 255)
    assert (np.diff(table) >= 0).all()


def test_contrast_spreads_the_middle_or_draws_it_together() -> None:
    levels = np.arange(256)
    more = tone_table(Augmentation(contrast=1.3)).astype(int)
    less = tone_table(Augmentation(contrast=1 / 1.3)).astype(int)
    assert (more[levels < 100] <= levels[levels < 100]).all()
    assert (more[levels > 150] >= levels[levels > 150]).all()
    assert more[137] - more[118] == pytest.approx(1.3 * 19, abs=1)
    assert less[137] - less[118] == pytest.approx(19 / 1.3, abs=1)
    assert abs(more[127] - 127) <= 1


def test_a_turned_hue_keeps_the_luminance_and_greys(rgb: np.ndarray) -> None:
    muted = (rgb // 2 + 64).astype(np.uint8)  # no colour is cut off
    luminance = np.array([0.213, 0.715, 0.072])
    turned = warp_image(muted, Augmentation(hue_deg=30))
    assert np.abs((turned.astype(float) - muted) @ luminance).max() < 1
    assert np.abs(turned.astype(int) - muted).max() > 20
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert np.array_equal(warp_image(grey, Augmentation(hue_deg=30)), grey)


def test_a_hue_turned_by_a_third_makes_green_of_red() -> None:
    turned = hue_matrix(Augmentation(hue_deg=120)) @ np.array([1.0, 0.0, 0.0])
    assert turned[1] > max(turned[0], turned[2])
    assert hue_matrix(Augmentation()) == pytest.approx(np.eye(3), abs=1e-6)


def test_blur_evens_out_and_keeps_the_mean(rgb: np.ndarray) -> None:
    soft = warp_image(rgb, Augmentation(blur_px=1.5))
    assert soft.std() < 0.5 * rgb.std()
    assert soft.mean() == pytest.approx(rgb.mean(), abs=2)
    assert np.array_equal(warp_image(rgb, Augmentation(blur_px=0.1)), rgb)


def test_a_kernel_is_odd_sums_to_one_and_stays_within_a_small_image() -> None:
    for blur_px in (0.0, 0.1, 0.2, 1.0, 50.0):
        kernel = blur_kernel(Augmentation(blur_px=blur_px))
        assert len(kernel) % 2 == 1
        assert len(kernel) < 64
        assert kernel.sum() == pytest.approx(1)
