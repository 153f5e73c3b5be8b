"""Random textures that the simulated cases are made of: noise, grains, cells, vessels and drops.

Every function draws from the generator that it is given and from nothing else. Lengths are in pixels of the image.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Shape = tuple[int, int]


def smoothstep(low: float, high: float, values: NDArray[Any]) -> Field:
    """0 below `low`, 1 above `high`, and a smooth rise between; falls where `high` is less than `low`."""
    shares = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(shares * shares * (3.0 - 2.0 * shares), np.float32)


def blur(values: NDArray[Any], sigma_px: float) -> Field:
    """Gaussian blur; a wide one is done on a smaller copy, which looks the same and takes a fraction of the time."""
    height, width = values.shape[:2]
    factor = int(min(sigma_px / 3, min(height, width) / 8))
    if factor < 2:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma_px, 0.05)), np.float32)
    small = cv2.resize(values, (max(width // factor, 1), max(height // factor, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / factor)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def noise(rng: np.random.Generator, shape: Shape, length_px: float, *, octaves: int = 3) -> Field:
    """Fractal noise with mean near 0 and standard deviation near 1.

    Args:
        rng: Source of randomness.
        shape: Height and width.
        length_px: Length of the largest features.
        octaves: How many times finer features are added, each of half the length and half the strength.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    power = 0.0
    for octave in range(octaves):
        cell = max(length_px / 2**octave, 1.0)
        rows, columns = int(height / cell) + 4, int(width / cell) + 4
        grid = rng.standard_normal((rows, columns), np.float32)
        fine = cv2.resize(grid, (int(columns * cell) + 1, int(rows * cell) + 1), interpolation=cv2.INTER_CUBIC)
        top, left = int(1.5 * cell), int(1.5 * cell)
        total += fine[top : top + height, left : left + width] / 2**octave
        power += 0.62 / 4**octave
    return np.asarray(total / math.sqrt(power), np.float32)


def grains(rng: np.random.Generator, shape: Shape, length_px: float) -> Field:
    """Grains of one size like the villi of columnar epithelium: standard deviation 1, bright in their middles."""
    height, width = shape
    factor = max(1.0, length_px / 4)
    grid = rng.standard_normal((int(height / factor) + 1, int(width / factor) + 1), np.float32)
    sigma = length_px / factor / 2.6
    coarse = cv2.GaussianBlur(grid, (0, 0), sigma) - cv2.GaussianBlur(grid, (0, 0), 1.7 * sigma)
    field = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def cells(rng: np.random.Generator, shape: Shape, length_px: float) -> tuple[Field, Field]:
    """Tiles of irregular size: what mosaic and punctation are made of.

    Returns:
        Walls (1 on the lines between two tiles) and dots (1 in the middle of each), each H x W in [0, 1].
    """
    height, width = shape
    n_rows, n_columns = int(height / length_px) + 2, int(width / length_px) + 2
    rows, columns = np.mgrid[:n_rows, :n_columns].astype(np.float32)
    at_row = ((rows + rng.uniform(-0.42, 0.42, rows.shape)) * length_px).astype(np.intp)
    at_column = ((columns + rng.uniform(-0.42, 0.42, columns.shape)) * length_px).astype(np.intp)
    inside = (at_row >= 0) & (at_row < height) & (at_column >= 0) & (at_column < width)
    seeds = np.full(shape, 255, np.uint8)
    seeds[at_row[inside], at_column[inside]] = 0
    distance, tiles = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    walls = np.zeros(shape, np.float32)
    walls[:, 1:] = tiles[:, 1:] != tiles[:, :-1]
    walls[1:] = np.maximum(walls[1:], tiles[1:] != tiles[:-1])
    thickness = max(0.11 * length_px, 0.7)
    walls = np.clip(blur(walls, thickness) * 2.2, 0.0, 1.0)
    dots = smoothstep(0.24 * length_px + 0.5, 0.10 * length_px, distance)
    return np.asarray(walls, np.float32), dots


def vessels(
    rng: np.random.Generator, shape: Shape, *, number: int, length_px: float, width_px: float, winding: float
) -> Field:
    """Branching vessels: H x W in [0, 1], 1 in the middle of the strongest.

    Args:
        rng: Source of randomness.
        shape: Height and width.
        number: How many stems there are.
        length_px: Length of a stem.
        width_px: Width of a stem at its beginning.
        winding: How much a vessel turns at each step, in radians.
    """
    height, width = shape
    canvas = np.zeros(shape, np.uint8)
    step = max(length_px / 24, 1.5)
    stems = [
        (rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 2 * math.pi), length_px, width_px)
        for _ in range(number)
    ]
    while stems:
        x, y, angle, length, thick = stems.pop()
        n_steps = int(length / step)
        if n_steps < 3:
            continue
        angles = angle + np.cumsum(rng.normal(0, winding, n_steps))
        points = np.stack([x + np.cumsum(np.cos(angles)) * step, y + np.cumsum(np.sin(angles)) * step], axis=1)
        strength = int(np.clip(90 + 110 * thick / width_px, 0, 255))
        path = np.rint(points * 8).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [path], False, strength, max(1, round(thick)), cv2.LINE_AA, 3)
        if length > 0.3 * length_px:
            for at in rng.integers(n_steps // 4, n_steps, 2):
                turn = rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.9)
                stems.append((*points[at], float(angles[at] + turn), length * 0.5, thick * 0.7))
    return blur(canvas.astype(np.float32) / 255.0, 0.35 * width_px)


def splashes(rng: np.random.Generator, shape: Shape, *, number: int, length_px: float) -> Field:
    """Drops and smears with ragged edges: H x W in [0, 1], greater in the thick middle."""
    height, width = shape
    canvas = np.zeros(shape, np.float32)
    for _ in range(number):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        for _ in range(int(rng.integers(2, 9))):
            at = (int(x + rng.normal(0, length_px)), int(y + rng.normal(0, length_px)))
            size = length_px * float(rng.uniform(0.12, 0.55))
            axes = (max(1, int(size * rng.uniform(0.5, 1.4))), max(1, int(size)))
            cv2.ellipse(canvas, at, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    soft = blur(canvas, 0.22 * length_px)
    ragged = soft + 0.26 * noise(rng, shape, 0.6 * length_px, octaves=4) * (soft > 0.02)
    return smoothstep(0.36, 0.58, ragged) * (0.55 + 0.45 * smoothstep(0.4, 1.0, soft))
