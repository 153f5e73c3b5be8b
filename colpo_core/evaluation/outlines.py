"""How far apart the outlines of two masks are."""

import cv2
import numpy as np
import numpy.typing as npt

PERCENTILE = 95.0
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def outline_distance_px(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float | None:
    """The 95th-percentile Hausdorff distance of two masks in pixels; None where either marks nothing.

    From each boundary pixel of one mask to the nearest boundary pixel of the other (Euclidean, between centres of
    pixels); the 95th percentile of these distances (linear interpolation), in either direction; the larger of the two.
    A boundary pixel is one of the mask with at least one of its four neighbours outside the mask; beyond the margin of
    the image all is outside.

    Args:
        first: H x W bool.
        second: H x W bool of the same size.

    Source: Huttenlocher et al. 1993 for the Hausdorff distance with a quantile in place of the maximum; Taha and
        Hanbury 2015, "Metrics for evaluating 3D medical image segmentation".
    """
    if not (first.any() and second.any()):
        return None
    union = first | second
    rows, columns = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
    # All that is marked lies in this box, so that the rest of a large image costs nothing.
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    edges = _boundary(first[box]), _boundary(second[box])
    there = np.percentile(_distances(edges[0], edges[1]), PERCENTILE)
    back = np.percentile(_distances(edges[1], edges[0]), PERCENTILE)
    return float(max(there, back))


def _boundary(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    inner = cv2.erode(mask.astype(np.uint8), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,))
    return np.asarray(mask & (inner == 0))


def _distances(edge: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Distance of each pixel of an edge to the nearest of the other."""
    distances = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[edge]
    # In 32 bits the last digit depends on where the array lies in memory. A squared distance is a whole number.
    return np.asarray(np.sqrt(np.rint(np.square(distances, dtype=np.float64))))
