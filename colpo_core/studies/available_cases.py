"""Figures of readers who have not all read the same cases: each reader's on all cases that this reader has read.

Readers weigh alike, and two readers' figures vary together by the cases that both have read. The covariance goes into
the same analysis as that of a complete table, and without a gap it is the same.
"""

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.placements import placements
from colpo_core.records.statistics.reader_figures import Endpoint

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


def available_figures(
    truth: _Bools,
    ratings: _Floats,
    endpoint: Endpoint,
    *,
    threshold: float | None = None,
    patients: npt.NDArray[np.int_] | None = None,
) -> tuple[_Floats, _Floats]:
    """The endpoint of each vector of ratings on the cases that it has, and how these figures vary together.

    Args:
        truth: Shape (cases,).
        ratings: Shape (vectors, cases); NaN where a case was not read. Each vector has cases of either class.
        endpoint: What the readers are judged by.
        threshold: A rating from here on is a positive call; needed for all but the area.
        patients: Shape (cases,): patient of each case, counted from 0; each case a patient of its own when None.

    Returns:
        Shapes (vectors,) and (vectors, vectors).

    Raises:
        ValueError: A vector has no case of a class, or a threshold is missing.

    Source: DeLong, DeLong and Clarke-Pearson 1988 and Obuchowski 1997 for areas, patients' sums of what each case gives
        to the figure; Zhou and Gatsonis 1996, "A simple method for comparing correlated ROC curves using incomplete
        data", for two readers by the cases that both have read.
    """
    groups = np.arange(len(truth)) if patients is None else patients
    n_groups = int(groups.max()) + 1
    values = np.zeros(len(ratings))
    # What each case gives to a figure less its mean, of cases with the condition and without it.
    given = np.zeros((2, len(ratings), n_groups))
    for index, row in enumerate(ratings):
        read = np.flatnonzero(~np.isnan(row))
        has = truth[read]
        values[index], shares = _given(has, row[read], endpoint, threshold)
        for side, is_of_class in enumerate((has, ~has)):
            given[side, index] = np.bincount(groups[read[is_of_class]], shares[is_of_class], n_groups)
    read_by = [_present(ratings, groups, of_class, n_groups) for of_class in (truth, ~truth, np.ones_like(truth))]
    surplus = [_surplus(reads) for reads in read_by]
    across = given[0] @ given[1].T
    covariance = surplus[0] * (given[0] @ given[0].T) + surplus[1] * (given[1] @ given[1].T)
    return values, covariance + surplus[2] * (across + across.T)


def _given(has: _Bools, ratings: _Floats, endpoint: Endpoint, threshold: float | None) -> tuple[float, _Floats]:
    """The endpoint, and what each case adds to its error: shape (cases,)."""
    if has.all() or not has.any():
        raise ValueError("both classes are needed")
    shares = np.zeros(len(has))
    if endpoint is Endpoint.AUC:
        positive, negative = placements(has, ratings)
        area = float(positive.mean())
        shares[has], shares[~has] = (positive - area) / has.sum(), (negative - area) / (~has).sum()
        return area, shares
    if threshold is None:
        raise ValueError("calls need a threshold")
    right = ((ratings >= threshold) == has).astype(np.float64)
    # Accuracy takes the share of cases with the condition as given, as the analysis of a complete table does.
    judged = {Endpoint.SENSITIVITY: (has,), Endpoint.SPECIFICITY: (~has,), Endpoint.ACCURACY: (has, ~has)}[endpoint]
    n = sum(int(of_class.sum()) for of_class in judged)
    for of_class in judged:
        shares[of_class] = (right[of_class] - right[of_class].mean()) / n
    return float(sum(right[of_class].sum() for of_class in judged) / n), shares


def _present(ratings: _Floats, groups: npt.NDArray[np.int_], of_class: _Bools, n_groups: int) -> _Floats:
    """1 where a vector has a case of the class of a patient: shape (vectors, patients)."""
    read = ~np.isnan(ratings) & of_class
    return np.stack([np.bincount(groups[row], minlength=n_groups) > 0 for row in read]).astype(np.float64)


def _surplus(present: _Floats) -> _Floats:
    """N / (n - 1) of the patients that two vectors share; 0 where they share none or one."""
    shared = present @ present.T
    return np.asarray(np.where(shared > 1, shared / np.maximum(shared - 1, 1), 0.0))
