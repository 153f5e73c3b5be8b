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


def harder_copies(rgb: Rgb) -> dict[str, Rgb]:
    """Copies that are found often, not always."""
    return {
        "5% cropped, middle": cropped(rgb, 0.05, 0.5),
        "5% cropped, corner": cropped(rgb, 0.05, 1.0),
    }
