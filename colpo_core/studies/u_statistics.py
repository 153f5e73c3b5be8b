"""Readers who have not all read the same cases: means over readers with variances by U-statistics.

Whoever has read a case gives to the figure; nothing is filled in and nothing is left out. Products of two readings are
averaged by what the two have in common (the reader, the case with the condition, the case without it), and the variance
of the figure is a weighted sum of these averages. Without a missing reading the figures are those of
`obuchowski_rockette`, and the variance is the unbiased one of the same model.

Cases are taken as independent, as in the sources.

Source: Gallas 2006, "One-shot estimate of MRMC variance: AUC"; Gallas, Bandos, Samuelson and Wagner 2009, "A framework
for random-effects ROC analysis: biases with the bootstrap and other variance estimators", equation 19; Obuchowski,
Gallas and Hillis 2012, "Multi-reader ROC studies with split-plot designs", for the degrees of freedom.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt
from scipy.stats import t as t_distribution

from colpo_core.records.statistics.figures import Bounds
from colpo_core.records.statistics.reader_figures import Endpoint

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]
_READER = "reader"
# Pairs of cases are compared in blocks of about so many numbers (64 MB).
_BLOCK = 8_000_000
# Figures are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24


@dataclass(frozen=True)
class Estimated:
    """A mean over readers, or a difference of two.

    Attributes:
        value: Every pair of cases (of a share: every case) that a reader has judged weighs alike, so that a reader who
            has read more weighs more.
        variance: For other readers and other cases; below 0 where the estimate fails.
        df: Degrees of freedom; None where the variance is not above 0.
    """

    value: float
    variance: float
    df: float | None

    @property
    def se(self) -> float | None:
        """Standard error; None where the variance is not above 0."""
        return None if self.df is None else self.variance**0.5

    def p(self, null: float = 0.0) -> float | None:
        """Two-sided p of the t test against a value; None where there are no degrees of freedom."""
        se = self.se
        if se is None or self.df is None:
            return None
        return float(2 * t_distribution.sf(abs(self.value - null) / se, floor(self.df)))

    def ci(self, alpha: float = 0.05) -> Bounds | None:
        """The t interval, not cut off at what the figure can be; None where there are no degrees of freedom."""
        se = self.se
        if se is None or self.df is None:
            return None
        far = float(t_distribution.isf(alpha / 2, floor(self.df))) * se
        return self.value - far, self.value + far


def u_statistic_arm(
    truth: _Bools,
    ratings: _Floats,
    endpoint: Endpoint = Endpoint.AUC,
    *,
    threshold: float | None = None,
    against: _Floats | None = None,
) -> Estimated:
    """The readers of one arm together, for other readers and other cases.

    Args:
        truth: Shape (cases,): whether each has the condition.
        ratings: Shape (readers, cases); NaN where a reader has not read a case.
        endpoint: What the readers are judged by.
        threshold: A rating from here on is a positive call; needed for all but the area.
        against: Shape (cases,): calls or ratings of a standalone model on the same scale of the threshold, without a
            gap. With it the value is the readers' mean minus the model's figure on the cases that each reader has read.

    Raises:
        ValueError: There are no two readers who have read enough, a threshold is missing, or the model has a gap.
    """
    moments = _moments(truth, ratings, endpoint, threshold, against)
    arm = moments.between(slice(None), slice(None))
    return _estimated(arm.first, arm.variance, arm.components, arm.df)


def u_statistic_difference(
    truth: _Bools,
    first: _Floats,
    second: _Floats,
    endpoint: Endpoint = Endpoint.AUC,
    *,
    threshold: float | None = None,
) -> Estimated:
    """The first arm minus the second, for other readers and other cases.

    Args:
        truth: Shape (cases,).
        first: Shape (readers, cases): the ratings of the first arm; NaN where a reader has not read a case.
        second: Of the second: the same readers in the same order. A row may be empty.
        endpoint: What the readers are judged by.
        threshold: See `u_statistic_arm`.

    Raises:
        ValueError: An arm has no two readers who have read enough, or a threshold is missing.
    """
    if first.shape != second.shape:
        raise ValueError(f"arms of {first.shape} and {second.shape} readers and cases are not of the same study")
    moments = _moments(truth, np.concatenate([first, second]), endpoint, threshold, None)
    sides = slice(None, len(first)), slice(len(first), None)
    of_first, of_second, both = (moments.between(*pair) for pair in ((sides[0],) * 2, (sides[1],) * 2, sides))
    return _estimated(
        of_first.first - of_second.first,
        of_first.variance + of_second.variance - 2 * both.variance,
        {
            name: of_first.components[name] + of_second.components[name] - 2 * both.components[name]
            for name in of_first.components
        },
        {name: min(of_first.df[name], of_second.df[name]) for name in of_first.df},
    )


@dataclass(frozen=True)
class _Parts:
    """What two sets of readers have in common.

    `first` is the first set's figure, `variance` the covariance of both figures. `components` are the biased components
    of variance of what was drawn (readers, cases of either class), `df` their degrees of freedom.
    """

    first: float
    variance: float
    components: Mapping[str, float]
    df: Mapping[str, int]


@dataclass(frozen=True)
class _Moments:
    """Sums over pairs of readers, shape (readers, readers), by what the two readings have in common.

    `products` are of what was judged right, `counts` of how many there are. Both are keyed by the set of cases' factors
    that is held in common at least; the reader is a factor beside them.
    """

    totals: _Floats
    sizes: _Floats
    products: Mapping[frozenset[str], _Floats]
    counts: Mapping[frozenset[str], _Floats]

    def between(self, rows: slice, columns: slice) -> _Parts:
        """Of the readers of these rows and those of these columns; the same reader stands at the same place."""
        sums = {key: self._summed(key, rows, columns) for key in self._keys()}
        exactly = {key: _exactly(sums, key) for key in sums}
        nothing = frozenset[str]()
        whole = sums[nothing][1]
        variance = 0.0
        for key, (product, count) in exactly.items():
            if count > 0:
                variance += product / count * (count / whole - (key == nothing))
        if exactly[nothing][1] <= 0:
            raise ValueError("no two readers have read different cases")
        mean = {key: product / count for key, (product, count) in sums.items() if count > 0}
        names = sorted({name for key in sums for name in key})
        # A factor is in common in this share of all pairs: 1 / n where everybody has read everything.
        df = {name: round(whole / sums[frozenset({name})][1] - 1) for name in names if sums[frozenset({name})][1] > 0}
        return _Parts(
            float(self.totals[rows].sum() / self.sizes[rows].sum()),
            variance,
            {name: mean.get(frozenset({name}), mean[nothing]) - mean[nothing] for name in names},
            df | {name: _NEVER_SHARED for name in names if name not in df},
        )

    def _keys(self) -> Iterator[frozenset[str]]:
        for key in self.products:
            yield key
            yield key | {_READER}

    def _summed(self, key: frozenset[str], rows: slice, columns: slice) -> tuple[float, float]:
        taken = [self.products[key - {_READER}][rows, columns], self.counts[key - {_READER}][rows, columns]]
        if _READER in key:
            taken = [np.diagonal(part) for part in taken]
        product, count = (float(part.sum()) for part in taken)
        return product, count


_NEVER_SHARED = 10**9


def _exactly(sums: Mapping[frozenset[str], tuple[float, float]], key: frozenset[str]) -> tuple[float, float]:
    """Sums over pairs that have these factors in common and no other, by inclusion and exclusion."""
    product = count = 0.0
    for other, (its_product, its_count) in sums.items():
        if key <= other:
            sign = (-1) ** len(other - key)
            product += sign * its_product
            count += sign * its_count
    return product, count


def _estimated(value: float, variance: float, components: Mapping[str, float], df: Mapping[str, int]) -> Estimated:
    below = sum(component**2 / df[name] ** 3 for name, component in components.items() if df[name] > 0)
    if variance <= _NO_VARIANCE or below <= 0:
        return Estimated(value, variance, None)
    # Not below the fewest of any factor: Gaylor and Hopper 1969.
    fewest = min(count for count in df.values() if count > 0)
    return Estimated(value, variance, max(variance**2 / below, float(fewest)))


def _moments(
    truth: _Bools,
    ratings: _Floats,
    endpoint: Endpoint,
    threshold: float | None,
    against: _Floats | None,
) -> _Moments:
    if against is not None and np.isnan(against).any():
        raise ValueError("the model has not judged every case")
    if endpoint is Endpoint.AUC:
        return _moments_of_areas(truth, ratings, against)
    if threshold is None:
        raise ValueError("calls need a threshold")
    judged = {Endpoint.SENSITIVITY: truth, Endpoint.SPECIFICITY: ~truth}.get(endpoint, np.ones_like(truth))
    return _moments_of_shares(
        truth[judged], ratings[:, judged], threshold, None if against is None else against[judged]
    )


def _moments_of_shares(truth: _Bools, ratings: _Floats, threshold: float, against: _Floats | None) -> _Moments:
    has_read = ~np.isnan(ratings)
    right = ((ratings >= threshold) == truth).astype(np.float64)
    if against is not None:
        right -= (against >= threshold) == truth
    right[~has_read] = 0
    read = has_read.astype(np.float64)
    totals, sizes = right.sum(axis=1), read.sum(axis=1)
    nothing, case = frozenset[str](), frozenset({"case"})
    return _Moments(
        totals,
        sizes,
        {nothing: np.outer(totals, totals), case: right @ right.T},
        {nothing: np.outer(sizes, sizes), case: read @ read.T},
    )


def _moments_of_areas(truth: _Bools, ratings: _Floats, against: _Floats | None) -> _Moments:
    n_readers = len(ratings)
    positive, negative = ratings[:, truth], ratings[:, ~truth]
    read_positive, read_negative = (~np.isnan(ratings) for ratings in (positive, negative))
    of_positive = np.zeros(positive.shape)
    of_negative = np.zeros(negative.shape)
    both = np.zeros((n_readers, n_readers))
    step = max(1, _BLOCK // max(1, n_readers * positive.shape[1]))
    for start in range(0, negative.shape[1], step):
        part = slice(start, start + step)
        won = _won(positive, negative[:, part])
        if against is not None:
            won -= _won(against[None, truth], against[None, ~truth][:, part])
        won *= read_negative[:, part, None] & read_positive[:, None, :]
        of_positive += won.sum(axis=1)
        of_negative[:, part] = won.sum(axis=2)
        flat = won.reshape(n_readers, -1)
        both += flat @ flat.T
    totals = of_positive.sum(axis=1)
    n_positive, n_negative = read_positive.sum(axis=1, dtype=np.float64), read_negative.sum(axis=1, dtype=np.float64)
    shared_positive, shared_negative = (
        has_read.astype(np.float64) @ has_read.astype(np.float64).T for has_read in (read_positive, read_negative)
    )
    nothing, with_condition, without = frozenset[str](), frozenset({"positive"}), frozenset({"negative"})
    return _Moments(
        totals,
        n_positive * n_negative,
        {
            nothing: np.outer(totals, totals),
            with_condition: of_positive @ of_positive.T,
            without: of_negative @ of_negative.T,
            with_condition | without: both,
        },
        {
            nothing: np.outer(n_positive * n_negative, n_positive * n_negative),
            with_condition: np.outer(n_negative, n_negative) * shared_positive,
            without: np.outer(n_positive, n_positive) * shared_negative,
            with_condition | without: shared_positive * shared_negative,
        },
    )


def _won(positive: _Floats, negative: _Floats) -> _Floats:
    """1 where a positive case is rated above a negative one, 0.5 at a tie: shape (readers, negative, positive)."""
    above = positive[:, None, :] > negative[:, :, None]
    level = positive[:, None, :] == negative[:, :, None]
    return np.asarray(above + level / 2)
