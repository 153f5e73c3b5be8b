"""Several annotators' masks made into one: by majority, by STAPLE, all that anybody marked, what all marked.

Whichever way: the order of the masks does not matter, identical masks give themselves, and so does one alone. What
all have marked is in the result, and nothing that nobody has.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from colpo_core.terms import Combination

RULES_VERSION = "consensus.1"
STAPLE_ITERATIONS = 100
STAPLE_CONFIDENCE = 1.0
STAPLE_THRESHOLD = 0.5
STAPLE_MARGIN = 0.25


def combine_masks(masks: Sequence[npt.NDArray[np.bool_]], combination: Combination) -> npt.NDArray[np.bool_]:
    """Combine masks of one image.

    - Majority: a pixel that strictly more than half of the masks mark. An even split is background, so of two
      masks the majority is what both mark.
    - STAPLE: see `staple_masks`.
    - Union and intersection: what anybody marks, and what all mark.

    Args:
        masks: At least one, each H x W bool, all of one size.
        combination: How.

    Returns:
        H x W bool, an array of its own.

    Raises:
        ValueError: There is no mask, or they are not bool masks of one size.
    """
    _check(masks)
    if combination is Combination.STAPLE:
        return staple_masks(masks)
    votes = _votes(masks)
    least = {
        Combination.MAJORITY: len(masks) // 2 + 1,
        Combination.UNION: 1,
        Combination.INTERSECTION: len(masks),
    }[combination]
    return np.asarray(votes >= least)


def staple_masks(masks: Sequence[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    """The mask that is most probably behind several, each weighed by how reliable it turns out to be.

    Expectation and maximisation in turn estimate the sensitivity and specificity of each mask and the probability of
    each pixel; foreground is a probability of 0.5 and more. Where all masks are the same or empty there is nothing to
    estimate.

    The prior probability of foreground is the mean of the masks over the region looked at, so the result depends on
    it: with much empty background around, specificity is near 1 whatever is painted. The region is the box around
    all that is marked, with a margin of a quarter of its height above and below and a quarter of its width on either
    side (empty beyond the image), so neither the size of the image nor the place of the lesion in it matters.

    It ends after 100 iterations, because on masks that have nothing in common it might not end otherwise. Pixels
    that all have marked stay, and those that nobody has marked stay out, whatever was estimated.

    Args:
        masks: At least one, each H x W bool, all of one size.

    Raises:
        ValueError: There is no mask, or they are not bool masks of one size.

    Source: Warfield, Zou and Wells 2004, "Simultaneous truth and performance level estimation (STAPLE)"; the
        implementation is SimpleITK's STAPLEImageFilter with a confidence weight of 1.
    """
    _check(masks)
    votes = _votes(masks)
    union, intersection = votes > 0, votes == len(masks)
    if np.array_equal(union, intersection):
        return np.asarray(union)
    rows, columns = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    combined = np.zeros_like(union)
    combined[box] = _staple_probability([mask[box] for mask in masks]) >= STAPLE_THRESHOLD
    return np.asarray((combined & union) | intersection)


def _staple_probability(boxes: list[npt.NDArray[np.bool_]]) -> npt.NDArray[np.float64]:
    """Probability of foreground of each pixel, H x W; the boxes are cut to what is marked."""
    # It takes long to import, and most who import this never call it.
    import SimpleITK

    sitk: Any = SimpleITK  # it names its types for only some of its functions
    margins = [(int(np.ceil(side * STAPLE_MARGIN)),) * 2 for side in boxes[0].shape]
    # One order of the masks, whichever they came in: sums of floating point depend on it.
    ordered = sorted((np.pad(box, margins).astype(np.uint8) for box in boxes), key=lambda box: box.tobytes())
    staple = sitk.STAPLEImageFilter()
    staple.SetForegroundValue(1.0)
    staple.SetMaximumIterations(STAPLE_ITERATIONS)
    staple.SetConfidenceWeight(STAPLE_CONFIDENCE)
    staple.SetNumberOfThreads(1)
    probability = sitk.GetArrayFromImage(staple.Execute([sitk.GetImageFromArray(box) for box in ordered]))
    (top, bottom), (left, right) = margins
    return np.asarray(probability[top:-bottom, left:-right], np.float64)


def _votes(masks: Sequence[npt.NDArray[np.bool_]]) -> npt.NDArray[np.uint16]:
    votes = np.zeros(masks[0].shape, np.uint16)
    for mask in masks:
        votes += mask
    return votes


def _check(masks: Sequence[npt.NDArray[np.bool_]]) -> None:
    if not masks:
        raise ValueError("at least one mask is needed")
    for mask in masks:
        if mask.dtype != np.bool_ or mask.ndim != 2 or mask.size == 0 or mask.shape != masks[0].shape:
            raise ValueError(f"masks are bool and of one size, not {mask.dtype} of shape {mask.shape}")
