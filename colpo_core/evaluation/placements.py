"""What each case gives to the area under the ROC curve."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

_Floats = npt.NDArray[np.float64]


def placements(is_positive: npt.NDArray[np.bool_], scores: _Floats) -> tuple[_Floats, _Floats]:
    """Share of the negative below each positive case, and of the positive above each negative; ties count half.

    The mean of either is the area under the ROC curve.

    Args:
        is_positive: Shape (cases,), both classes among them.
        scores: Shape (cases,), higher for positive.

    Returns:
        Shapes (positive cases,) and (negative cases,).

    Source: DeLong, DeLong and Clarke-Pearson 1988; by midranks after Sun and Xu 2014.
    """
    positive, negative = scores[is_positive], scores[~is_positive]
    ranks = rankdata(scores)
    below = (ranks[is_positive] - rankdata(positive)) / len(negative)
    above = 1 - (ranks[~is_positive] - rankdata(negative)) / len(positive)
    return below, above
