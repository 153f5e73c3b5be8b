"""What an image looks like in a few figures, and what there is to ask about it: is its stage right, is it a cervix?

The figures are medians and shares over the lit part of an image at one size, in shares of each pixel's own brightness,
so that neither resolution nor exposure moves them. A threshold stands in the gap between what the photographs of
cervices show and what is asked about; `benchmarks/image_questions.py` measures both sides. Nothing is decided here:
what crosses a threshold is asked of a person.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.images.quality_figures import at_one_size, sharpness_of
from colpo_core.terms import ImageQuestion, Stage

_DARKEST, _BRIGHTEST = 40, 235  # grey levels: below lies the surround, above the glare
_FEWEST_PIXELS = 50
_COMMONEST = 4

# The words after each threshold: the extremes of 256 photographs after acetic acid (AnnoCerv, 85 patients).
IODINE_ABOVE = 0.12  # green minus blue; at most 0.05
NO_IODINE_BELOW = 0.06
GREEN_ABOVE = -0.10  # green minus red; at most -0.17
NO_GREEN_BELOW = -0.15
GREY_BELOW = 0.12  # spread of the colours; at least 0.31
TISSUE_BELOW = 0.5  # share in which red is the strongest; at least 0.88
DARK_BELOW = 70.0  # brightest hundredth; at least 147
BRIGHT_ABOVE = 200.0  # median of the weakest colour; at most 143
BLURRED_BELOW = -3.9  # sharpness; at least -3.39, and after a blur of 0.7% of the side -3.77 to -4.34
DRAWN_ABOVE = 0.93  # share of the four commonest colours; at most 0.53
SMALL_BELOW_PX = 200


@dataclass(frozen=True)
class ImageLooks:
    """Figures of one image.

    Attributes:
        green_minus_blue: Median over the lit pixels, as a share of the pixel's brightest colour: high after iodine.
        green_minus_red: Likewise: high behind a green filter.
        colourfulness: Ninth decile of the brightest minus the weakest colour, likewise; 0 in a grey image.
        redness: Share of the lit pixels in which red is the strongest colour.
        brightest: Hundredth part of the pixels is brighter than this, 0 to 255.
        palest: Median of each pixel's weakest colour, 0 to 255.
        sharpness: Decimal logarithm of the variance of the grey image's Laplacian.
        flatness: Share of the pixels that have one of the four commonest of 4,096 colours.
    """

    green_minus_blue: float
    green_minus_red: float
    colourfulness: float
    redness: float
    brightest: float
    palest: float
    sharpness: float
    flatness: float


def image_looks(rgb: NDArray[np.uint8]) -> ImageLooks:
    """Measure an image, its longer side brought to 256 pixels.

    Args:
        rgb: H x W x 3 uint8.

    Raises:
        ValueError: It is no such image.
    """
    small = at_one_size(rgb)
    strongest, weakest = small.max(axis=2).astype(np.int16), small.min(axis=2).astype(np.int16)
    lit = (strongest > _DARKEST) & (weakest < _BRIGHTEST)
    if np.count_nonzero(lit) < _FEWEST_PIXELS:
        lit = np.ones_like(lit)
    red, green, blue = small[lit].astype(np.int16).T
    bright = np.maximum(strongest[lit], 1)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
    coarse = (small >> 4).astype(np.int64) @ np.array([256, 16, 1])
    commonest = np.sort(np.bincount(coarse.ravel()))[-_COMMONEST:]
    return ImageLooks(
        green_minus_blue=float(np.median((green - blue) / bright)),
        green_minus_red=float(np.median((green - red) / bright)),
        colourfulness=float(np.percentile((strongest - weakest)[lit] / bright, 90)),
        redness=float(np.mean((red > green) & (red > blue))),
        brightest=float(np.percentile(strongest, 99)),
        palest=float(np.median(weakest)),
        sharpness=sharpness_of(grey),
        flatness=float(commonest.sum() / coarse.size),
    )


def image_questions(looks: ImageLooks, *, stage: Stage, height_px: int, width_px: int) -> tuple[ImageQuestion, ...]:
    """What there is to ask about an image that is filed under a stage.

    What is certainly strange comes alone: of a drawing nobody needs to be asked whether it was stained.
    """
    asked = []
    if min(height_px, width_px) < SMALL_BELOW_PX:
        asked.append(ImageQuestion.SMALL)
    strange = _strange(looks, stage)
    if strange is not None:
        return (*asked, strange)
    of_stage = _of_stage(looks, stage)
    if of_stage is not None:
        asked.append(of_stage)
    elif stage is not Stage.GREEN_FILTER and looks.redness < TISSUE_BELOW:
        asked.append(ImageQuestion.NO_TISSUE)
    if looks.sharpness < BLURRED_BELOW:
        asked.append(ImageQuestion.BLURRED)
    return tuple(asked)


def _strange(looks: ImageLooks, stage: Stage) -> ImageQuestion | None:
    if looks.brightest < DARK_BELOW:
        return ImageQuestion.DARK
    if looks.palest > BRIGHT_ABOVE:
        return ImageQuestion.BRIGHT
    if looks.flatness > DRAWN_ABOVE:
        return ImageQuestion.DRAWN
    if looks.colourfulness < GREY_BELOW and stage is not Stage.GREEN_FILTER:
        return ImageQuestion.GREY
    return None


def _of_stage(looks: ImageLooks, stage: Stage) -> ImageQuestion | None:
    """Whether the colours contradict the stage."""
    is_green = looks.green_minus_red > GREEN_ABOVE
    is_stained = looks.green_minus_blue > IODINE_ABOVE and not is_green
    if stage is Stage.GREEN_FILTER:
        if looks.colourfulness < GREY_BELOW:  # some devices keep the image behind their filter grey
            return None
        if is_stained:
            return ImageQuestion.IODINE
        return ImageQuestion.NO_GREEN if looks.green_minus_red < NO_GREEN_BELOW else None
    if is_green and looks.redness < TISSUE_BELOW and _is_tinted(looks):
        return ImageQuestion.GREEN_FILTER
    if stage is Stage.LUGOL:
        return ImageQuestion.NO_IODINE if looks.green_minus_blue < NO_IODINE_BELOW else None
    return ImageQuestion.IODINE if is_stained else None


def _is_tinted(looks: ImageLooks) -> bool:
    """Whether green is what is strong, rather than no colour in particular."""
    return looks.green_minus_red > 0 or looks.green_minus_blue > 0
