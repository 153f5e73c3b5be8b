"""Agreement of readers beyond chance, with intervals that mind patients.

Every coefficient is 1 minus the disagreement that is found over the disagreement that chance would bring. What each
case adds to it follows from its derivative by the case's weight; the sums of these over patients give the variance
(infinitesimal jackknife), and the variance says of how many independent cases the disagreement is worth. Wilson's
interval of a share on so many, over the disagreement by chance, is the coefficient's: it stays within what the
coefficient can be, and is an interval where all agree too, where a bootstrap sees no doubt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from colpo_core.records.statistics.rater_agreement import Coefficient

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]
WEIGHTINGS = ("none", "linear", "quadratic")
FEWEST_PATIENTS = 10
"""Fewer give no interval."""
FEWEST_CALLS = 3
"""Nor do fewer calls a reader of another kind than the most frequent one, but for Gwet's AC1, which holds out."""
# A case counts for no more than so many, however little the coefficient seems to vary: few cases vary little by chance.
_MOST_WORTH = 1.5
_NO_VARIANCE = 1e-24
_HAIR = 1e-9


@dataclass(frozen=True)
class _Found:
    """A coefficient before its interval.

    Attributes:
        observed: Disagreement that is found, as a share of the largest that can be.
        by_chance: That which chance would bring, likewise; 0 where there is none to agree beyond.
        influence: Shape (cases,): the coefficient's derivative by each case's weight.
        rarer: Calls a reader of another kind than the most frequent one.
    """

    observed: float
    by_chance: float
    influence: _Floats
    rarer: float


