"""How long things took."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Milliseconds: the median, the 95th percentile and the longest of `n`."""

    n: int
    p50_ms: float
    p95_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        if not seconds:
            return cls(0, float("nan"), float("nan"), float("nan"))
        p50, p95, longest = (float(value) * 1000 for value in np.percentile(seconds, (50, 95, 100)))
        return cls(len(seconds), p50, p95, longest)
