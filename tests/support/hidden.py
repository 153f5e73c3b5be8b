"""Snapshots in which the truth about the mask is known: the picture hides what the mask tells, or neither tells."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from colpo_core.datasets.frames import ACETOWHITE, Frames
from colpo_core.terms import Label
from tests.support.blobs import SIDE_PX, Blobs, blobs

_RADIUS_PX = {Label.NORMAL: 7, Label.HSIL: 24}


def hidden_lesions(counts: tuple[int, int, int], *, telling: bool, seed: int = 0) -> Blobs:
    """Pictures of pure noise, with a mask that no picture shows.

    Args:
        counts: Patients on train, validation and test.
        telling: Whether the mask is large for `hsil` and small for `normal`; else its size is drawn by itself.
        seed: Seed of the noise and of the masks.
    """
    some, generator = blobs(counts), np.random.default_rng(seed)
    images, masks = {}, {}
    for item in some.manifest.items:
        noise = generator.normal(128, 6, (SIDE_PX, SIDE_PX, 3))
        images[item.image_sha256] = np.clip(noise, 0, 255).astype(np.uint8)
        drawn = Label.HSIL if generator.integers(2) else Label.NORMAL
        radius_px = _RADIUS_PX[item.label or Label.NORMAL] if telling else _RADIUS_PX[drawn]
        centre = generator.integers(24, SIDE_PX - 24, 2).tolist()
        mask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
        cv2.circle(mask, centre, radius_px + int(generator.integers(-2, 3)), 1, -1)
        masks[str(item.mask_sha256)] = mask > 0
    return replace(some, images=images, masks=masks)


def expert_channel(frames: Frames) -> npt.NDArray[np.uint8]:
    """The experts' masks in place of a segmenter's, N x H x W uint8."""
    return (frames.target == ACETOWHITE).astype(np.uint8) * np.uint8(255)