def cohen(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    weighting: str = "none",
    patients: Sequence[str] | None = None,
    alpha: float = 0.05,
) -> Coefficient:
    """Cohen's kappa of two readers, or of one reader's two readings.

    Args:
        first: Shape (cases,): one reader's calls or ratings.
        second: The other's.
        weighting: `none`; `linear` or `quadratic` by the distance of the categories' ranks.
        patients: Patient of each case; each case is a patient of its own where None.
        alpha: 1 minus the interval's confidence.

    Raises:
        ValueError: The two are not of one length, or there is no such weighting.

    Source: Cohen 1960; Cohen 1968, "Weighted kappa". The variance of one case a patient is that of Fleiss, Cohen and
        Everitt 1969. The interval: Korn and Graubard 1998, "Confidence intervals for proportions with small expected
        number of positive counts", with Wilson's 1927.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"a weighting is one of {', '.join(WEIGHTINGS)}, not {weighting!r}")
    (first_codes, second_codes), count = _codes(
        np.stack([np.asarray(first, np.float64), np.asarray(second, np.float64)])
    )
    n = len(first_codes)
    if not n:
        return Coefficient(None, None, 0)
    of_first = np.bincount(first_codes, minlength=count)
    of_second = np.bincount(second_codes, minlength=count)
    apart = _distances(first_codes, second_codes, weighting)
    # Of each case, its first rating against all second ones, and its second against all first ones.
    against = _summed_distances(of_second, weighting)[first_codes]
    against = against + _summed_distances(of_first, weighting)[second_codes]
    observed, by_chance = float(apart.sum()), float(against.sum() / 2)
    largest = float(max(1, count - 1)) ** {"none": 0, "linear": 1, "quadratic": 2}[weighting]
    if by_chance <= 0:
        return Coefficient(None, None, n)
    influence = -(observed + n * apart) / by_chance + n * observed * against / by_chance**2
    rarer = n - float((of_first + of_second).max()) / 2
    kappa = _Found(observed / n / largest, by_chance / n**2 / largest, influence, rarer)
    return _estimated(kappa, n, patients=patients, alpha=alpha)


def fleiss(calls: npt.ArrayLike, *, patients: Sequence[str] | None = None, alpha: float = 0.05) -> Coefficient:
    """Fleiss' kappa of several readers who have all read all cases.

    Args:
        calls: Shape (readers, cases), at least 2 readers.
        patients: Patient of each case; each case is a patient of its own where None.
        alpha: 1 minus the interval's confidence.

    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters"; the interval as of `cohen`.
    """
    return _of_all(
        calls, lambda shares: float(1 - (shares**2).sum()), lambda shares: -2 * shares, patients=patients, alpha=alpha
    )


def gwet_ac1(calls: npt.ArrayLike, *, patients: Sequence[str] | None = None, alpha: float = 0.05) -> Coefficient:
    """Gwet's AC1 of several readers who have all read all cases; it does not fall where one category is rare.

    Args:
        calls: Shape (readers, cases), at least 2 readers.
        patients: Patient of each case; each case is a patient of its own where None.
        alpha: 1 minus the interval's confidence.

    Source: Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement"; the
        interval as of `cohen`.
    """

    def by_chance(shares: _Floats) -> float:
        return float(1 - (shares * (1 - shares)).sum() / max(1, len(shares) - 1))

    def slope(shares: _Floats) -> _Floats:
        return -(1 - 2 * shares) / max(1, len(shares) - 1)

    return _of_all(calls, by_chance, slope, patients=patients, alpha=alpha, holds_out=True)


def krippendorff_alpha(
    ratings: npt.ArrayLike,
    *,
    is_ordinal: bool = False,
    patients: Sequence[str] | None = None,
    alpha: float = 0.05,
) -> Coefficient:
    """Krippendorff's alpha of several readers, some of whom may not have read some cases.

    Args:
        ratings: Shape (readers, cases); NaN where a reader has not read a case.
        is_ordinal: Whether ratings are ranks; otherwise they are names.
        patients: Patient of each case; each case is a patient of its own where None.
        alpha: 1 minus the interval's confidence.

    Source: Krippendorff 2019, "Content analysis", 4th edition, chapter 12; the interval as of `cohen`.
    """
    table = np.asarray(ratings, np.float64)
    is_kept = (~np.isnan(table)).sum(axis=0) > 1
    table = table[:, is_kept]
    if not table.size:
        return Coefficient(None, None, 0)
    has_read = ~np.isnan(table)
    levels, codes = np.unique(table[has_read], return_inverse=True)
    case = np.nonzero(has_read)[1]
    values = _Values(codes.reshape(-1), case, len(levels), table.shape[1])
    estimate = values.by_rank() if is_ordinal else values.by_name()
    n_cases = table.shape[1]
    if estimate is None:
        return Coefficient(None, None, n_cases)
    of_kept = None if patients is None else [name for name, does in zip(patients, is_kept, strict=True) if does]
    return _estimated(estimate, n_cases, patients=of_kept, alpha=alpha)


@dataclass(frozen=True)
class _Values:
    """The ratings of cases with two or more.

    Attributes:
        code: Shape (values,): place of each among the values that occur.
        case: Shape (values,): its case.
        n_levels: How many values occur.
        n_cases: How many cases.
    """

    code: _Ints
    case: _Ints
    n_levels: int
    n_cases: int

    def _by_case(self, values: npt.ArrayLike) -> _Floats:
        sums = np.bincount(self.case, weights=np.asarray(values, np.float64), minlength=self.n_cases)
        return sums.astype(np.float64)

    def _rarer(self, total: _Floats) -> float:
        """Values other than the most frequent one, of as many readers as have read a case on average."""
        return self.n_cases * float(1 - total.max() / total.sum())

    def by_name(self) -> _Found | None:
        n_of = self._by_case(np.ones(len(self.code)))
        total = np.bincount(self.code, minlength=self.n_levels).astype(np.float64)
        # How often a case's values are alike: each value's count within its case, summed over its values.
        _, group, often = np.unique(self.case * self.n_levels + self.code, return_inverse=True, return_counts=True)
        of_case = (n_of**2 - self._by_case(often[group.reshape(-1)])) / (n_of - 1)
        n, by_chance = len(self.code), float(len(self.code) ** 2 - (total**2).sum())
        if by_chance <= 0:
            return None
        observed = float(of_case.sum())
        slope = 2 * n * n_of - 2 * self._by_case(total[self.code])
        influence = -(n_of * observed + (n - 1) * of_case) / by_chance + (n - 1) * observed * slope / by_chance**2
        return _Found(observed / n, by_chance / (n * (n - 1)), influence, self._rarer(total))

    def by_rank(self) -> _Found | None:
        n_of, n = self._by_case(np.ones(len(self.code))), len(self.code)
        total = np.bincount(self.code, minlength=self.n_levels).astype(np.float64)
        # Ranks are as far apart as there are values between them.
        middle = np.cumsum(total) - total / 2
        rank = middle[self.code]
        sums, squares = self._by_case(rank), self._by_case(rank**2)
        of_case = 2 * (n_of * squares - sums**2) / (n_of - 1)
        observed, in_all = float(of_case.sum()), float((total * middle).sum())
        by_chance = float(2 * (n * (total * middle**2).sum() - in_all**2))
        if by_chance <= 0:
            return None
        slope = 2 * (n_of * (total * middle**2).sum() + n * squares - 2 * in_all * sums)
        # A case moves the ranks of all values above its own by one, of its own by a half.
        moved = 4 * (n_of[self.case] * rank - sums[self.case]) / (n_of[self.case] - 1)
        found_by_rank: _Floats = np.bincount(self.code, weights=moved, minlength=self.n_levels).astype(np.float64)
        of_case_slope = of_case + self._by_case(_above(found_by_rank)[self.code])
        slope = slope + self._by_case(_above(4 * total * (n * middle - in_all))[self.code])
        influence = -(n_of * observed + (n - 1) * of_case_slope) / by_chance + (n - 1) * observed * slope / by_chance**2
        largest = float(middle[-1] - middle[0]) ** 2
        return _Found(observed / n / largest, by_chance / (n * (n - 1)) / largest, influence, self._rarer(total))


def _above(by_level: _Floats) -> _Floats:
    """Of each level, the sum over all levels above it and half its own."""
    return np.asarray(by_level.sum() - np.cumsum(by_level) + by_level / 2)


def _of_all(
    calls: npt.ArrayLike,
    chance_of: Callable[[_Floats], float],
    slope_of: Callable[[_Floats], _Floats],
    *,
    patients: Sequence[str] | None,
    alpha: float,
    holds_out: bool = False,
) -> Coefficient:
    """A coefficient of readers who have all read all cases.

    Args:
        calls: Shape (readers, cases).
        chance_of: From the categories' shares to the disagreement by chance.
        slope_of: Its derivative by each share.
        patients: Patient of each case.
        alpha: 1 minus the interval's confidence.
        holds_out: Whether its interval holds where nearly all calls are of one kind.
    """
    codes, count = _codes(np.asarray(calls, np.float64))
    if len(codes) < 2:
        raise ValueError("agreement needs at least two readers")
    n_readers, n_cases = codes.shape
    if not n_cases:
        return Coefficient(None, None, 0)
    counted = np.stack([(codes == category).sum(axis=0) for category in range(count)], axis=1).astype(np.float64)
    of_case = 1 - ((counted**2).sum(axis=1) - n_readers) / (n_readers * (n_readers - 1))
    observed, shares = float(of_case.mean()), counted.mean(axis=0) / n_readers
    by_chance = chance_of(shares)
    if by_chance <= 0:
        return Coefficient(None, None, n_cases)
    change = (counted / n_readers - shares) @ slope_of(shares) / n_cases
    influence = -(of_case - observed) / n_cases / by_chance + observed * change / by_chance**2
    rarer = np.inf if holds_out else n_cases * float(1 - shares.max())
    return _estimated(_Found(observed, by_chance, influence, rarer), n_cases, patients=patients, alpha=alpha)


def _codes(values: _Floats) -> tuple[_Ints, int]:
    """Ranks of the values among all that occur, and how many occur."""
    if np.isnan(values).any():
        raise ValueError("every reader must have read every case")
    levels, codes = np.unique(values, return_inverse=True)
    return codes.reshape(values.shape).astype(np.int64), len(levels)


def _distances(first: _Ints, second: _Ints, weighting: str) -> _Floats:
    far = np.abs(first - second).astype(np.float64)
    return np.asarray({"none": (far > 0).astype(np.float64), "linear": far, "quadratic": far**2}[weighting])


def _summed_distances(counts: _Ints, weighting: str) -> _Floats:
    """Of each category, the sum of its distances to ratings, of which there are so many in each category."""
    n, ranks = counts.sum(), np.arange(len(counts), dtype=np.float64)
    if weighting == "none":
        return np.asarray(n - counts, np.float64)
    sums = counts * ranks
    if weighting == "linear":
        below, sum_below = np.cumsum(counts), np.cumsum(sums)
        return np.asarray(ranks * (2 * below - n) - 2 * sum_below + sums.sum())
    return np.asarray(n * ranks**2 - 2 * ranks * sums.sum() + (sums * ranks).sum())


def _estimated(moments: _Found, n_cases: int, *, patients: Sequence[str] | None, alpha: float) -> Coefficient:
    value = 1 - moments.observed / moments.by_chance
    value = 0.0 if abs(value) < _HAIR else value
    if patients is None:
        summed: _Floats = moments.influence
    else:
        _, group = np.unique(np.asarray(patients), return_inverse=True)
        summed = np.bincount(group.reshape(-1), weights=moments.influence).astype(np.float64)
    count = len(summed)
    if count < FEWEST_PATIENTS or moments.rarer < FEWEST_CALLS - _HAIR:
        return Coefficient(value, None, n_cases)
    # What leaving a patient out changes is larger than what the derivative says, by the square of this.
    larger = count / (count - 1)
    variance = larger**3 * float(((summed - summed.mean()) ** 2).sum())
    worth = float(count)
    spread = moments.observed * (1 - moments.observed) / moments.by_chance**2
    if spread > _NO_VARIANCE:
        worth = min(_MOST_WORTH * worth, spread / variance) if variance > _NO_VARIANCE else _MOST_WORTH * worth
    low, high = _wilson(moments.observed, worth, float(student.ppf(1 - alpha / 2, count - 1)))
    return Coefficient(value, (max(-1.0, 1 - high / moments.by_chance), min(1.0, 1 - low / moments.by_chance)), n_cases)


def _wilson(share: float, n: float, z: float) -> tuple[float, float]:
    middle, far = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    whole = 1 + z**2 / n
    low, high = (middle - far) / whole, (middle + far) / whole
    # At 0 and 1 floating point misses the exact bound by a hair.
    return 0.0 if share <= 0 else float(low), 1.0 if share >= 1 else float(high)
