"""Augmentation: what is drawn at random, apart from how it is applied. Imports no torch.

A draw depends on the seed, the epoch and the image's place alone, so that networks with three and with four channels
see the very same images, and a training that starts again sees them too.

Source: Kim et al. 2022, "Augmentation" (random crop, flip, brightness, translation), here drawn after the split.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

MAX_ANGLE_DEG = 20.0
SCALES = (0.9, 1.25)
MAX_SHIFT = 0.08
GAINS = (0.8, 1.2)
GAMMAS = (0.85, 1.18)
_STREAM = 1  # keeps these draws apart from those of the order


@dataclass(frozen=True)
class Augmentation:
    """One draw. The geometry holds for an image and all that lies over it; the brightness for its colours alone.

    Attributes:
        flip_horizontal: Left becomes right.
        flip_vertical: Top becomes bottom.
        angle_deg: Rotation about the centre.
        scale: Enlargement about the centre; above 1 it crops.
        shift_x: Translation to the right, as a share of the width.
        shift_y: Translation downwards, as a share of the height.
        gain: Factor of the brightness.
        gamma: Exponent of the brightness.
    """

    flip_horizontal: bool = False
    flip_vertical: bool = False
    angle_deg: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    gain: float = 1.0
    gamma: float = 1.0


def draw_augmentation(*, seed: int, epoch: int, index: int) -> Augmentation:
    """Draw the augmentation of one image in one epoch.

    Args:
        seed: Seed of the training.
        epoch: From 0.
        index: The image's place in the training set, from 0.
    """
    generator = np.random.default_rng([_STREAM, abs(seed), int(seed < 0), epoch, index])
    flips = generator.random(2) < 0.5
    angle, shift_x, shift_y = generator.uniform(-1, 1, 3)
    scale, gain, gamma = (
        float(np.exp(generator.uniform(*np.log(bounds)))) for bounds in (SCALES, GAINS, GAMMAS)
    )  # in logarithms, so that half and double are as likely
    return Augmentation(
        flip_horizontal=bool(flips[0]),
        flip_vertical=bool(flips[1]),
        angle_deg=float(angle) * MAX_ANGLE_DEG,
        scale=scale,
        shift_x=float(shift_x) * MAX_SHIFT,
        shift_y=float(shift_y) * MAX_SHIFT,
        gain=gain,
        gamma=gamma,
    )


def warp_image(rgb: npt.NDArray[np.uint8], augmentation: Augmentation) -> npt.NDArray[np.uint8]:
    """Apply geometry and brightness to an image; what comes in from outside is black.

    Args:
        rgb: HWC uint8.
        augmentation: What to apply.

    Returns:
        HWC uint8 of the same size.
    """
    bent = _warp(rgb, augmentation, cv2.INTER_LINEAR, border=0)
    # 0 stays 0 under gain and gamma, so padding stays padding.
    levels = 255 * np.clip(augmentation.gain * (np.arange(256) / 255) ** augmentation.gamma, 0, 1)
    return np.asarray(cv2.LUT(bent, np.round(levels).astype(np.uint8)), dtype=np.uint8)


def warp_target(target: npt.NDArray[np.uint8], augmentation: Augmentation, *, outside: int) -> npt.NDArray[np.uint8]:
    """Apply the geometry to a map of classes, which must not blend.

    Args:
        target: HW uint8 of classes.
        augmentation: What to apply.
        outside: The class of what comes in from outside.

    Returns:
        HW uint8 of the same size.
    """
    return _warp(target, augmentation, cv2.INTER_NEAREST, border=outside)


def warp_channel(channel: npt.NDArray[np.uint8], augmentation: Augmentation) -> npt.NDArray[np.uint8]:
    """Apply the geometry to a soft channel; what comes in from outside is 0.

    Args:
        channel: HW uint8.
        augmentation: What to apply.

    Returns:
        HW uint8 of the same size.
    """
    return _warp(channel, augmentation, cv2.INTER_LINEAR, border=0)


def _warp(
    values: npt.NDArray[np.uint8], augmentation: Augmentation, interpolation: int, *, border: int
) -> npt.NDArray[np.uint8]:
    height, width = values.shape[:2]
    bent = cv2.warpAffine(
        values,
        _matrix(augmentation, height, width),
        (width, height),
        flags=interpolation,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    )
    return np.asarray(bent, dtype=np.uint8)


def _matrix(augmentation: Augmentation, height: int, width: int) -> npt.NDArray[np.float64]:
    """2 x 3: where a pixel (x, y) goes. Flip first, then turn and scale about the centre, then shift."""
    angle = np.deg2rad(augmentation.angle_deg)
    turn = augmentation.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flip = np.diag([-1.0 if augmentation.flip_horizontal else 1.0, -1.0 if augmentation.flip_vertical else 1.0])
    linear = turn @ flip
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = np.array([augmentation.shift_x * width, augmentation.shift_y * height])
    offset = centre - linear @ centre + shift
    return np.hstack([linear, offset[:, None]])
