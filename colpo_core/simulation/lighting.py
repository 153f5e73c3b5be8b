"""Light and camera of a simulated case: shading, highlights, lens, sensor and what the device writes into the image.

Colours are H x W x 3 float32 in [0, 1], display-referred.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.simulation.textures import Field, Shape, blur, noise, smoothstep

Colours = NDArray[np.float32]


@dataclass(frozen=True)
class CameraPlan:
    """Every number that decides how an image is lit and taken.

    Attributes:
        light_x: Where the light's middle falls, in image heights from the middle.
        light_y: The same downwards.
        falloff: How much darker it is a height away from there.
        tilt_x: Sideways tilt of the light, which shades the dome.
        tilt_y: The same downwards.
        wetness: How many highlights there are, 0 to 1.
        exposure: Gain of the whole image.
        gamma: Tone curve of the device.
        gains: Colour cast of the device.
        vignette: Darkness of the corners, 0 to 1.
        aperture: Radius of the device's round field in half diagonals; over 1 there is none.
        blur_px: Blur at 480 rows.
        noise: Standard deviation of the sensor's noise.
        bar: 0 for none, 1 for a bar at the bottom, -1 for one at the top.
        bar_colour: Its colour.
    """

    light_x: float
    light_y: float
    falloff: float
    tilt_x: float
    tilt_y: float
    wetness: float
    exposure: float
    gamma: float
    gains: tuple[float, float, float]
    vignette: float
    aperture: float
    blur_px: float
    noise: float
    bar: int
    bar_colour: tuple[float, float, float]


def draw_camera(rng: np.random.Generator) -> CameraPlan:
    """Draw a device and how it was held."""
    warmth = float(rng.normal(0, 0.05))
    tint = float(rng.normal(0, 0.03))
    has_bar = rng.random() < 0.15
    blue, grey = (0.16, 0.24, 0.45), (0.55, 0.56, 0.58)
    return CameraPlan(
        light_x=float(rng.normal(0, 0.22)),
        light_y=float(rng.normal(0, 0.18)),
        falloff=float(rng.uniform(0.2, 0.75)),
        tilt_x=float(rng.normal(0, 0.28)),
        tilt_y=float(rng.normal(-0.1, 0.25)),
        wetness=float(rng.uniform(0.15, 1.0)),
        exposure=float(np.exp(rng.normal(-0.02, 0.15))),
        gamma=float(np.exp(rng.normal(0.0, 0.12))),
        gains=(1 + warmth, 1 + tint, 1 - warmth + float(rng.normal(0.02, 0.03))),
        vignette=float(rng.uniform(0.1, 0.6)),
        aperture=float(rng.uniform(0.86, 1.0) if rng.random() < 0.15 else 2.0),
        blur_px=float(rng.uniform(0.5, 1.5)),
        noise=float(rng.uniform(0.006, 0.018)),
        bar=int(rng.choice([-1, 1])) if has_bar else 0,
        bar_colour=blue if rng.random() < 0.5 else grey,
    )


def shade(height: Field, plan: CameraPlan, *, scale_px: float) -> Field:
    """Brightness of a matte surface, 1 where it faces the light.

    Args:
        height: H x W surface in units of `scale_px`.
        plan: Light.
        scale_px: Pixels of one unit of height.
    """
    slope_x, slope_y = _slopes(height, scale_px)
    length = np.sqrt(1 + slope_x**2 + slope_y**2)
    light_length = math.sqrt(1 + plan.tilt_x**2 + plan.tilt_y**2)
    facing = (1 - slope_x * plan.tilt_x - slope_y * plan.tilt_y) / (length * light_length)
    return np.asarray(0.25 + 0.75 * np.clip(facing, 0.0, 1.2), np.float32)


def spot(plan: CameraPlan, shape: Shape) -> Field:
    """Uneven light: brightest where the lamp points, weaker further away."""
    rows, columns = _centred(shape)
    distance = np.hypot(columns - plan.light_x, rows - plan.light_y)
    return np.asarray(1.08 / (1 + plan.falloff * (distance / 0.55) ** 2), np.float32)


def highlights(rng: np.random.Generator, height: Field, plan: CameraPlan, *, scale_px: float) -> Field:
    """Mirror images of the lamps on a wet surface: H x W in [0, 1].

    The surface mirrors a lamp where its slope is right for it. Fine waves of the film of fluid break each mirror
    image into the small spots and worms that every colposcopy image shows.
    """
    rows, columns = height.shape
    shape = (rows, columns)
    smooth = blur(height, 0.02 * scale_px)
    slope_x, slope_y = _slopes(smooth, scale_px)
    fine = noise(rng, shape, 0.12 * scale_px, octaves=3)
    wave_x, wave_y = _slopes(fine, 1.0)
    strength = 0.30 / max(float(np.std(wave_x)), 1e-6)
    slope_x, slope_y = slope_x + strength * wave_x, slope_y + strength * wave_y
    wet = smoothstep(0.2, 1.1, noise(rng, shape, 0.55 * scale_px, octaves=2) + 1.1 * plan.wetness - 0.4)
    total = np.zeros(shape, np.float32)
    for _ in range(2):
        lamp_x, lamp_y = -0.55 * plan.tilt_x + rng.normal(0, 0.2), -0.55 * plan.tilt_y + rng.normal(0, 0.2)
        off = (slope_x - lamp_x) ** 2 + (slope_y - lamp_y) ** 2
        total = np.maximum(total, np.exp(-off / (2 * 0.095**2)))
    spots = smoothstep(0.45, 0.85, total) * wet
    return np.asarray(np.clip(spots + 0.35 * blur(spots, 0.016 * scale_px), 0.0, 1.0), np.float32)


def take(rng: np.random.Generator, scene: Colours, plan: CameraPlan) -> NDArray[np.uint8]:
    """Take the image: lens, colour cast, tone curve, round field, sensor and the device's bar.

    Returns:
        H x W x 3 uint8.
    """
    rows, columns = scene.shape[:2]
    shape = (rows, columns)
    down, across = _centred(shape)
    out = np.hypot(across, down) / math.hypot(0.5, 0.5 * columns / rows)
    dark = 1 - plan.vignette * smoothstep(0.35, 1.15, out)
    image = scene * (plan.exposure * dark)[:, :, None] * np.array(plan.gains, np.float32)
    # A shoulder instead of a cut: sensors burn out gently.
    image = np.where(image > 0.8, 0.8 + 0.2 * np.tanh((image - 0.8) / 0.2), image)
    image = np.clip(image, 0.0, 1.0) ** plan.gamma
    image = image * smoothstep(plan.aperture + 0.012, plan.aperture - 0.012, out)[:, :, None]
    image = blur(image, plan.blur_px * rows / 480)
    grain = rng.standard_normal((rows, columns, 3), np.float32)
    grain = 0.6 * grain + 0.8 * grain.mean(axis=2, keepdims=True)
    image = image + plan.noise * grain * (0.6 + 0.6 * np.sqrt(np.clip(image, 0, 1)))
    if plan.bar:
        _write_bar(rng, image, plan)
    return np.asarray(np.rint(np.clip(image, 0.0, 1.0) * 255), np.uint8)


def visible(plan: CameraPlan, shape: Shape) -> NDArray[np.bool_]:
    """True where the device shows the scene: inside its round field and off its bar."""
    rows, columns = shape
    down, across = _centred(shape)
    out = np.hypot(across, down) / math.hypot(0.5, 0.5 * columns / rows)
    seen = np.asarray(out < plan.aperture)
    if plan.bar:
        seen[_bar_rows(rows, plan)] = False
    return seen


def _bar_rows(rows: int, plan: CameraPlan) -> slice:
    thickness = round(0.055 * rows)
    return slice(rows - thickness, rows) if plan.bar > 0 else slice(0, thickness)


def _write_bar(rng: np.random.Generator, image: Colours, plan: CameraPlan) -> None:
    """A bar as the devices write it, with strokes in place of any text."""
    bar = image[_bar_rows(image.shape[0], plan)]
    bar[:] = plan.bar_colour
    height, width = bar.shape[:2]
    ink = 0.95 if sum(plan.bar_colour) < 1.2 else 0.15
    at = int(0.02 * width)
    while at < 0.55 * width:
        stroke = max(1, int(rng.integers(2, 6) * height / 26))
        top, bottom = int(height * rng.uniform(0.3, 0.42)), int(height * rng.uniform(0.62, 0.72))
        if rng.random() < 0.8:
            cv2.rectangle(bar, (at, top), (at + stroke, bottom), (ink, ink, ink), max(1, height // 26), cv2.LINE_AA)
        at += stroke + max(2, int(height * 0.16))


def _slopes(height: Field, scale_px: float) -> tuple[Field, Field]:
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=scale_px / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=scale_px / 8)
    return np.asarray(slope_x, np.float32), np.asarray(slope_y, np.float32)


def _centred(shape: Shape) -> tuple[Field, Field]:
    """Rows and columns in image heights from the middle."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return (rows - shape[0] / 2) / shape[0], (columns - shape[1] / 2) / shape[0]
