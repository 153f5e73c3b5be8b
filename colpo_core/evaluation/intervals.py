"""Intervals: the exact one for a share of independent trials, and by patients for everything that clusters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import beta, binomtest, norm
from scipy.stats import t as student

from colpo_core.evaluation.resampling import patient_weights
from colpo_core.records.statistics.figures import Bounds, Estimate, Proportion

CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST_PATIENTS = 5
"""Behind a mean, for its interval."""
T_BY_PATIENTS = "t-by-patients"
BOOTSTRAP = "bootstrap-by-patients"
_FEWEST_WITH_THE_RARER = 10
# Narrower than this is no interval but rounding: all resamples say the same.
_NO_WIDTH = 1e-12


def exact_share(k: int, n: int, *, alpha: float = 1 - CONFIDENCE) -> Proportion:
    """A share with its exact interval, see `clopper_pearson`.

    The trials must be independent: several images of one patient are not, see `share_by_patients`.

    Args:
        k: Successes.
        n: Trials; 0 gives a proportion without a value.
        alpha: 1 minus the confidence.

    Raises:
        ValueError: k is not between 0 and n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} successes of {n} trials cannot be")
    bounds = clopper_pearson(k, n, alpha=alpha)
    if bounds is None:
        return Proportion(k=0, n=0, value=None, low=None, high=None)
    return Proportion(k=int(k), n=int(n), value=k / n, low=bounds[0], high=bounds[1])


