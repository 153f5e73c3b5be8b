"""Agreement of two annotators' masks, neither of which is the truth: Dice, IoU, kappa, distance of their outlines.

Unlike `masks`, which holds a prediction against a reference, every figure here is the same in either order.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import mean_by_patients
from colpo_core.evaluation.kappa import pixel_kappa
from colpo_core.evaluation.outlines import outline_distance_px
from colpo_core.records.agreement import PairFigures
from colpo_core.records.statistics.figures import Bounds, Estimate

__all__ = ["PairFigures", "mean_over_patients", "pair_figures"]


def pair_figures(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairFigures:
    """How two masks agree.

    Two empty masks agree: Dice and IoU are 1 and the distance is 0; kappa is not defined, because chance would agree as
    well. Of one empty mask Dice, IoU and kappa are 0 and the distance is not defined. `n_empty` says so, for whoever
    counts such pairs apart. The distance of the outlines is that of `outline_distance_px`.

    Args:
        first: H x W bool.
        second: H x W bool of the same size.

    Raises:
        ValueError: The two are not bool masks of one size.

    Source: Dice 1945; Jaccard 1912; Cohen 1960.
    """
    if first.shape != second.shape or first.ndim != 2 or first.size == 0:
        raise ValueError(f"two masks of one size, not {first.shape} and {second.shape}")
    if first.dtype != np.bool_ or second.dtype != np.bool_:
        raise ValueError(f"masks are bool, not {first.dtype} and {second.dtype}")
    n_first, n_second = int(np.count_nonzero(first)), int(np.count_nonzero(second))
    if n_first + n_second == 0:
        return PairFigures(dice=1.0, iou=1.0, hd95_px=0.0, kappa=None, n_empty=2)
    n_both = int(np.count_nonzero(first & second))
    return PairFigures(
        dice=2 * n_both / (n_first + n_second),
        iou=n_both / (n_first + n_second - n_both),
        hd95_px=outline_distance_px(first, second),
        kappa=pixel_kappa(n_both=n_both, n_first=n_first, n_second=n_second, n_pixels=first.size),
        n_empty=int(n_first == 0) + int(n_second == 0),
    )


@lru_cache(maxsize=512)
def mean_over_patients(
    values: tuple[float, ...], patients: tuple[int, ...], *, within: Bounds = (0.0, 1.0)
) -> Estimate:
    """The mean of one value an image, with its interval by patients; kept, because a page asks at every click.

    Args:
        values: One an image.
        patients: Patient of each.
        within: The least and the largest value that the figure can take.

    Raises:
        ValueError: There are not as many patients as values.
    """
    return mean_by_patients(values, patients, within=within)
