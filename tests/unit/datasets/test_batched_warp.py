import numpy as np
import pytest
import torch

from colpo_core.datasets.augmentation import Augmentation, draw_augmentation, warp_channel, warp_image, warp_target
from colpo_core.datasets.batched_warp import batched_warp
from colpo_core.datasets.frames import IGNORED
from colpo_core.records.training.settings import AugmentationBounds
from colpo_core.simulation.cases import simulate_case

EVERYTHING = AugmentationBounds(rotation_deg=180, contrast=0.3, hue_deg=30, blur_px=2)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """B x H x W x 4 uint8: colours, and a soft channel."""
    drawn = [simulate_case(seed, height_px=72, width_px=96).rgb for seed in range(6)]
    return np.stack([np.dstack([rgb, 255 - rgb[..., 1]]) for rgb in drawn])


@pytest.fixture(scope="module")
def target() -> np.ndarray:
    """B x H x W uint8 with all three classes."""
    return np.random.default_rng(0).choice([0, 1, IGNORED], (6, 12, 16)).repeat(6, 1).repeat(6, 2).astype(np.uint8)


def by_batch(images: np.ndarray, target: np.ndarray, drawn: list[Augmentation]) -> tuple[np.ndarray, np.ndarray]:
    warped, classes = batched_warp(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(target), drawn)
    assert warped.dtype == torch.float32
    assert classes.dtype == torch.int64
    return warped.permute(0, 2, 3, 1).numpy(), classes.numpy()


def by_opencv(images: np.ndarray, target: np.ndarray, drawn: list[Augmentation]) -> tuple[np.ndarray, np.ndarray]:
    warped = [
        np.dstack([warp_image(np.ascontiguousarray(image[..., :3]), one), warp_channel(image[..., 3].copy(), one)])
        for image, one in zip(images, drawn, strict=True)
    ]
    classes = [warp_target(one, how, outside=IGNORED) for one, how in zip(target, drawn, strict=True)]
    return np.stack(warped).astype(float), np.stack(classes)


@pytest.mark.parametrize(
    "bounds",
    [
        AugmentationBounds(),
        AugmentationBounds(contrast=0.5),
        AugmentationBounds(hue_deg=40),
        AugmentationBounds(blur_px=3),
        EVERYTHING,
    ],
    ids=["usual", "contrast", "hue", "blur", "everything"],
)
def test_a_batch_is_what_opencv_makes_of_each_image(
    images: np.ndarray, target: np.ndarray, bounds: AugmentationBounds
) -> None:
    drawn = [draw_augmentation(bounds, seed=3, epoch=0, index=index) for index in range(6)]
    warped, classes = by_batch(images, target, drawn)
    wanted, wanted_classes = by_opencv(images, target, drawn)
    off = np.abs(warped - wanted)
    assert (off <= 2).mean() > 0.99
    assert off.mean() < 0.1
    assert (classes != wanted_classes).mean() < 0.005
    assert (np.abs(images - wanted) > 2).mean() > 0.5  # and it is not because nothing was done


def test_what_comes_in_from_outside_is_black_and_ignored(images: np.ndarray) -> None:
    drawn = [Augmentation(shift_x=0.25, gain=1.2, contrast=0.7, hue_deg=20)] * 6
    warped, classes = by_batch(images, np.ones(images.shape[:3], dtype=np.uint8), drawn)
    assert not warped[:, :, :24].any()
    assert (classes[:, :, :24] == IGNORED).all()
    assert (classes[:, :, 24:] == 1).all()


def test_each_image_has_its_own_draw_and_flips_are_exact(images: np.ndarray, target: np.ndarray) -> None:
    drawn = [Augmentation(), Augmentation(flip_horizontal=True), Augmentation(flip_vertical=True)] * 2
    warped, classes = by_batch(images, target, drawn)
    assert np.array_equal(warped[0], images[0])
    assert np.array_equal(warped[4], images[4, :, ::-1])
    assert np.array_equal(warped[2], images[2, ::-1])
    assert np.array_equal(classes[4], target[4, :, ::-1])


def test_three_channels_get_what_four_get(images: np.ndarray, target: np.ndarray) -> None:
    drawn = [draw_augmentation(EVERYTHING, seed=3, epoch=0, index=index) for index in range(6)]
    four, _ = by_batch(images, target, drawn)
    three, _ = by_batch(np.ascontiguousarray(images[..., :3]), target, drawn)
    assert np.array_equal(three, four[..., :3])


def test_whole_levels_come_out(images: np.ndarray, target: np.ndarray) -> None:
    drawn = [draw_augmentation(EVERYTHING, seed=9, epoch=0, index=index) for index in range(6)]
    warped, _ = by_batch(images, target, drawn)
    assert np.array_equal(warped, warped.round())
    assert warped.min() >= 0
    assert warped.max() <= 255


def test_a_draw_too_few_is_refused(images: np.ndarray, target: np.ndarray) -> None:
    with pytest.raises(ValueError, match="5 draws"):
        by_batch(images, target, [Augmentation()] * 5)
