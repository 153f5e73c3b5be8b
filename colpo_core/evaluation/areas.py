"""One area under the ROC curve and its interval, which covers where DeLong's does not: few cases, and near 0 or 1."""

from collections.abc import Callable, Hashable, Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from colpo_core.evaluation.few import too_few
from colpo_core.evaluation.placements import placements
from colpo_core.records.statistics.comparisons import AreaInterval
from colpo_core.records.statistics.figures import Bounds

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]

CONFIDENCE = 0.95
NEWCOMBE_5 = "newcombe-5"
NEWCOMBE_5_BY_PATIENTS = "newcombe-5-by-patients"
# Placements are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24
_STEP = 1e-9


def newcombe_variance(area: float, n_positive: float, n_negative: float) -> float:
    """Variance of an area under the ROC curve if it were this, with so many independent cases.

    Args:
        area: 0 to 1.
        n_positive: Cases with the condition.
        n_negative: Cases without.

    Source: Hanley and McNeil 1982 for exponential ratings; Newcombe 2006, method 5, which puts the mean of the two
        numbers, less one, in the place of either.
    """
    middle = (n_positive + n_negative) / 2 - 1
    spread = 1 + middle * ((1 - area) / (2 - area) + area / (1 + area))
    return float(area * (1 - area) * spread / (n_positive * n_negative))


def newcombe_5(
    area: float, n_positive: float, n_negative: float, *, inflation: float = 1.0, quantile: float | None = None,
    alpha: float = 1 - CONFIDENCE,
) -> Bounds:  # fmt: skip
    """Newcombe's interval of an area under the ROC curve: all areas that the one found is not too far from.

    How far is too far is told by the variance at the area in question, not at the one found. So the interval is
    not symmetrical, never leaves 0 to 1, and tells something where all cases are ranked right.

    Args:
        area: The area found, 0 to 1; ties between cases have counted half in it.
        n_positive: Cases with the condition, at least one.
        n_negative: Cases without, at least one.
        inflation: What the variance is multiplied by.
        quantile: How many standard errors are too far; those of the normal distribution when None.
        alpha: 1 minus the confidence.

    Source: Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
        Part 2: asymptotic methods and evaluation", Statistics in Medicine 25, method 5.
    """
    far = float(norm.isf(alpha / 2)) if quantile is None else quantile

    def beyond(bound: float) -> float:
        return abs(bound - area) - far * sqrt(inflation * newcombe_variance(bound, n_positive, n_negative))

    # At 0 and 1 the variance is 0; at the area found the distance is. Between them there is one root, or none.
    low = 0.0 if area <= 0 else _root(beyond, 0.0, area)
    high = 1.0 if area >= 1 else _root(beyond, area, 1.0)
    return low, high


def area_variances(of_positive: _Floats, of_negative: _Floats) -> float | None:
    """DeLong's variance of the mean placement of independent cases; None with fewer than two of a class.

    Source: DeLong, DeLong and Clarke-Pearson 1988.
    """
    if min(len(of_positive), len(of_negative)) < 2:
        return None
    return float(of_positive.var(ddof=1) / len(of_positive) + of_negative.var(ddof=1) / len(of_negative))


def clustered_variance(
    of_positive: _Floats,
    of_negative: _Floats,
    patients_positive: Sequence[Hashable],
    patients_negative: Sequence[Hashable],
) -> float | None:
    """Variance of the mean placement where a patient may stand behind several cases, of either class or of both.

    Args:
        of_positive: Shape (positive cases,): placements, or differences of two.
        of_negative: Shape (negative cases,).
        patients_positive: Patient of each positive case.
        patients_negative: Patient of each negative case.

    Returns:
        Not below 0; None where a class comes from fewer than two patients.

    Source: Obuchowski 1997, "Nonparametric analysis of clustered ROC curve data", Biometrics 53.
    """
    index_of = {
        patient: number for number, patient in enumerate(dict.fromkeys([*patients_positive, *patients_negative]))
    }
    sums = np.zeros((2, len(index_of)))
    counted = []
    for row, (values, patients) in enumerate(((of_positive, patients_positive), (of_negative, patients_negative))):
        np.add.at(sums[row], [index_of[patient] for patient in patients], (values - values.mean()) / len(values))
        counted.append(len(set(patients)))
    if min(counted) < 2:
        return None
    n_positive, n_negative = counted
    variance = float(
        n_positive / (n_positive - 1) * (sums[0] ** 2).sum()
        + n_negative / (n_negative - 1) * (sums[1] ** 2).sum()
        + 2 * len(index_of) / (len(index_of) - 1) * (sums[0] * sums[1]).sum()
    )
    return max(variance, 0.0)


