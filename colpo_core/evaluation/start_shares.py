"""How much of what a mask started from is still in it: what automation bias is measured by."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class StartShares:
    """A mask beside what it started from.

    Attributes:
        kept: Share of the start's pixels that the mask still marks, 0 to 1; None where the start marked none.
        added: Share of the mask's pixels that the start did not mark, 0 to 1; None where the mask marks none.
    """

    kept: float | None
    added: float | None


def start_shares(start: npt.NDArray[np.bool_], final: npt.NDArray[np.bool_]) -> StartShares:
    """Compare a mask with what it started from.

    Args:
        start: HW bool, the mask that it started from; nothing marked where it started from nothing.
        final: HW bool of the same size, the mask as it was submitted.

    Raises:
        ValueError: The two are not bool masks of one size.
    """
    if start.shape != final.shape or start.ndim != 2:
        raise ValueError(f"two masks of one size, not {start.shape} and {final.shape}")
    if start.dtype != np.bool_ or final.dtype != np.bool_:
        raise ValueError(f"masks are bool, not {start.dtype} and {final.dtype}")
    n_start, n_final = int(np.count_nonzero(start)), int(np.count_nonzero(final))
    n_kept = int(np.count_nonzero(start & final))
    return StartShares(
        kept=n_kept / n_start if n_start else None,
        added=(n_final - n_kept) / n_final if n_final else None,
    )
