"""DeLong's test and interval of areas under the ROC curve."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from colpo_core.evaluation.intervals import CONFIDENCE
from colpo_core.evaluation.placements import placements
from colpo_core.records.statistics.comparisons import AucInterval, DeLongTest
from colpo_core.terms import Label

_Floats = npt.NDArray[np.float64]
# Placements are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24


def delong(
    truth: Sequence[Label], first: Sequence[float], second: Sequence[float], *, alpha: float = 1 - CONFIDENCE
) -> DeLongTest:
    """DeLong's test of two areas under the ROC curve on the same cases.

    Cases must be independent: one row a patient. In few cases, and near an area of 1, its normal distribution is a
    rough guess; see `evaluation.few`. The interval ends at -1 and 1.

    Args:
        truth: Label of each case.
        first: The first's score of each case, higher for HSIL.
        second: The second's.
        alpha: 1 minus the interval's confidence.

    Returns:
        The difference is second minus first; its bounds, z and p are None where its variance is 0 or cannot be had
        (fewer than two cases of a label).

    Raises:
        ValueError: The three are not of one length.

    Source: DeLong, DeLong and Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
        characteristic curves"; computed with midranks after Sun and Xu 2014, "Fast implementation of DeLong's
        algorithm".
    """
    if not len(truth) == len(first) == len(second):
        raise ValueError(f"{len(truth)} cases, but {len(first)} and {len(second)} scores")
    is_hsil = _is_hsil(truth)
    if is_hsil.all() or not is_hsil.any():
        return DeLongTest(*[None] * 7)
    placed = [placements(is_hsil, np.asarray(scores, np.float64)) for scores in (first, second)]
    auc_first, auc_second = (float(hsil.mean()) for hsil, _ in placed)
    difference = auc_second - auc_first
    error = _standard_error(placed[1][0] - placed[0][0], placed[1][1] - placed[0][1])
    if error is None:
        return DeLongTest(auc_first, auc_second, difference, None, None, None, None)
    z, far = difference / error, float(norm.isf(alpha / 2)) * error
    return DeLongTest(
        auc_first=auc_first,
        auc_second=auc_second,
        difference=difference,
        low=max(-1.0, difference - far),
        high=min(1.0, difference + far),
        z=z,
        p=float(2 * norm.sf(abs(z))),
    )


def delong_interval(truth: Sequence[Label], probs: Sequence[float], *, alpha: float = 1 - CONFIDENCE) -> AucInterval:
    """An area under the ROC curve with DeLong's interval, cut off at 0 and 1: for comparison with other programs.

    It covers too little in few cases and near an area of 1. `areas.area_interval` is what is shown.

    Cases must be independent: one row a patient.

    Args:
        truth: Label of each case.
        probs: Score of each case, higher for HSIL.
        alpha: 1 minus the confidence.

    Returns:
        Without bounds where the variance is 0 (all HSIL rank above all normal) or cannot be had.

    Raises:
        ValueError: The two are not of one length.

    Source: DeLong et al. 1988; Sun and Xu 2014.
    """
    if len(truth) != len(probs):
        raise ValueError(f"{len(truth)} cases, but {len(probs)} scores")
    is_hsil = _is_hsil(truth)
    if is_hsil.all() or not is_hsil.any():
        return AucInterval(None, None, None)
    hsil, normal = placements(is_hsil, np.asarray(probs, np.float64))
    area, error = float(hsil.mean()), _standard_error(hsil, normal)
    if error is None:
        return AucInterval(area, None, None)
    far = float(norm.isf(alpha / 2)) * error
    return AucInterval(area, max(0.0, area - far), min(1.0, area + far))


def _is_hsil(labels: Sequence[Label]) -> npt.NDArray[np.bool_]:
    return np.asarray([label is Label.HSIL for label in labels], np.bool_)


def _standard_error(of_hsil: _Floats, of_normal: _Floats) -> float | None:
    """Of a mean placement (or difference of two), from the placements of either label."""
    if min(len(of_hsil), len(of_normal)) < 2:
        return None
    variance = float(of_hsil.var(ddof=1) / len(of_hsil) + of_normal.var(ddof=1) / len(of_normal))
    return variance**0.5 if variance > _NO_VARIANCE else None
