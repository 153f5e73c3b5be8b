"""Ranking by probability: area under the ROC curve, and the threshold that calls are made at."""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import RESAMPLES, patient_bootstrap
from colpo_core.records.figures import Estimate
from colpo_core.terms import Label

FALLBACK_THRESHOLD = 0.5


def auc(truth: Sequence[Label], probabilities: Sequence[float]) -> float | None:
    """Chance that an HSIL has a higher probability than a normal, ties counting half; None without both.

    Raises:
        ValueError: The two are not of one length.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982 for its equality with the area under the ROC curve.
    """
    value = _auc_of_rows(_rows(truth, probabilities))
    return None if np.isnan(value) else value


def auc_estimate(
    truth: Sequence[Label],
    probabilities: Sequence[float],
    patients: Sequence[Hashable],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Area under the ROC curve with a bootstrap over patients.

    Where all HSIL rank above all normal (or below), every resample says the same and the bootstrap would claim
    certainty from a handful of patients: then no interval is given.

    Raises:
        ValueError: The three are not of one length.
    """
    found = patient_bootstrap(_rows(truth, probabilities), patients, _auc_of_rows, seed=seed, n=resamples)
    if found.value in (0.0, 1.0):
        return Estimate(found.value, None, None, found.n_patients, found.n_images)
    return found


def youden_threshold(truth: Sequence[Label], probabilities: Sequence[float]) -> float:
    """The threshold with the highest sensitivity + specificity - 1, half-way between neighbouring probabilities.

    Of equal ones the nearest to 0.5 is taken. Without both labels, or where no threshold is better than chance, it
    is 0.5.

    Raises:
        ValueError: The two are not of one length.

    Source: Youden 1950, "Index for rating diagnostic tests".
    """
    rows = _rows(truth, probabilities)
    positive, score = rows[:, 0] > 0, rows[:, 1]
    if positive.all() or not positive.any():
        return FALLBACK_THRESHOLD
    levels = np.unique(score)
    candidates = (levels[1:] + levels[:-1]) / 2
    gains = [
        float(np.mean(score[positive] >= threshold) - np.mean(score[~positive] >= threshold))
        for threshold in candidates
    ]
    best = max(gains, default=0.0)
    if best <= 0:
        return FALLBACK_THRESHOLD
    tied = [float(threshold) for threshold, gain in zip(candidates, gains, strict=True) if gain > best - 1e-9]
    return min(tied, key=lambda threshold: abs(threshold - FALLBACK_THRESHOLD))


def _rows(truth: Sequence[Label], probabilities: Sequence[float]) -> npt.NDArray[np.float64]:
    pairs = [(float(label is Label.HSIL), float(p)) for label, p in zip(truth, probabilities, strict=True)]
    return np.asarray(pairs, dtype=np.float64).reshape(-1, 2)


def _auc_of_rows(rows: npt.NDArray[np.float64]) -> float:
    positive = rows[:, 0] > 0
    n_positive = int(positive.sum())
    n_normal = len(rows) - n_positive
    if n_positive == 0 or n_normal == 0:
        return float("nan")
    _, where, counts = np.unique(rows[:, 1], return_inverse=True, return_counts=True)
    midranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(midranks[where][positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_normal)
