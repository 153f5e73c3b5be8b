"""Whether a network's probability goes with a group (a device) among patients of one label."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

FEWEST_OF_A_GROUP = 5
_PERMUTATIONS = 1999


def group_p(probabilities: Sequence[float], strata: Sequence[str], groups: Sequence[str]) -> float | None:
    """Chance of so large a difference between groups within strata, where there is none.

    The sum over strata of the squares of ranks between groups, against the same with the groups dealt out anew within
    each stratum (van Elteren's test by permutation). Groups of a stratum with fewer than `FEWEST_OF_A_GROUP` rows take
    no part.

    Args:
        probabilities: One a patient and label.
        strata: Her label.
        groups: Her device.

    Returns:
        The p value; None where no stratum holds two groups that are large enough.

    Raises:
        ValueError: The lengths differ.

    Source: van Elteren 1960; Kruskal and Wallis 1952 within a stratum.
    """
    if not len(probabilities) == len(strata) == len(groups):
        raise ValueError("one stratum and one group a probability")
    rng = np.random.default_rng(0)
    total: npt.NDArray[np.float64] | None = None
    for stratum in sorted(set(strata)):
        rows = [row for row, name in enumerate(strata) if name == stratum]
        named = [groups[row] for row in rows]
        large = {name for name in named if named.count(name) >= FEWEST_OF_A_GROUP}
        kept = [(row, name) for row, name in zip(rows, named, strict=True) if name in large]
        if len(large) < 2:
            continue
        ranks = rankdata([probabilities[row] for row, _ in kept])
        codes = np.unique([name for _, name in kept], return_inverse=True)[1]
        dealt = np.stack([codes, *(rng.permutation(codes) for _ in range(_PERMUTATIONS))])
        statistics = _between(ranks, dealt) / max(float(ranks.var(ddof=1)), 1e-12)
        total = statistics if total is None else total + statistics
    if total is None:
        return None
    return (1 + int((total[1:] >= total[0] - 1e-9).sum())) / len(total)


def _between(ranks: npt.NDArray[np.float64], dealt: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Sum of squares of ranks between the groups, one for each way in which they are dealt."""
    apart = ranks - ranks.mean()
    squares = np.zeros(len(dealt))
    for code in range(int(dealt.max()) + 1):
        is_in = dealt == code
        squares += (is_in @ apart) ** 2 / is_in.sum(axis=1)
    return squares
