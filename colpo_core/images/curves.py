"""Drawn curves: their middle lines, their ends, and which ends belong together.

Points are (row, column) in pixels of the raster that is worked on.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Point = tuple[int, int]
_EIGHT = np.ones((3, 3), np.bool_)
_TANGENT_PX = 9


@dataclass(frozen=True)
class Curve:
    """One connected middle line.

    Attributes:
        number: Its number in the raster of curves, from 1.
        length_px: How many pixels it has.
        ends: Its free ends; a closed curve has none.
    """

    number: int
    length_px: int
    ends: tuple[Point, ...]


@dataclass(frozen=True)
class End:
    """A free end of a curve.

    Attributes:
        curve: The curve that ends here.
        at: Where.
        heading: Unit vector (row, column) in which the curve would go on.
    """

    curve: Curve
    at: Point
    heading: tuple[float, float]

    def faces(self, other: Point) -> bool:
        """Whether the curve would go on towards a point, give or take a right angle."""
        rows, columns = other[0] - self.at[0], other[1] - self.at[1]
        return rows * self.heading[0] + columns * self.heading[1] >= 0.0

    def distance_px(self, other: Point) -> float:
        """Straight distance to a point."""
        return math.hypot(other[0] - self.at[0], other[1] - self.at[1])


def thin(lines: Mask) -> Mask:
    """Thin lines to a middle line of one pixel.

    Source: Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984.

    Args:
        lines: H x W bool.

    Returns:
        H x W bool, 8-connected wherever the lines were.
    """
    image = np.pad(lines, 1)
    while True:
        before = int(image.sum())
        for first in (True, False):
            image &= ~_removable(image, first=first)
        if int(image.sum()) == before:
            return np.asarray(image[1:-1, 1:-1])


def _removable(image: Mask, *, first: bool) -> Mask:
    """Pixels that one sub-iteration takes away; the image has a margin of one pixel."""
    around, count, rises = _surroundings(image)
    up, right, down, left = around[0], around[2], around[4], around[6]
    sides = (up & right & down) | (right & down & left) if first else (up & right & left) | (up & down & left)
    out = np.zeros_like(image)
    out[1:-1, 1:-1] = image[1:-1, 1:-1] & (count >= 2) & (count <= 6) & (rises == 1) & ~sides
    return out


def _surroundings(image: Mask) -> tuple[list[Mask], NDArray[np.uint8], NDArray[np.uint8]]:
    """The eight neighbours of every pixel within the margin, how many there are, and in how many runs."""
    # In order, clockwise from the one above.
    offsets = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    height, width = image.shape[0] - 2, image.shape[1] - 2
    around = [image[row : row + height, column : column + width] for row, column in offsets]
    count = np.zeros((height, width), np.uint8)
    runs = np.zeros((height, width), np.uint8)
    for at, neighbour in enumerate(around):
        count += neighbour
        runs += ~neighbour & around[(at + 1) % 8]
    return around, count, runs


def cut_spurs(lines: Mask, longest_px: int) -> Mask:
    """Take away short side branches, the shortest first: what thinning leaves on a thick line, and hooks.

    An end without a fork near it is the end of the curve itself and stays.
    """
    cut = lines.copy()
    while True:
        is_fork = cut & (_surroundings(np.pad(cut, 1))[2] >= 3)
        branches = [path for end in _ends_of(cut) if (path := _walk(cut, is_fork, end, longest_px))]
        if not branches:
            return cut
        for row, column in min(branches, key=len):
            cut[row, column] = False


def _walk(lines: Mask, is_fork: Mask, start: Point, longest_px: int) -> list[Point]:
    """The way from an end to the next fork, without the fork; empty where there is none within reach."""
    path = [start]
    while len(path) <= longest_px:
        ahead = [point for point in _neighbours(lines, path[-1]) if point not in path]
        forks = [point for point in ahead if is_fork[point]]
        if forks:
            return path
        if not ahead:
            return []
        # At a corner of the raster the next pixel is the one that shares a side.
        path.append(min(ahead, key=lambda point: abs(point[0] - path[-1][0]) + abs(point[1] - path[-1][1])))
    return []


def _neighbours(lines: Mask, point: Point) -> list[Point]:
    row, column = point
    top, left = max(row - 1, 0), max(column - 1, 0)
    offsets = np.argwhere(lines[top : row + 2, left : column + 2])
    near = [(int(r) + top, int(c) + left) for r, c in offsets]
    return [neighbour for neighbour in near if neighbour != point]


def _ends_of(lines: Mask) -> list[Point]:
    """Pixels from which a line goes on to one side alone; at a corner of the raster that side has two pixels."""
    _, count, runs = _surroundings(np.pad(lines, 1))
    return [(int(row), int(column)) for row, column in np.argwhere(lines & (count <= 2) & (runs <= 1))]


def find_curves(lines: Mask, *, shortest_px: float) -> tuple[list[Curve], NDArray[np.int32]]:
    """Tell the curves of middle lines apart; crumbs are left out unless there is nothing else.

    Args:
        lines: H x W bool middle lines.
        shortest_px: A shorter curve is a crumb.

    Returns:
        The curves, and H x W their numbers (0 off every curve).
    """
    numbers, n_curves = ndimage.label(lines, structure=_EIGHT)
    lengths = np.bincount(numbers.ravel(), minlength=n_curves + 1)
    ends: dict[int, list[Point]] = {number: [] for number in range(1, n_curves + 1)}
    for row, column in _ends_of(lines):
        ends[int(numbers[row, column])].append((row, column))
    curves = [Curve(number, int(lengths[number]), tuple(ends[number])) for number in ends]
    long_enough = [curve for curve in curves if curve.length_px >= shortest_px] or curves
    is_kept = np.zeros(n_curves + 1, np.bool_)
    is_kept[[curve.number for curve in long_enough]] = True
    return long_enough, np.asarray(np.where(is_kept[numbers], numbers, 0), np.int32)


def heading_of(numbers: NDArray[np.int32], curve: Curve, at: Point) -> End:
    """A curve's end with the direction in which it points."""
    top, left = max(at[0] - _TANGENT_PX, 0), max(at[1] - _TANGENT_PX, 0)
    near = np.argwhere(numbers[top : at[0] + _TANGENT_PX + 1, left : at[1] + _TANGENT_PX + 1] == curve.number)
    middle = near.mean(axis=0) + np.array([top, left])
    rows, columns = at[0] - float(middle[0]), at[1] - float(middle[1])
    length = math.hypot(rows, columns) or 1.0
    return End(curve, at, (rows / length, columns / length))


def draw_line(canvas: NDArray[np.uint8], start: Point, end: Point) -> None:
    """Draw a straight line of one pixel, 4-connected, so that nothing slips through between its pixels."""
    cv2.line(canvas, (start[1], start[0]), (end[1], end[0]), 1, 1, cv2.LINE_4)
