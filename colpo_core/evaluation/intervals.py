"""Intervals: Wilson's for a share of independent trials, a bootstrap over patients for everything that clusters."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from colpo_core.records.figures import Estimate, Proportion

CONFIDENCE = 0.95
RESAMPLES = 2000


def wilson(k: int, n: int) -> Proportion:
    """A share with its 95% Wilson score interval.

    The trials must be independent: several images of one patient are not, see `patient_bootstrap`.

    Args:
        k: Successes.
        n: Trials; 0 gives a proportion without a value.

    Raises:
        ValueError: k is not between 0 and n.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} successes of {n} trials cannot be")
    if n == 0:
        return Proportion(k=0, n=0, value=None, low=None, high=None)
    bounds = binomtest(int(k), int(n)).proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    # The exact bound is 0 at k = 0 and 1 at k = n; floating point misses it by a hair.
    low = 0.0 if k == 0 else max(0.0, float(bounds.low))
    high = 1.0 if k == n else min(1.0, float(bounds.high))
    return Proportion(k=int(k), n=int(n), value=k / n, low=low, high=high)


def patient_bootstrap(
    values: npt.ArrayLike,
    patients: Sequence[Hashable],
    statistic: Callable[[npt.NDArray[np.float64]], float],
    seed: int = 0,
    n: int = RESAMPLES,
) -> Estimate:
    """A statistic with the 95% percentile interval of a bootstrap that draws whole patients with replacement.

    Images of one patient resemble each other, so they are drawn together. Resamples in which the statistic is not
    defined (NaN) are passed over; where that is more than half of them, or there is one patient, no interval is given.

    Args:
        values: One row an image: shape (images,) or (images, columns).
        patients: Patient of each row.
        statistic: From rows of `values` to a number, NaN where it is not defined.
        seed: Seed of the draw.
        n: How many resamples.

    Raises:
        ValueError: There are not as many patients named as there are rows.

    Source: Efron and Tibshirani 1993, section 13.3; Field and Welsh 2007 for drawing clusters.
    """
    rows = np.asarray(values, dtype=np.float64)
    if len(rows) != len(patients):
        raise ValueError(f"{len(rows)} rows, but {len(patients)} patients named")
    members: dict[Hashable, list[int]] = {}
    for index, patient in enumerate(patients):
        members.setdefault(patient, []).append(index)
    count = len(members)
    value = float(statistic(rows)) if count else float("nan")
    if np.isnan(value):
        return Estimate(value=None, low=None, high=None, n_patients=count, n_images=len(rows))
    bounds: tuple[float, float] | None = None
    if count > 1:
        bounds = _percentiles(rows, [np.asarray(found) for found in members.values()], statistic, seed, n)
    low, high = bounds if bounds is not None else (None, None)
    return Estimate(value=value, low=low, high=high, n_patients=count, n_images=len(rows))


def _percentiles(
    rows: npt.NDArray[np.float64],
    groups: list[npt.NDArray[np.int64]],
    statistic: Callable[[npt.NDArray[np.float64]], float],
    seed: int,
    n: int,
) -> tuple[float, float] | None:
    chosen = np.random.default_rng(seed).integers(0, len(groups), size=(n, len(groups)))
    if len(groups) == len(rows):
        # One row a patient: no need to gather.
        order = np.concatenate(groups)
        drawn = np.array([statistic(rows[order[which]]) for which in chosen])
    else:
        drawn = np.array([statistic(rows[np.concatenate([groups[one] for one in which])]) for which in chosen])
    defined = drawn[~np.isnan(drawn)]
    if len(defined) <= n / 2:
        return None
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)
