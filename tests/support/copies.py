"""Copies of a photograph as they come about: stored again, resized, corrected, cropped, turned over."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]


def as_jpeg(rgb: Rgb, quality: int) -> Rgb:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"))


def resized(rgb: Rgb, factor: float) -> Rgb:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=method), np.uint8)


def brighter(rgb: Rgb, gain: float) -> Rgb:
    return np.clip(rgb * gain, 0, 255).astype(np.uint8)


def gamma(rgb: Rgb, exponent: float) -> Rgb:
    return (255 * (rgb / 255) ** exponent).astype(np.uint8)


def blurred(rgb: Rgb, sigma_px: float) -> Rgb:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_px), np.uint8)


def cropped(rgb: Rgb, share: float, at: float) -> Rgb:
    """A share of both sides cut away: at the top and left (`at` 1), at the bottom and right (0), or some of both."""
    height_px, width_px = rgb.shape[:2]
    down, across = round(height_px * share), round(width_px * share)
    top, left = round(down * at), round(across * at)
    return rgb[top : top + height_px - down, left : left + width_px - across]


def mild_copies(rgb: Rgb) -> dict[str, Rgb]:
    """Copies that must be found."""
    return {
        "JPEG, quality 40": as_jpeg(rgb, 40),
        "JPEG, quality 95": as_jpeg(rgb, 95),
        "half the size": resized(rgb, 0.5),
        "1.5 times the size": resized(rgb, 1.5),
        "a fifth darker": brighter(rgb, 0.8),
        "a fifth brighter": brighter(rgb, 1.2),
        "gamma 0.8": gamma(rgb, 0.8),
        "gamma 1.25": gamma(rgb, 1.25),
        "blurred by 1 px": blurred(rgb, 1),
        "blurred by 2 px": blurred(rgb, 2),
        "2% cropped, middle": cropped(rgb, 0.02, 0.5),
        "2% cropped, corner": cropped(rgb, 0.02, 1.0),
        "cropped, brighter, smaller, JPEG": as_jpeg(resized(brighter(cropped(rgb, 0.02, 0.0), 1.1), 0.7), 60),
        "mirrored": rgb[:, ::-1],
        "half a turn, JPEG": as_jpeg(np.ascontiguousarray(rgb[::-1, ::-1]), 80),
    }


def barred(rgb: Rgb, share: float, *, beside: bool = False) -> Rgb:
    """Black bars above and below, or beside, each a share of the side."""
    height_px, width_px = rgb.shape[:2]
    down, across = (0, round(width_px * share)) if beside else (round(height_px * share), 0)
    return np.pad(rgb, ((down, down), (across, across), (0, 0)))


def _from_middle(rgb: Rgb) -> NDArray[np.float64]:
    """Distance from the middle, 1 at the middle of each edge."""
    down, across = ((np.arange(side) + 0.5) / side * 2 - 1 for side in rgb.shape[:2])
    return np.hypot(down[:, None], across[None, :])


def darkened(rgb: Rgb, share: float) -> Rgb:
    """A vignette: the corners lose a share of their light, the middle nothing."""
    return np.asarray(rgb * (1 - share * _from_middle(rgb)[:, :, None] ** 2 / 2), np.uint8)


def round_field(rgb: Rgb) -> Rgb:
    """Black beyond the round field of a device."""
    return np.where(_from_middle(rgb)[:, :, None] < 1.1, rgb, 0).astype(np.uint8)


def further_copies(rgb: Rgb) -> dict[str, Rgb]:
    """Copies that are found as well."""
    turned = np.ascontiguousarray(np.rot90(cropped(rgb, 0.05, 0.0)))
    return {
        "a quarter turn": np.ascontiguousarray(np.rot90(rgb)),
        "transposed": np.ascontiguousarray(rgb.transpose(1, 0, 2)),
        "5% cropped, middle": cropped(rgb, 0.05, 0.5),
        "5% cropped, corner": cropped(rgb, 0.05, 1.0),
        "5% cropped, anywhere": cropped(rgb, 0.05, 0.7),
        "cropped, turned, JPEG": as_jpeg(brighter(turned, 1.1), 60),
        "black bars": barred(rgb, 0.12),
        "black bars, JPEG": as_jpeg(barred(rgb, 0.16, beside=True), 50),
        "vignette": darkened(rgb, 0.6),
        "round field": round_field(rgb),
    }


def harder_copies(rgb: Rgb) -> dict[str, Rgb]:
    """Copies that are found often, not always."""
    return {
        "10% cropped, middle": cropped(rgb, 0.1, 0.5),
        "10% cropped, corner": cropped(rgb, 0.1, 1.0),
        "7% cropped, anywhere": cropped(rgb, 0.07, 0.3),
    }
