"""Many resamples at once: how often each row was drawn, as weights, in place of the drawn rows themselves."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

# Weights are made in blocks of about so many numbers (8 MB), whatever the number of rows.
_BLOCK = 1_000_000


def patient_weights(
    patients: Sequence[int], *, resamples: int, generator: np.random.Generator
) -> Iterator[npt.NDArray[np.float64]]:
    """How often each row is drawn when whole patients are drawn with replacement.

    The order of the rows does not matter: a patient is drawn equally often wherever her rows stand.

    Args:
        patients: Patient of each row, at least one.
        resamples: How many resamples in all.
        generator: Where the chance comes from.

    Yields:
        Shape (resamples of this block, rows), whole numbers from 0.

    Source: Efron and Tibshirani 1993, section 13.3; Field and Welsh 2007 for drawing clusters.
    """
    distinct, group = np.unique(np.asarray(patients), return_inverse=True)
    count = len(distinct)
    size = max(1, _BLOCK // len(group))
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        chosen = generator.integers(0, count, size=(rows, count))
        flat = chosen + count * np.arange(rows)[:, None]
        times = np.bincount(flat.ravel(), minlength=rows * count).reshape(rows, count)
        yield times[:, group].astype(np.float64)


def weighted_auc(
    weights: npt.NDArray[np.float64], is_hsil: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Area under the ROC curve of each resample, from one sorting of the rows.

    Args:
        weights: Shape (resamples, rows): how often each row was drawn.
        is_hsil: Shape (rows,).
        scores: Shape (rows,); ties count half.

    Returns:
        Shape (resamples,), NaN where a label was not drawn.

    Source: Mann and Whitney 1947, each pair counted as often as both of it were drawn.
    """
    if not len(scores):
        return np.full(len(weights), np.nan)
    order = np.argsort(scores, kind="stable")
    levels = np.flatnonzero(np.append(True, np.diff(scores[order]) > 0))
    ranked = weights[:, order]
    hsil = np.add.reduceat(ranked * is_hsil[order], levels, axis=1)
    normal = np.add.reduceat(ranked * ~is_hsil[order], levels, axis=1)
    below = np.cumsum(normal, axis=1) - normal / 2
    pairs = hsil.sum(axis=1) * normal.sum(axis=1)
    return divided((hsil * below).sum(axis=1), pairs)


def divided(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Part by whole, element by element; NaN where the whole is 0."""
    quotient = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient
