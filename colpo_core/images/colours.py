"""Colours for maps that lie over an image.

The table runs from a dark violet over red and orange to a pale yellow. It is interpolated in Oklab and its lightness
grows evenly, so that equal steps of a map look equal, also to colour-blind eyes and in print.

Source: Ottosson, "A perceptual color space for image processing", 2020 (the Oklab matrices).
"""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

HIGHEST_ALPHA = 220
_TABLE_SIZE = 256
_STOPS_SRGB = ((20, 8, 50), (92, 22, 110), (170, 44, 92), (228, 92, 48), (250, 168, 30), (252, 252, 164))
_LMS_FROM_LINEAR = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def evidence_rgba(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Colour a map; what is 0 is fully transparent, and more is brighter and more opaque.

    Args:
        values: H x W float in [0, 1]; what lies outside is clipped.

    Returns:
        H x W x 4 uint8, not premultiplied.

    Raises:
        ValueError: The map is not two-dimensional or holds a value that is not finite.
    """
    _check_map(values)
    shares = np.clip(values.astype(np.float64), 0.0, 1.0)
    rgba = np.empty((*shares.shape, 4), np.uint8)
    rgba[..., :3] = EVIDENCE_COLOURS[np.rint(shares * (_TABLE_SIZE - 1)).astype(np.intp)]
    rgba[..., 3] = np.rint(np.sqrt(shares) * HIGHEST_ALPHA)
    return rgba


def map_png(values: NDArray[Any], *, height_px: int, width_px: int, brightest: float | None = None) -> bytes:
    """Draw a coarse map as an overlay of its image's size.

    Args:
        values: h x w float, not negative, covering exactly the image.
        height_px: Height of the image.
        width_px: Its width.
        brightest: The value that is drawn brightest, to draw several maps on one scale; None takes the map's own
            maximum. A map without any positive value is fully transparent.

    Returns:
        An RGBA PNG, without metadata.

    Raises:
        ValueError: The map is not two-dimensional or holds a value that is not finite.
    """
    _check_map(values)
    top = float(values.max()) if brightest is None else brightest
    shares = np.clip(values.astype(np.float32) / top, 0.0, 1.0) if top > 0 else np.zeros(values.shape, np.float32)
    smooth = np.asarray(cv2.resize(shares, (width_px, height_px), interpolation=cv2.INTER_CUBIC))
    buffer = io.BytesIO()
    Image.fromarray(evidence_rgba(smooth)).save(buffer, format="PNG")
    return buffer.getvalue()


def _check_map(values: NDArray[Any]) -> None:
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"a map is a two-dimensional array of finite numbers, not one of shape {values.shape}")


def _evidence_colours() -> NDArray[np.uint8]:
    """256 colours between the stops, spaced so that Oklab's lightness grows by equal steps."""
    stops = _oklab(np.array(_STOPS_SRGB, np.float64) / 255)
    lightness = np.linspace(stops[0, 0], stops[-1, 0], _TABLE_SIZE)
    colours = np.stack([np.interp(lightness, stops[:, 0], stops[:, axis]) for axis in range(3)], axis=1)
    return np.rint(_srgb(colours) * 255).astype(np.uint8)


def _oklab(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LMS_FROM_LINEAR.T) @ _OKLAB_FROM_LMS.T)


def _srgb(oklab: NDArray[np.float64]) -> NDArray[np.float64]:
    lms = (oklab @ np.linalg.inv(_OKLAB_FROM_LMS).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_LMS_FROM_LINEAR).T, 0.0, 1.0)
    return np.asarray(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055))


EVIDENCE_COLOURS = _evidence_colours()


def evidence_gradient(steps: int = 9) -> str:
    """The table's colours from least to most as a CSS gradient from left to right, for a colour bar.

    Args:
        steps: Colours that are named; a browser draws those between.
    """
    named = (EVIDENCE_COLOURS[round(step * (_TABLE_SIZE - 1) / (steps - 1))].tolist() for step in range(steps))
    return f"linear-gradient(to right, {', '.join(f'rgb({red} {green} {blue})' for red, green, blue in named)})"
