"""How alike images look to a network: the angle between where its features point."""

import numpy as np
import numpy.typing as npt

_STORED = np.dtype("<f2")
_ROWS_AT_ONCE = 8192


def pack_features(features: npt.NDArray[np.float32]) -> bytes:
    """Write features of length one as half-precision numbers, which keeps a likeness to 0.001.

    Args:
        features: K float32.

    Raises:
        ValueError: It is not one row of finite numbers.
    """
    if features.ndim != 1 or features.size == 0 or not np.isfinite(features).all():
        raise ValueError(f"features are one row of finite numbers, not of shape {features.shape}")
    return features.astype(_STORED).tobytes()


def unpack_features(rows: list[bytes]) -> npt.NDArray[np.float16]:
    """Read what `pack_features` wrote, all of one network.

    Returns:
        N x K float16.
    """
    if not rows:
        return np.zeros((0, 0), _STORED)
    return np.frombuffer(b"".join(rows), dtype=_STORED).reshape(len(rows), -1)


def likeness(features: npt.NDArray[np.float16], others: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Cosine of the angle between one image's features and those of others: 1 for the same, 0 for nothing in common.

    Args:
        features: K of length one.
        others: N x K, each of length one.

    Returns:
        N float32 from -1 to 1.
    """
    values = features.astype(np.float32)
    parts = [
        others[start : start + _ROWS_AT_ONCE].astype(np.float32) @ values
        for start in range(0, len(others), _ROWS_AT_ONCE)
    ]
    return np.clip(np.concatenate(parts), -1, 1) if parts else np.zeros(0, np.float32)
