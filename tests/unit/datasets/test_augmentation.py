import numpy as np
import pytest

from colpo_core.datasets.augmentation import (
    Augmentation,
    draw_augmentation,
    warp_channel,
    warp_image,
    warp_target,
)
from colpo_core.datasets.frames import IGNORED


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_a_draw_depends_on_seed_epoch_and_place_alone() -> None:
    drawn = draw_augmentation(seed=1, epoch=2, index=3)
    assert drawn == draw_augmentation(seed=1, epoch=2, index=3)
    others = [
        draw_augmentation(seed=seed, epoch=epoch, index=index)
        for seed, epoch, index in ((-1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4))
    ]
    assert all(drawn != other for other in others)


def test_draws_stay_within_their_bounds_and_vary() -> None:
    drawn = [draw_augmentation(seed=0, epoch=0, index=index) for index in range(300)]
    assert all(abs(one.angle_deg) <= 20 and 0.9 <= one.scale <= 1.25 and abs(one.shift_x) <= 0.08 for one in drawn)
    assert all(0.8 <= one.gain <= 1.2 and 0.85 <= one.gamma <= 1.18 for one in drawn)
    assert 100 < sum(one.flip_horizontal for one in drawn) < 200
    assert 100 < sum(one.flip_vertical for one in drawn) < 200


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
    drawn = draw_augmentation(seed=5, epoch=0, index=index)
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
