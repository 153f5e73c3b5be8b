"""Agreement of two annotators' masks, neither of which is the truth: Dice, IoU and the distance of their outlines.

Unlike `masks`, which holds a prediction against a reference, every figure here is the same in either order.
"""

from collections.abc import Hashable
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import patient_bootstrap
from colpo_core.records.agreement import PairFigures
from colpo_core.records.figures import Estimate

__all__ = ["PairFigures", "mean_over_patients", "pair_figures"]

PERCENTILE = 95.0
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def pair_figures(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairFigures:
    """How two masks agree.

    The 95th-percentile Hausdorff distance: from each boundary pixel of one mask to the nearest boundary pixel of the
    other (Euclidean, between centres of pixels); the 95th percentile of these distances (linear interpolation), in
    either direction; the larger of the two. A boundary pixel is one of the mask with at least one of its four
    neighbours outside the mask; beyond the margin of the image all is outside.

    Two empty masks agree: Dice and IoU are 1 and the distance is 0. Of one empty mask Dice and IoU are 0 and the
    distance is not defined. `n_empty` says so, for whoever counts such pairs apart.

    Args:
        first: H x W bool.
        second: H x W bool of the same size.

    Raises:
        ValueError: The two are not bool masks of one size.

    Source: Dice 1945; Jaccard 1912; Huttenlocher et al. 1993 for the Hausdorff distance with a quantile in place of
        the maximum; Taha and Hanbury 2015, "Metrics for evaluating 3D medical image segmentation".
    """
    if first.shape != second.shape or first.ndim != 2 or first.size == 0:
        raise ValueError(f"two masks of one size, not {first.shape} and {second.shape}")
    if first.dtype != np.bool_ or second.dtype != np.bool_:
        raise ValueError(f"masks are bool, not {first.dtype} and {second.dtype}")
    union = first | second
    rows, columns = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
    if rows.size == 0:
        return PairFigures(dice=1.0, iou=1.0, hd95_px=0.0, n_empty=2)
    # All that is marked lies in this box, so that the rest of a large image costs nothing.
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    one, other = first[box], second[box]
    n_one, n_other = int(np.count_nonzero(one)), int(np.count_nonzero(other))
    if 0 in (n_one, n_other):
        return PairFigures(dice=0.0, iou=0.0, hd95_px=None, n_empty=1)
    n_both = int(np.count_nonzero(one & other))
    return PairFigures(
        dice=2 * n_both / (n_one + n_other), iou=n_both / (n_one + n_other - n_both), hd95_px=_hd95(one, other)
    )


@lru_cache(maxsize=512)
def mean_over_patients(values: tuple[float, ...], patients: tuple[Hashable, ...], *, seed: int = 0) -> Estimate:
    """The mean of one value an image, with its interval by patients; kept, because drawing it anew takes a while.

    Args:
        values: One an image.
        patients: Patient of each.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: There are not as many patients as values.
    """
    return patient_bootstrap(values, patients, _mean, seed=seed)


def _hd95(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    edges = (_boundary(first), _boundary(second))
    there = np.percentile(_distances_to(edges[1])[edges[0]], PERCENTILE)
    back = np.percentile(_distances_to(edges[0])[edges[1]], PERCENTILE)
    return float(max(there, back))


def _boundary(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    inner = cv2.erode(mask.astype(np.uint8), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,))
    return np.asarray(mask & (inner == 0))


def _distances_to(edge: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Distance of each pixel to the nearest of the edge, exact but for the rounding of 32 bits."""
    found = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(found, np.float64)


def _mean(rows: npt.NDArray[np.float64]) -> float:
    return float(rows.mean())
