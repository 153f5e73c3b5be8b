"""Augmentation: what is drawn at random, apart from how it is applied. Imports no torch.

A draw depends on the seed, the epoch and the image's place alone, so that networks with three and with four channels
see the very same images, and a training that starts again sees them too. Every option has its own number among those
drawn for an image, so that switching one on leaves the others' draws as they were.

What is applied here image by image (OpenCV) is applied in `batched_warp` to a whole batch; the two share the matrix of
the geometry, the table of the tones, the matrix of the hue and the kernel of the blur.

Source: Kim et al. 2022, "Augmentation" (random crop, flip, brightness, translation), here drawn after the split.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from colpo_core.records.training.settings import AugmentationBounds

_STREAM = 1  # keeps these draws apart from those of the order
_DRAWS = ("flip_x", "flip_y", "angle", "shift_x", "shift_y", "scale", "gain", "gamma", "contrast", "hue", "blur")
"""The number that each option takes, in their order; a new option goes to the end."""
_LEAST_BLUR_PX = 0.2  # below it the neighbours' weights round to nothing
_KERNEL_REACH = 3.0  # standard deviations
_LONGEST_REACH_PX = 31  # mirrored at the border it must lie within the smallest image of 64 pixels


@dataclass(frozen=True)
class Augmentation:
    """One draw. The geometry holds for an image and all that lies over it; the rest for its colours alone.

    Attributes:
        flip_horizontal: Left becomes right.
        flip_vertical: Top becomes bottom.
        angle_deg: Rotation about the centre.
        scale: Enlargement about the centre; above 1 it crops.
        shift_x: Translation to the right, as a share of the width.
        shift_y: Translation downwards, as a share of the height.
        gain: Factor of the brightness.
        gamma: Exponent of the brightness.
        contrast: Slope of the tones at the middle of their range; black and white stay.
        hue_deg: Rotation of the hue; the luminance stays.
        blur_px: Standard deviation of the blur in pixels.
    """

    flip_horizontal: bool = False
    flip_vertical: bool = False
    angle_deg: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    gain: float = 1.0
    gamma: float = 1.0
    contrast: float = 1.0
    hue_deg: float = 0.0
    blur_px: float = 0.0

    @property
    def blurs(self) -> bool:
        """Whether the blur is wide enough to change anything."""
        return self.blur_px >= _LEAST_BLUR_PX


def draw_augmentation(bounds: AugmentationBounds, *, seed: int, epoch: int, index: int) -> Augmentation:
    """Draw the augmentation of one image in one epoch.

    Args:
        bounds: How far it may go.
        seed: Seed of the training.
        epoch: From 0.
        index: The image's place in the training set, from 0.
    """
    generator = np.random.default_rng([_STREAM, abs(seed), int(seed < 0), epoch, index])
    share = dict(zip(_DRAWS, generator.random(len(_DRAWS)).tolist(), strict=True))
    return Augmentation(
        flip_horizontal=bounds.flips and share["flip_x"] < 0.5,
        flip_vertical=bounds.flips and share["flip_y"] < 0.5,
        angle_deg=_either_way(share["angle"], bounds.rotation_deg),
        scale=_by_factor(share["scale"], bounds.zoom_out, bounds.zoom_in),
        shift_x=_either_way(share["shift_x"], bounds.translation),
        shift_y=_either_way(share["shift_y"], bounds.translation),
        gain=_about_one(share["gain"], bounds.brightness),
        gamma=_about_one(share["gamma"], bounds.gamma),
        contrast=_about_one(share["contrast"], bounds.contrast),
        hue_deg=_either_way(share["hue"], bounds.hue_deg),
        blur_px=share["blur"] * bounds.blur_px,
    )


def warp_image(rgb: npt.NDArray[np.uint8], augmentation: Augmentation) -> npt.NDArray[np.uint8]:
    """Apply geometry, blur, tones and hue to an image, in this order; what comes in from outside is black.

    Args:
        rgb: HWC uint8.
        augmentation: What to apply.

    Returns:
        HWC uint8 of the same size.
    """
    image = _warp(rgb, augmentation, cv2.INTER_LINEAR, border=0)
    if augmentation.blurs:
        side = len(blur_kernel(augmentation))
        image = np.asarray(cv2.GaussianBlur(image, (side, side), augmentation.blur_px), dtype=np.uint8)
    image = np.asarray(cv2.LUT(image, tone_table(augmentation)), dtype=np.uint8)
    if augmentation.hue_deg:
        image = np.asarray(cv2.transform(image, hue_matrix(augmentation)), dtype=np.uint8)
    return image


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


def affine_matrix(augmentation: Augmentation, *, height_px: int, width_px: int) -> npt.NDArray[np.float64]:
    """2 x 3: where a pixel (x, y) goes. Flip first, then turn and scale about the centre, then shift."""
    angle = np.deg2rad(augmentation.angle_deg)
    turn = augmentation.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flip = np.diag([-1.0 if augmentation.flip_horizontal else 1.0, -1.0 if augmentation.flip_vertical else 1.0])
    linear = turn @ flip
    centre = np.array([(width_px - 1) / 2, (height_px - 1) / 2])
    shift = np.array([augmentation.shift_x * width_px, augmentation.shift_y * height_px])
    offset = centre - linear @ centre + shift
    return np.hstack([linear, offset[:, None]])


def tone_table(augmentation: Augmentation) -> npt.NDArray[np.uint8]:
    """256 uint8: gain, gamma and contrast of every level, in one table.

    The contrast is y = x^c / (x^c + (1 - x)^c): slope c in the middle, and 0 and 1 stay where they are, so that
    padding stays black and nothing is cut off. It looks at no image, so that a table is right for a batch too.
    """
    tones = np.clip(augmentation.gain * (np.arange(256) / 255) ** augmentation.gamma, 0, 1)
    if augmentation.contrast != 1:
        risen, rest = tones**augmentation.contrast, (1 - tones) ** augmentation.contrast
        tones = risen / (risen + rest)
    return np.round(255 * tones).astype(np.uint8)


def hue_matrix(augmentation: Augmentation) -> npt.NDArray[np.float32]:
    """3 x 3 for (red, green, blue): turns the hue about the grey axis and keeps the luminance.

    Source: W3C, "Filter Effects Module Level 1", feColorMatrix of type hueRotate.
    """
    angle = math.radians(augmentation.hue_deg)
    luminance = np.array([[0.213, 0.715, 0.072]] * 3)
    turned = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    matrix = luminance + math.cos(angle) * (np.eye(3) - luminance) + math.sin(angle) * turned
    return np.asarray(matrix, dtype=np.float32)


def blur_kernel(augmentation: Augmentation) -> npt.NDArray[np.float64]:
    """The weights of the blur along one side, of odd length and with sum 1; a single 1 where nothing blurs."""
    if not augmentation.blurs:
        return np.ones(1)
    reach_px = min(_LONGEST_REACH_PX, math.ceil(_KERNEL_REACH * augmentation.blur_px))
    return np.asarray(cv2.getGaussianKernel(2 * reach_px + 1, augmentation.blur_px), dtype=np.float64)[:, 0]


def _warp(
    values: npt.NDArray[np.uint8], augmentation: Augmentation, interpolation: int, *, border: int
) -> npt.NDArray[np.uint8]:
    height, width = values.shape[:2]
    bent = cv2.warpAffine(
        values,
        affine_matrix(augmentation, height_px=height, width_px=width),
        (width, height),
        flags=interpolation,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    )
    return np.asarray(bent, dtype=np.uint8)


def _either_way(share: float, furthest: float) -> float:
    return (2 * share - 1) * furthest


def _about_one(share: float, spread: float) -> float:
    return _by_factor(share, 1 / (1 + spread), 1 + spread)


def _by_factor(share: float, lowest: float, highest: float) -> float:
    """In logarithms, so that half and double are as likely."""
    return float(lowest * (highest / lowest) ** share)