def wilson(k: int, n: int, *, alpha: float = 1 - CONFIDENCE) -> Proportion:
    """A share with its Wilson score interval, which holds the truth in 95 of 100 on average, and in some 84 near 1.

    Newcombe's intervals of differences are made of it. The trials must be independent.

    Args:
        k: Successes.
        n: Trials; 0 gives a proportion without a value.
        alpha: 1 minus the confidence.

    Raises:
        ValueError: k is not between 0 and n.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} successes of {n} trials cannot be")
    if n == 0:
        return Proportion(k=0, n=0, value=None, low=None, high=None)
    bounds = binomtest(int(k), int(n)).proportion_ci(confidence_level=1 - alpha, method="wilson")
    # The exact bound is 0 at k = 0 and 1 at k = n; floating point misses it by a hair.
    low = 0.0 if k == 0 else max(0.0, float(bounds.low))
    high = 1.0 if k == n else min(1.0, float(bounds.high))
    return Proportion(k=int(k), n=int(n), value=k / n, low=low, high=high)


def clopper_pearson(k: int, n: int, *, alpha: float = 1 - CONFIDENCE) -> tuple[float, float] | None:
    """The exact interval of a share of independent trials, never narrower than it claims; None without trials.

    Args:
        k: Successes.
        n: Trials.
        alpha: 1 minus the confidence.

    Source: Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the
        binomial".
    """
    if n == 0:
        return None
    bounds = binomtest(int(k), int(n)).proportion_ci(confidence_level=1 - alpha, method="exact")
    return float(bounds.low), float(bounds.high)


def patient_bootstrap(
    statistic: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    patients: Sequence[int],
    *,
    seed: int = 0,
    n: int = RESAMPLES,
) -> Estimate:
    """A statistic with the 95% percentile interval of a bootstrap that draws whole patients with replacement.

    Images of one patient resemble each other, so they are drawn together. Resamples in which the statistic is not
    defined (NaN) are passed over; where that is more than half of them, or there is one patient, no interval is given.
    Nor is there one where all resamples say the same (all IoU 1, all HSIL ranked above all normal): the bootstrap
    cannot see what it never drew, and would claim certainty from a handful of patients.

    Args:
        statistic: From weights of shape (resamples, rows), how often each row counts, to the statistic of each
            resample, shape (resamples,), NaN where it is not defined.
        patients: Patient of each row.
        seed: Seed of the draw.
        n: How many resamples.

    Source: Efron and Tibshirani 1993, section 13.3; Field and Welsh 2007 for drawing clusters.
    """
    n_rows, n_patients = len(patients), len(set(patients))
    value = float(statistic(np.ones((1, n_rows)))[0]) if n_rows else float("nan")
    if np.isnan(value):
        return Estimate(value=None, low=None, high=None, n_patients=n_patients, n_images=n_rows)
    bounds: tuple[float, float] | None = None
    if n_patients > 1:
        drawn = patient_weights(patients, resamples=n, generator=np.random.default_rng(seed))
        bounds = percentile_bounds(np.concatenate([statistic(weights) for weights in drawn]))
    line = Estimate(value=value, low=None, high=None, n_patients=n_patients, n_images=n_rows)
    if bounds is None:
        return replace(
            line, missing="1 patient" if n_patients == 1 else f"{n_patients} patients, whose resamples say the same"
        )
    return replace(line, low=bounds[0], high=bounds[1], method=BOOTSTRAP)


def percentile_bounds(drawn: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """The percentile interval of a statistic's resamples; None where they carry none, see `patient_bootstrap`.

    Args:
        drawn: The statistic of each resample, NaN where it is not defined.
    """
    defined = drawn[~np.isnan(drawn)]
    if len(defined) <= len(drawn) / 2:
        return None
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return (float(low), float(high)) if high - low > _NO_WIDTH else None


def mean_by_patients(
    values: Sequence[float] | npt.NDArray[np.float64],
    patients: Sequence[int],
    *,
    within: Bounds | None = None,
) -> Estimate:
    """The mean of one value a row, with an interval that minds that several rows may come from one patient.

    See `ratio_by_patients`. Each row counts alike, as in the mean itself.

    Args:
        values: One a row.
        patients: Patient of each row.
        within: The least and the largest value that the figure can take, such as (0, 1) for a share of pixels; without
            it the interval ends at -1 and 1 where all values lie between them, as differences of shares do.

    Raises:
        ValueError: There are not as many patients named as there are values, or a value lies outside `within`.

    Source: see `ratio_by_patients`.
    """
    rows = np.asarray(values, np.float64)
    _check(rows, patients)
    if within is not None and len(rows) and not within[0] <= rows.min() <= rows.max() <= within[1]:
        raise ValueError(f"a value lies outside {within[0]} to {within[1]}")
    if within is None and len(rows) and np.abs(rows).max() <= 1:
        return ratio_by_patients(rows, np.ones_like(rows), patients, end=(-1.0, 1.0))
    return ratio_by_patients(rows, np.ones_like(rows), patients, within=within, end=within)


def ratio_by_patients(
    part: npt.NDArray[np.float64],
    whole: npt.NDArray[np.float64],
    patients: Sequence[int],
    *,
    within: Bounds | None = None,
    end: Bounds | None = None,
) -> Estimate:
    """The sum of a column by the sum of another, with an interval from what patients differ in.

    Images of one patient resemble each other, so the variance is that of the patients' sums about what the ratio
    expects of them, and Student's distribution is taken with one degree of freedom fewer than there are patients. Two
    intervals are made of it, and the outer bounds are given: one corrected for skewness, because a mean of values that
    lie near an end is found too near to it more often than not; and one on the logit of the figure's range, where that
    is known.

    Args:
        part: Shape (rows,).
        whole: Shape (rows,), not below 0; ones for a mean.
        patients: Patient of each row.
        within: The least and the largest value that the ratio can take.
        end: Where the interval ends.

    Returns:
        Without an interval, and with the reason, below `FEWEST_PATIENTS` patients, or where all patients say the same.

    Source: Cochran 1977, "Sampling techniques", section 6.3, for the variance of a ratio of sums; Hall 1992, "On the
        removal of skewness by transformation", for the correction; `benchmarks/interval_coverage.py` for how the two
        together cover.
    """
    distinct, group = np.unique(np.asarray(patients), return_inverse=True)
    count = len(distinct)
    total = float(whole.sum())
    if total <= 0:
        return Estimate(value=None, low=None, high=None, n_patients=count, n_images=len(part))
    value = float(part.sum()) / total
    line = Estimate(value=value, low=None, high=None, n_patients=count, n_images=len(part))
    if count < FEWEST_PATIENTS:
        return replace(line, missing=few_patients(count))
    apart = np.bincount(group, part - value * whole, count)
    bounds = spread_bounds(value, apart / total, within=within, end=end)
    if bounds is None:
        return replace(line, missing=f"{count} patients, who all say the same")
    return replace(line, low=bounds[0], high=bounds[1], method=T_BY_PATIENTS)


def few_patients(count: int) -> str | None:
    """The sentence in place of the interval of a mean; None where there are patients enough."""
    if count >= FEWEST_PATIENTS:
        return None
    return f"{count} patient{'' if count == 1 else 's'}, and it takes {FEWEST_PATIENTS}"


def spread_bounds(
    value: float,
    apart: npt.NDArray[np.float64],
    *,
    within: Bounds | None = None,
    end: Bounds | None = None,
    alpha: float = 1 - CONFIDENCE,
) -> Bounds | None:
    """The interval of a figure from what each patient adds to it; None where none adds anything.

    Args:
        value: The figure.
        apart: Shape (patients,): what each adds to the figure's distance from what it is the estimate of; sums to 0.
        within: The least and the largest value that the figure can take: then the logit interval is taken as well.
        end: Where the interval ends.
        alpha: 1 minus the confidence.

    Source: see `ratio_by_patients`.
    """
    count = len(apart)
    square = float((apart**2).sum())
    if square <= _NO_WIDTH**2:
        return None
    error = (square * count / (count - 1)) ** 0.5
    far = float(student.isf(alpha / 2, count - 1))
    skewness = float((apart**3).mean() / (apart**2).mean() ** 1.5) / count**0.5
    low, high = value - error * _unskewed(far, skewness), value - error * _unskewed(-far, skewness)
    if within is not None and isfinite(within[1] - within[0]) and within[0] < value < within[1]:
        least, width = within[0], within[1] - within[0]
        share = (value - least) / width
        step = far * error / width / (share * (1 - share))
        low = min(low, least + width * float(expit(logit(share) - step)))
        high = max(high, least + width * float(expit(logit(share) + step)))
    return (low, high) if end is None else (max(end[0], low), min(end[1], high))


def _unskewed(quantile: float, skewness: float) -> float:
    """The quantile of a mean in standard errors, of Student's in a distribution that is as skew as this.

    Source: Hall 1992, the inverse of his cubic transformation.
    """
    if abs(skewness) < _NO_WIDTH:
        return quantile
    return 3 / skewness * (float(np.cbrt(1 + skewness * (quantile - skewness / 6))) - 1)


def share_by_patients(
    trials: npt.ArrayLike,
    patients: Sequence[int],
) -> Proportion:
    """A share whose interval minds that several trials may come from one patient.

    Where no patient has two trials it is the exact one. Else it is the exact one for as many independent trials as
    would know as much as these do, fewer still by what Student's distribution has beyond the normal one. Where fewer
    than ten patients have the rarer outcome, how alike a patient's trials are cannot be told, and they count as one.

    Args:
        trials: Shape (rows, 2): 1 where a row is a trial, and 1 where it is a success; 0 elsewhere.
        patients: Patient of each row.

    Returns:
        Without an interval, and with the reason, where several trials come from one patient alone.

    Raises:
        ValueError: There are not as many patients named as there are rows.

    Source: Clopper and Pearson 1934; Korn and Graubard 1998, "Confidence intervals for proportions with small expected
        number of positive counts estimated from survey data".
    """
    rows = np.asarray(trials, np.float64).reshape(-1, 2)
    _check(rows, patients)
    is_counted = rows[:, 0] > 0
    counted, succeeded = rows[is_counted].T
    distinct, group = np.unique(np.asarray(patients)[is_counted], return_inverse=True)
    share = exact_share(int(succeeded.sum()), int(counted.sum()))
    if share.value is None or len(distinct) == len(counted):
        return share
    if len(distinct) == 1:
        return replace(share, low=None, high=None, missing="1 patient")
    of_patient = np.asarray(np.bincount(group), np.float64)
    right = np.asarray(np.bincount(group, succeeded), np.float64)
    effective, quantile = _effective(share.value, of_patient, right)
    low, high = exact_bounds(share.value, effective, quantile)
    return replace(share, low=low, high=high)


def _effective(
    share: float, of_patient: npt.NDArray[np.float64], right: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """How many independent trials know as much as these, and how many standard errors are too far."""
    total, count = int(of_patient.sum()), len(of_patient)
    normal = float(norm.isf((1 - CONFIDENCE) / 2))
    as_one = total**2 / float((of_patient**2).sum())
    rarer = min(int((right > 0).sum()), int((right < of_patient).sum()))
    if rarer < _FEWEST_WITH_THE_RARER:
        return as_one, normal
    variance = float(((right - share * of_patient) ** 2).sum()) * count / (count - 1) / total**2
    return min(float(total), share * (1 - share) / variance), float(student.isf((1 - CONFIDENCE) / 2, count - 1))


def exact_bounds(share: float, n: float, quantile: float) -> Bounds:
    """The exact interval of a share of so many trials, which need be no whole number.

    Args:
        share: 0 to 1.
        n: Trials, above 0.
        quantile: How many standard errors are too far: where it is more than the normal distribution's, the trials
            count for fewer in proportion.

    Source: Korn and Graubard 1998.
    """
    tail = (1 - CONFIDENCE) / 2
    n *= (float(norm.isf(tail)) / quantile) ** 2
    k = share * n
    low = 0.0 if share <= 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if share >= 1 else float(beta.isf(tail, k + 1, n - k))
    return low, high


def _check(rows: npt.NDArray[np.float64], patients: Sequence[int]) -> None:
    if len(rows) != len(patients):
        raise ValueError(f"{len(rows)} rows, but {len(patients)} patients named")
