"""Whether what a model meets has moved away from what it was judged on: the population stability index."""

from collections.abc import Sequence

import numpy as np

from colpo_core.records.overview.cohort import Drift, DriftAlarm

FEWEST = 50
"""Fewer values on either side say too little."""
WATCH, ALARM = 0.1, 0.25
MOST_BINS = 10
_ADDED = 0.5


def score_drift(name: str, reference: Sequence[float], current: Sequence[float]) -> Drift:
    """The population stability index of a figure, with the usual alarm.

    Bins hold equally many of the reference (ten, or fewer where its values are few or tied). Half a value is added to
    every bin on both sides, so that an empty one does not make the index infinite.

    Args:
        name: What the figure is.
        reference: Its values where the model was judged.
        current: Its values since.

    Returns:
        The index and its alarm; neither where a side has fewer than 50 values.

    Raises:
        ValueError: A value is not a number.

    Source: Siddiqi 2006, "Credit risk scorecards", for the index and its limits of 0.1 and 0.25; it is the symmetric
        Kullback-Leibler divergence of the two histograms (Kullback and Leibler 1951).
    """
    before, now = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    if not (np.isfinite(before).all() and np.isfinite(now).all()):
        raise ValueError("a value is not a number")
    if min(len(before), len(now)) < FEWEST:
        return Drift(name, None, DriftAlarm.TOO_FEW, len(before), len(now))
    edges = np.unique(np.quantile(before, np.linspace(0, 1, MOST_BINS + 1)[1:-1]))
    shares = [_shares(values, edges) for values in (before, now)]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    alarm = DriftAlarm.STEADY if index < WATCH else DriftAlarm.WATCH if index < ALARM else DriftAlarm.ALARM
    return Drift(name, index, alarm, len(before), len(now))


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) + _ADDED
    return np.asarray(counts / counts.sum())