def area_interval(
    is_positive: _Bools,
    scores: _Floats,
    patients: Sequence[Hashable] | None = None,
    *,
    alpha: float = 1 - CONFIDENCE,
) -> AreaInterval:
    """One area under the ROC curve with Newcombe's interval, by patients where they stand behind several cases.

    Newcombe's variance is that of ratings whose spread in the two classes is alike; where DeLong's is larger, the
    interval is widened in its proportion. With several cases a patient Obuchowski's variance takes DeLong's place, the
    interval is widened by its proportion to DeLong's at least, and Student's distribution is taken with one degree of
    freedom fewer than there are patients of the smaller class. Where such cases are all ranked right, no variance can
    be had, and the cases of a patient count as one.

    Args:
        is_positive: Shape (cases,): whether each has the condition.
        scores: Shape (cases,), higher for positive.
        patients: Patient of each case; all are of different patients when None.
        alpha: 1 minus the confidence.

    Returns:
        Without bounds, and with the reason, below `FEWEST_FOR_AN_INTERVAL` cases (or patients) of a class.

    Raises:
        ValueError: The columns are not of one length.

    Source: Newcombe 2006, method 5; DeLong et al. 1988; Obuchowski 1997. `benchmarks/interval_coverage.py` for what
        was added and how it covers.
    """
    if len(is_positive) != len(scores) or (patients is not None and len(patients) != len(scores)):
        raise ValueError("labels, scores and patients must be of one length")
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if min(n_positive, n_negative) == 0:
        return AreaInterval(None, None, None, missing="it takes cases of both classes")
    of_positive, of_negative = placements(is_positive, scores)
    area = float(of_positive.mean())
    clustered = patients is not None and len(set(patients)) < len(patients)
    if not clustered or patients is None:
        missing = too_few(n_positive, n_negative)
        if missing is not None:
            return AreaInterval(area, None, None, missing=missing)
        independent = area_variances(of_positive, of_negative)
        inflation = _inflation(independent, newcombe_variance(area, n_positive, n_negative))
        low, high = newcombe_5(area, n_positive, n_negative, inflation=inflation, alpha=alpha)
        return AreaInterval(area, low, high, method=NEWCOMBE_5)
    of = [[patients[index] for index in np.flatnonzero(side).tolist()] for side in (is_positive, ~is_positive)]
    by_class = [len(set(of_class)) for of_class in of]
    missing = too_few(*by_class, of="patients")
    if missing is not None:
        return AreaInterval(area, None, None, missing=missing)
    together = clustered_variance(of_positive, of_negative, of[0], of[1])
    low, high = newcombe_5(
        area,
        n_positive,
        n_negative,
        inflation=clustered_inflation(
            area, together, area_variances(of_positive, of_negative), (n_positive, n_negative), by_class
        ),
        quantile=float(student.isf(alpha / 2, min(by_class) - 1)),
    )
    return AreaInterval(area, low, high, method=NEWCOMBE_5_BY_PATIENTS)


def clustered_inflation(
    area: float,
    together: float | None,
    independent: float | None,
    n_cases: Sequence[int],
    n_patients: Sequence[int],
) -> float:
    """What Newcombe's variance is multiplied by where a patient stands behind several cases.

    Args:
        area: The area found.
        together: `clustered_variance`.
        independent: `area_variances` of the same.
        n_cases: Positive and negative cases.
        n_patients: Patients behind either.
    """
    if together is None or together <= _NO_VARIANCE:
        return newcombe_variance(0.5, *n_patients) / newcombe_variance(0.5, *n_cases)
    inflation = _inflation(together, newcombe_variance(area, *n_cases))
    return inflation if independent is None else max(inflation, _inflation(together, independent))


def _inflation(variance: float | None, assumed: float) -> float:
    return 1.0 if variance is None or assumed <= _NO_VARIANCE else max(1.0, variance / assumed)


def _root(beyond: Callable[[float], float], low: float, high: float) -> float:
    """Where the distance from the area equals what is allowed, between the area and the end that it is looked for."""
    start, end = (low, high) if beyond(low) > 0 else (high, low)
    # `end` is the area itself; where it is 0 or 1 there is neither distance nor variance, and a step inside there is.
    if beyond(end) >= 0:
        end += (start - end) * _STEP
    if beyond(end) >= 0 or beyond(start) <= 0:
        return end
    return float(brentq(beyond, start, end, xtol=1e-13, rtol=1e-13))
