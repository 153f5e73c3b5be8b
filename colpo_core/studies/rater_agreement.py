"""Agreement of readers beyond chance, with intervals from a bootstrap over cases.

Every coefficient is computed for many weightings of the cases at once: one row of ones is the figure itself, rows of
how often each case was drawn are its resamples.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import RESAMPLES, percentile_bounds
from colpo_core.evaluation.resampling import divided, patient_weights
from colpo_core.records.reader_statistics import Coefficient

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]
WEIGHTINGS = ("none", "linear", "quadratic")


def cohen(first: npt.ArrayLike, second: npt.ArrayLike, *, weighting: str = "none", seed: int = 0) -> Coefficient:
    """Cohen's kappa of two readers.

    Args:
        first: Shape (cases,): one reader's calls or ratings.
        second: The other's.
        weighting: `none`; `linear` or `quadratic` by the distance of the categories' ranks.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: The two are not of one length, or there is no such weighting.

    Source: Cohen 1960; Cohen 1968, "Weighted kappa".
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"a weighting is one of {', '.join(WEIGHTINGS)}, not {weighting!r}")
    (one, other), count = _codes(np.stack([np.asarray(first, np.float64), np.asarray(second, np.float64)]))
    far, each = _distance(count, weighting), np.eye(count)
    of_case, of_one, of_other = far[one, other], each[one], each[other]

    def statistic(weights: _Floats) -> _Floats:
        found = (weights @ of_case) * weights.sum(axis=1)
        by_chance = ((weights @ of_one @ far) * (weights @ of_other)).sum(axis=1)
        return 1 - divided(found, by_chance)

    return _estimated(statistic, len(one), seed=seed)


def fleiss(calls: npt.ArrayLike, *, seed: int = 0) -> Coefficient:
    """Fleiss' kappa of several readers who have all read all cases.

    Args:
        calls: Shape (readers, cases), at least 2 readers.
        seed: Seed of the bootstrap.

    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters".
    """
    counted = _counted(calls)

    def statistic(weights: _Floats) -> _Floats:
        agreeing, shares = _agreeing(counted, weights)
        by_chance = (shares**2).sum(axis=1)
        return divided(agreeing - by_chance, 1 - by_chance)

    return _estimated(statistic, len(counted), seed=seed)


def gwet_ac1(calls: npt.ArrayLike, *, seed: int = 0) -> Coefficient:
    """Gwet's AC1 of several readers who have all read all cases; it does not fall where one category is rare.

    Args:
        calls: Shape (readers, cases), at least 2 readers.
        seed: Seed of the bootstrap.

    Source: Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement".
    """
    counted = _counted(calls)

    def statistic(weights: _Floats) -> _Floats:
        agreeing, shares = _agreeing(counted, weights)
        by_chance = (shares * (1 - shares)).sum(axis=1) / max(1, counted.shape[1] - 1)
        return divided(agreeing - by_chance, 1 - by_chance)

    return _estimated(statistic, len(counted), seed=seed)


def krippendorff_alpha(ratings: npt.ArrayLike, *, is_ordinal: bool = False, seed: int = 0) -> Coefficient:
    """Krippendorff's alpha of several readers, some of whom may not have read some cases.

    Args:
        ratings: Shape (readers, cases); NaN where a reader has not read a case.
        is_ordinal: Whether ratings are ranks; otherwise they are names.
        seed: Seed of the bootstrap.

    Source: Krippendorff 2019, "Content analysis", 4th edition, chapter 12.
    """
    table = np.asarray(ratings, np.float64)
    table = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    if not table.size:
        return Coefficient(None, None, 0)
    has_read = ~np.isnan(table)
    levels, codes = np.unique(table[has_read], return_inverse=True)
    place = np.zeros(table.shape, np.int64)
    place[has_read] = codes
    counted = np.stack([((place == level) & has_read).sum(axis=0) for level in range(len(levels))], axis=1)
    n_readers = counted.sum(axis=1)

    def by_name(weights: _Floats) -> _Floats:
        of_case = (n_readers**2 - (counted**2).sum(axis=1)) / (n_readers - 1)
        total = weights @ counted
        by_chance = total.sum(axis=1) ** 2 - (total**2).sum(axis=1)
        return np.asarray(1 - (total.sum(axis=1) - 1) * divided(weights @ of_case, by_chance))

    def by_rank(weights: _Floats) -> _Floats:
        total = weights @ counted
        # Ranks are as far apart as there are values between them, so each resample has distances of its own.
        middle = np.cumsum(total, axis=1) - total / 2
        ranks = middle[:, place] * has_read
        squares = n_readers * (ranks**2).sum(axis=1) - ranks.sum(axis=1) ** 2
        found = 2 * (weights * squares / (n_readers - 1)).sum(axis=1)
        by_chance = 2 * (total.sum(axis=1) * (total * middle**2).sum(axis=1) - (total * middle).sum(axis=1) ** 2)
        return np.asarray(1 - (total.sum(axis=1) - 1) * divided(found, by_chance))

    return _estimated(by_rank if is_ordinal else by_name, table.shape[1], seed=seed)


def _agreeing(counted: _Floats, weights: _Floats) -> tuple[_Floats, _Floats]:
    """Share of agreeing pairs of readers, shape (weightings,), and of each category, shape (weightings, categories)."""
    n_readers = counted[0].sum()
    of_case = ((counted**2).sum(axis=1) - n_readers) / (n_readers * (n_readers - 1))
    n_cases = weights.sum(axis=1)
    return weights @ of_case / n_cases, weights @ counted / (n_cases * n_readers)[:, None]


def _counted(calls: npt.ArrayLike) -> _Floats:
    """How many readers call each case each category: shape (cases, categories)."""
    codes, count = _codes(np.asarray(calls, np.float64))
    if len(codes) < 2:
        raise ValueError("agreement needs at least two readers")
    return np.asarray(np.eye(count)[codes].sum(axis=0))


def _codes(values: _Floats) -> tuple[_Ints, int]:
    """Ranks of the values among all that occur, and how many occur."""
    if np.isnan(values).any():
        raise ValueError("every reader must have read every case")
    levels, codes = np.unique(values, return_inverse=True)
    return codes.reshape(values.shape).astype(np.int64), len(levels)


def _distance(count: int, weighting: str) -> _Floats:
    far = np.abs(np.subtract.outer(np.arange(count), np.arange(count))).astype(np.float64)
    return {"none": (far > 0).astype(np.float64), "linear": far, "quadratic": far**2}[weighting]


def _estimated(statistic: Callable[[_Floats], _Floats], n_cases: int, *, seed: int) -> Coefficient:
    value = float(statistic(np.ones((1, n_cases)))[0])
    if np.isnan(value):
        return Coefficient(None, None, n_cases)
    drawn = patient_weights(range(n_cases), resamples=RESAMPLES, generator=np.random.default_rng(seed))
    return Coefficient(value, percentile_bounds(np.concatenate([statistic(one) for one in drawn])), n_cases)
