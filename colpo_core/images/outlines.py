"""From an expert's outline to a filled mask, with a word for how the outline was closed.

An outline is a curve, not a region: it may close on itself, run out of the image, stop at the os, or consist of
pieces. What is certain is filled and marked `closed` or `border`. What needs a guess is filled as a proposal and
marked with the guess, so that a person confirms it before anything is learned from it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from colpo_core.images.curves import Curve, End, Mask, Point, cut_spurs, draw_line, find_curves, heading_of, thin
from colpo_core.images.masks import resize_mask
from colpo_core.terms import MaskOrigin

# Lengths are shares of the shorter side; areas are shares of the image.
WORKING_SIDE_PX = 512
SMALL_GAP = 0.03
TO_FRAME = 0.045
TO_EXTEND = 0.10
TO_LINK = 0.13
SHORTEST_CURVE = 0.03
LONGEST_HOOK = 0.05
TAIL_PER_LENGTH = 0.15
CHORD_PER_LENGTH = 0.55
SMALLEST_AREA = 0.0005
SURELY_SMALLER = 0.3
CLEARLY_BETTER = 1.15
NESTED_SHARE = 0.05
WIDE_AT_FRAME = 0.2
STRIP_SCORE = 0.6

# The further down, the more of the mask is a guess; the worst word of an image is the image's.
_CERTAINTY = (
    MaskOrigin.CLOSED,
    MaskOrigin.BORDER,
    MaskOrigin.CHORD,
    MaskOrigin.LINKED,
    MaskOrigin.EXTENDED,
    MaskOrigin.PARTIAL,
    MaskOrigin.OPEN,
)


@dataclass(frozen=True, eq=False)
class FilledOutline:
    """A filled outline.

    Attributes:
        mask: H x W bool; where the origin is a guess, it is a proposal, which may be empty.
        origin: How the outline was closed.
    """

    mask: NDArray[np.bool_]
    origin: MaskOrigin


@dataclass
class _Joints:
    """What is drawn to close curves, and how."""

    walls: NDArray[np.uint8]
    origins: set[MaskOrigin] = field(default_factory=set)
    open_curves: set[int] = field(default_factory=set)

    def join(self, start: Point, end: Point, origin: MaskOrigin) -> None:
        draw_line(self.walls, start, end)
        self.origins.add(origin)


def fill_outline(outline: NDArray[np.bool_], rgb: NDArray[np.uint8]) -> FilledOutline:
    """Fill an outline.

    Small gaps are closed. An end close to the frame is led to it, and the frame is then a wall. Two ends of one
    curve are joined by a chord, ends of two curves that face each other are linked, and an end not far from the
    frame is extended to it. Where curves cut the image in two, the inside is the smaller part or, where that is not
    clear, the more central and brighter one.

    Args:
        outline: H x W bool, True on the drawn curve.
        rgb: H x W x 3 uint8, the image that it was drawn on.

    Raises:
        ValueError: The outline is empty, or does not fit the image.
    """
    if outline.dtype != np.bool_ or outline.shape != rgb.shape[:2]:
        raise ValueError(f"outline {outline.shape} ({outline.dtype}) and image {rgb.shape} do not belong together")
    if not outline.any():
        raise ValueError("an empty outline encloses nothing")
    height, width = outline.shape
    scale = min(1.0, WORKING_SIDE_PX / min(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(outline.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    grey = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).mean(axis=2).astype(np.float32)
    mask, origin = _fill(small, grey)
    return FilledOutline(resize_mask(mask, height_px=height, width_px=width), origin)


def _fill(outline: Mask, grey: NDArray[np.float32]) -> tuple[Mask, MaskOrigin]:
    side = min(outline.shape)
    lines, thickness = _middle_lines(outline, side)
    curves, numbers = find_curves(lines, shortest_px=SHORTEST_CURVE * side)
    joints = _close_curves(curves, numbers, side)
    regions = _Regions(joints.walls > 0)
    inside, doubts = regions.choose_inside(grey)
    smallest = SMALLEST_AREA * inside.size
    if int(inside.sum()) < max(smallest, 2 * thickness**2):
        return np.zeros_like(inside), MaskOrigin.OPEN
    origins = joints.origins | doubts | {MaskOrigin.CLOSED}
    if joints.open_curves:
        origins.add(MaskOrigin.OPEN if len(joints.open_curves) == len(curves) else MaskOrigin.PARTIAL)
    return inside, max(origins, key=_CERTAINTY.index)


def _middle_lines(outline: Mask, side: int) -> tuple[Mask, float]:
    """Middle lines of the outline with small gaps closed, and the thickness of what was drawn."""
    reach = max(1, round(0.008 * side))
    padded = np.pad(outline, reach)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    closed = cv2.morphologyEx(padded.astype(np.uint8), cv2.MORPH_CLOSE, disc)[reach:-reach, reach:-reach] > 0
    lines = thin(closed)
    thickness = float(closed.sum()) / max(int(lines.sum()), 1)
    spur_px = math.ceil(1.5 * thickness) + 2
    lines = _bridge_dashes(cut_spurs(lines, spur_px), SMALL_GAP * side)
    return _cut_tails(cut_spurs(lines, max(spur_px, round(LONGEST_HOOK * side)))), thickness


def _cut_tails(lines: Mask) -> Mask:
    """Take away the tail of a curve that has one end alone: it is a loop whose pen went on for a moment."""
    curves, numbers = find_curves(lines, shortest_px=0)
    cut = lines.copy()
    for curve in curves:
        if len(curve.ends) == 1:
            own = numbers == curve.number
            cut &= ~own | cut_spurs(own, round(TAIL_PER_LENGTH * curve.length_px))
    return cut


def _bridge_dashes(lines: Mask, reach_px: float) -> Mask:
    """Join the dashes of a dashed line: ends of different pieces that are close and face each other."""
    curves, numbers = find_curves(lines, shortest_px=0)
    ends = [heading_of(numbers, curve, at) for curve in curves for at in curve.ends]
    pairs = sorted(
        (end.distance_px(other.at), i, j)
        for i, end in enumerate(ends)
        for j, other in enumerate(ends[:i])
        if end.curve is not other.curve
        and end.distance_px(other.at) <= reach_px
        and end.faces(other.at)
        and other.faces(end.at)
    )
    bridged = lines.astype(np.uint8)
    taken: set[int] = set()
    for _, i, j in pairs:
        if not {i, j} & taken:
            draw_line(bridged, ends[i].at, ends[j].at)
            taken |= {i, j}
    return thin(bridged > 0)


def _close_curves(curves: list[Curve], numbers: NDArray[np.int32], side: int) -> _Joints:
    joints = _Joints(walls=(numbers > 0).astype(np.uint8))
    free = [heading_of(numbers, curve, at) for curve in curves for at in curve.ends]
    free = _close_gaps(free, joints, side)
    free = _reach_frame(free, joints, TO_FRAME * side, MaskOrigin.BORDER)
    free = _touch_curves(free, joints, numbers, TO_FRAME * side)
    free = _join_pairs(free, joints, side)
    free = _reach_frame(free, joints, TO_EXTEND * side, MaskOrigin.EXTENDED)
    _propose_chords(free, joints)
    return joints


def _close_gaps(free: list[End], joints: _Joints, side: int) -> list[End]:
    """Join ends that are so close that the pen merely slipped."""
    pairs = [
        (end.distance_px(other.at), i, j)
        for i, end in enumerate(free)
        for j, other in enumerate(free)
        if j < i and end.distance_px(other.at) <= min(SMALL_GAP * side, 0.25 * end.curve.length_px)
    ]
    return _take_pairs(free, sorted(pairs), joints, lambda end, other: MaskOrigin.CLOSED)


def _join_pairs(free: list[End], joints: _Joints, side: int) -> list[End]:
    """Join the remaining ends, the closest first: chords within a curve, links between curves."""
    pairs = []
    for i, end in enumerate(free):
        for j, other in enumerate(free[:i]):
            gap = end.distance_px(other.at)
            if end.curve is other.curve:
                may = gap <= CHORD_PER_LENGTH * end.curve.length_px
            else:
                may = gap <= TO_LINK * side and end.faces(other.at) and other.faces(end.at)
            if may:
                pairs.append((gap, i, j))

    def word(end: End, other: End) -> MaskOrigin:
        return MaskOrigin.CHORD if end.curve is other.curve else MaskOrigin.LINKED

    return _take_pairs(free, sorted(pairs), joints, word)


def _take_pairs(
    free: list[End],
    pairs: list[tuple[float, int, int]],
    joints: _Joints,
    word: Callable[[End, End], MaskOrigin],
) -> list[End]:
    taken: set[int] = set()
    for _, i, j in pairs:
        if not {i, j} & taken:
            joints.join(free[i].at, free[j].at, word(free[i], free[j]))
            taken |= {i, j}
    return [end for number, end in enumerate(free) if number not in taken]


def _reach_frame(free: list[End], joints: _Joints, reach_px: float, origin: MaskOrigin) -> list[End]:
    """Lead ends near the frame to it."""
    height, width = joints.walls.shape
    left = []
    for end in free:
        row, column = end.at
        ways = [(row, (0, column)), (column, (row, 0))]
        ways += [(height - 1 - row, (height - 1, column)), (width - 1 - column, (row, width - 1))]
        distance, target = min(ways)
        if distance <= reach_px:
            joints.join(end.at, target, origin)
        else:
            left.append(end)
    return left


def _touch_curves(free: list[End], joints: _Joints, numbers: NDArray[np.int32], reach_px: float) -> list[End]:
    """Lead ends that stop just short of another curve to it."""
    left = []
    for end in free:
        others = (numbers > 0) & (numbers != end.curve.number)
        if others.any():
            points = np.argwhere(others)
            distances = np.hypot(points[:, 0] - end.at[0], points[:, 1] - end.at[1])
            nearest = int(distances.argmin())
            target = (int(points[nearest, 0]), int(points[nearest, 1]))
            if distances[nearest] <= reach_px and end.faces(target):
                joints.join(end.at, target, MaskOrigin.LINKED)
                continue
        left.append(end)
    return left


def _propose_chords(free: list[End], joints: _Joints) -> None:
    """Close what is still open by straight lines, the closest ends first, and remember that it is open."""
    joints.open_curves.update(end.curve.number for end in free)
    left = list(free)
    while len(left) > 1:
        pairs = [(end.distance_px(other.at), i, j) for i, end in enumerate(left) for j, other in enumerate(left[:i])]
        _, i, j = min(pairs)
        draw_line(joints.walls, left[i].at, left[j].at)
        left = [end for number, end in enumerate(left) if number not in {i, j}]
    for end in left:
        # The other end has been led to the frame or to another curve.
        others = [at for at in end.curve.ends if at != end.at]
        if others:
            draw_line(joints.walls, end.at, others[0])


class _Regions:
    """The parts into which walls cut an image, and how many walls lie between any two of them."""

    def __init__(self, walls: Mask) -> None:
        self._walls = walls
        self._numbers, self._n_regions = ndimage.label(~walls)
        self._neighbours = self._adjacency()

    def choose_inside(self, grey: NDArray[np.float32]) -> tuple[Mask, set[MaskOrigin]]:
        """Decide which regions are inside.

        Args:
            grey: H x W brightness of the image.

        Returns:
            H x W bool, and what is doubtful about the decision.
        """
        frame = np.concatenate([self._numbers[0], self._numbers[-1], self._numbers[:, 0], self._numbers[:, -1]])
        areas = np.bincount(self._numbers.ravel(), minlength=self._n_regions + 1)
        at_frame = [int(number) for number in np.unique(frame) if number]
        if not at_frame:
            return np.zeros_like(self._walls), {MaskOrigin.OPEN}
        outside = max(at_frame, key=lambda number: int(areas[number]))
        depth = self._depths(outside)
        if not any(depth[number] % 2 for number in at_frame):
            return self._fill_loops(depth)
        return self._fill_sides(depth, grey)

    def _fill_loops(self, depth: NDArray[np.intp]) -> tuple[Mask, set[MaskOrigin]]:
        """Nothing but loops: all that they enclose is inside; a large loop within a loop is doubtful."""
        depths = depth[self._numbers]
        inside = self._with_walls(depths >= 1)
        nested = float((depths >= 2).sum())
        doubtful = nested > NESTED_SHARE * max(float(inside.sum()), 1.0)
        return inside, {MaskOrigin.PARTIAL} if doubtful else set()

    def _fill_sides(self, depth: NDArray[np.intp], grey: NDArray[np.float32]) -> tuple[Mask, set[MaskOrigin]]:
        """Curves from frame to frame: one of two colours is inside."""
        odd = (depth % 2 == 1)[self._numbers] & (self._numbers > 0)
        even = (depth % 2 == 0)[self._numbers] & (self._numbers > 0)
        smaller, larger = (odd, even) if odd.sum() <= even.sum() else (even, odd)
        scores = [_centrality(part, grey) for part in (smaller, larger)]
        if smaller.mean() < SURELY_SMALLER:
            # A strip along the frame, darker than the middle, may be all that is NOT the lesion.
            is_strip = _frame_share(smaller) > WIDE_AT_FRAME and scores[0] < STRIP_SCORE * scores[1]
            return self._with_walls(smaller), {MaskOrigin.PARTIAL} if is_strip else set()
        best = smaller if scores[0] >= scores[1] else larger
        clear = max(scores) >= CLEARLY_BETTER * min(scores)
        return self._with_walls(best), set() if clear else {MaskOrigin.PARTIAL}

    def _with_walls(self, inside: Mask) -> Mask:
        """Add the line itself, up to its middle."""
        grown = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        return np.asarray(inside | (grown & self._walls))

    def _depths(self, outside: int) -> NDArray[np.intp]:
        """How many walls lie between each region and the outside."""
        depth = np.full(self._n_regions + 1, -1, np.intp)
        depth[outside] = 0
        waiting = [outside]
        while waiting:
            following = []
            for number in waiting:
                for neighbour in self._neighbours[number]:
                    if depth[neighbour] < 0:
                        depth[neighbour] = depth[number] + 1
                        following.append(neighbour)
            waiting = following
        return np.asarray(np.where(depth < 0, 0, depth))

    def _adjacency(self) -> dict[int, set[int]]:
        """Which regions share a wall."""
        neighbours: dict[int, set[int]] = {number: set() for number in range(1, self._n_regions + 1)}
        padded = np.pad(self._numbers, 2)
        for row, column in np.argwhere(self._walls):
            near = np.unique(padded[row : row + 5, column : column + 5])
            here = [int(number) for number in near if number]
            for region in here:
                neighbours[region].update(other for other in here if other != region)
        return neighbours


def _frame_share(part: Mask) -> float:
    """Share of the image's frame that a part touches."""
    return float(np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]]).mean())


def _centrality(part: Mask, grey: NDArray[np.float32]) -> float:
    """How central and bright a part is."""
    height, width = part.shape
    rows, columns = np.ogrid[:height, :width]
    away = ((rows - height / 2) / height) ** 2 + ((columns - width / 2) / width) ** 2
    weight = np.exp(-away / (2 * 0.3**2))
    return float(weight[part].mean() * grey[part].mean())
