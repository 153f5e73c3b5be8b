"""What a pipeline says of an image once something of it is changed: its fourth channel, or a place that is covered.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, for covering a place and
reading what the network says then; here the places are those that a person has outlined, and they are filled from
around, so that no new edge is put into the image.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from colpo_core.images.letterbox import letterbox_mask
from colpo_core.nets.frames import prepare, to_batch
from colpo_core.nets.interfaces import prob_hsil
from colpo_core.nets.pipeline import Pipeline, with_acetowhite

_FILL_RADIUS_PX = 3
_RIM_SHARE = 0.01


@dataclass(frozen=True)
class ChangedPrediction:
    """Calibrated probabilities of HSIL of a changed image, 0 to 1.

    Attributes:
        prob_hsil_3ch: Of the 3-channel network, which sees no mask.
        prob_hsil_4ch: Of the 4-channel network.
    """

    prob_hsil_3ch: float
    prob_hsil_4ch: float


class WhatIfImage:
    """One image, and what its pipeline says of it once it is changed.

    Args:
        pipeline: In eval mode, on any device.
        rgb: HWC uint8 of any size.

    Raises:
        ValueError: The image is not HWC uint8, or the pipeline is in training mode.
    """

    def __init__(self, pipeline: Pipeline, rgb: NDArray[np.uint8]) -> None:
        if pipeline.training:
            raise ValueError("the pipeline is in training mode; call eval() first")
        self._pipeline = pipeline
        self._box, self._geometry = prepare(rgb, pipeline.spec)

    def with_mask(self, mask: NDArray[np.bool_] | None) -> ChangedPrediction:
        """Another mask as the fourth channel, the colours as they are.

        Args:
            mask: H x W bool of the image's size; None for one that is empty.
        """
        spec = self._pipeline.spec
        channel = np.zeros((spec.height_px, spec.width_px), np.float32)
        if mask is not None:
            channel = letterbox_mask(mask, self._geometry).astype(np.float32)
        with torch.inference_mode():
            images = to_batch(self._box, self._pipeline.device)
            acetowhite = torch.from_numpy(channel)[None, None].to(images.device)
            three, four = self._pipeline.classifier_3ch, self._pipeline.classifier_4ch
            logits_3ch = three.logits(three.features(images))
            logits_4ch = four.logits(four.features(with_acetowhite(images, acetowhite)))
        return ChangedPrediction(
            float(prob_hsil(logits_3ch, spec.calibration_3ch)[0]), float(prob_hsil(logits_4ch, spec.calibration_4ch)[0])
        )

    def with_cover(self, mask: NDArray[np.bool_]) -> ChangedPrediction:
        """A place filled from what lies around it; the segmentation is made anew, and both networks see the rest.

        Args:
            mask: H x W bool of the image's size: what is covered, and a narrow rim around it.
        """
        covered = fill_from_around(self._box, letterbox_mask(mask, self._geometry))
        with torch.inference_mode():
            output = self._pipeline(to_batch(covered, self._pipeline.device))
        return ChangedPrediction(float(output.prob_hsil_3ch[0]), float(output.prob_hsil_4ch[0]))


def fill_from_around(rgb: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill a place with the colours around it, by Telea's method; what lies outside of it and its rim stays as it is.

    Args:
        rgb: H x W x 3 uint8.
        inside: H x W bool.
    """
    if not inside.any():
        return rgb
    rim = max(1, round(_RIM_SHARE * max(inside.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    grown = cv2.dilate(inside.astype(np.uint8), kernel)
    return np.asarray(cv2.inpaint(rgb, grown, _FILL_RADIUS_PX, cv2.INPAINT_TELEA), dtype=np.uint8)
