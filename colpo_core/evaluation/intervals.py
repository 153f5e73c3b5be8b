"""Intervals: Wilson's for a share of independent trials, a bootstrap over patients for everything that clusters."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from colpo_core.evaluation.resampling import divided, patient_weights
from colpo_core.records.figures import Estimate, Proportion

CONFIDENCE = 0.95
RESAMPLES = 2000
# Narrower than this is no interval but rounding: all resamples say the same.
_NO_WIDTH = 1e-12


def wilson(k: int, n: int, *, alpha: float = 1 - CONFIDENCE) -> Proportion:
    """A share with its Wilson score interval, of 95% unless another confidence is asked for.

    The trials must be independent: several images of one patient are not, see `share_by_patients`.

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
    low, high = bounds if bounds is not None else (None, None)
    return Estimate(value=value, low=low, high=high, n_patients=n_patients, n_images=n_rows)


def percentile_bounds(drawn: npt.NDArray[np.float64], *, alpha: float = 1 - CONFIDENCE) -> tuple[float, float] | None:
    """The percentile interval of a statistic's resamples; None where they carry none, see `patient_bootstrap`.

    Args:
        drawn: The statistic of each resample, NaN where it is not defined.
        alpha: 1 minus the confidence.
    """
    defined = drawn[~np.isnan(drawn)]
    if len(defined) <= len(drawn) / 2:
        return None
    tail = 100 * alpha / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return (float(low), float(high)) if high - low > _NO_WIDTH else None


def mean_by_patients(
    values: Sequence[float] | npt.NDArray[np.float64], patients: Sequence[int], *, seed: int = 0, n: int = RESAMPLES
) -> Estimate:
    """The mean of one value a row, with its interval by `patient_bootstrap`.

    Raises:
        ValueError: There are not as many patients named as there are values.
    """
    rows = np.asarray(values, np.float64)
    _check(rows, patients)
    return patient_bootstrap(lambda weights: divided(weights @ rows, weights.sum(axis=1)), patients, seed=seed, n=n)


def share_by_patients(
    trials: npt.ArrayLike, patients: Sequence[int], *, seed: int = 0, n: int = RESAMPLES
) -> Proportion:
    """A share whose interval minds that several trials may come from one patient.

    Wilson's interval takes the trials as independent; a bootstrap over patients collapses where all succeed. Where a
    patient stands behind several rows, the wider bound of the two is given; else Wilson's.

    Args:
        trials: Shape (rows, 2): 1 where a row is a trial, and 1 where it is a success; 0 elsewhere.
        patients: Patient of each row.
        seed: Seed of the bootstrap.
        n: How many resamples it draws.

    Raises:
        ValueError: There are not as many patients named as there are rows.
    """
    rows = np.asarray(trials, np.float64).reshape(-1, 2)
    _check(rows, patients)
    counted, succeeded = rows.T
    share = wilson(int(succeeded.sum()), int(counted.sum()))
    if len(rows) == len(set(patients)):
        return share
    drawn = patient_bootstrap(lambda weights: divided(weights @ succeeded, weights @ counted), patients, seed=seed, n=n)
    if share.low is None or share.high is None or drawn.low is None or drawn.high is None:
        return share
    return replace(share, low=min(share.low, drawn.low), high=max(share.high, drawn.high))


def _check(rows: npt.NDArray[np.float64], patients: Sequence[int]) -> None:
    if len(rows) != len(patients):
        raise ValueError(f"{len(rows)} rows, but {len(patients)} patients named")
