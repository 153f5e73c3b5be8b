"""Where a lesion lies on the cervix, as colposcopists say it: hours of a clock, quadrants, percent of the cervix.

Twelve is up. Hour h is the sector of 30 degrees around h o'clock; the quadrants lie from 12 to 3, 3 to 6, 6 to 9 and
9 to 12. The centre of the clock is the centroid of the cervix, or the middle of the image where no outline of the
cervix is known; then nothing is said of a percentage of the cervix.
"""

from dataclasses import dataclass
from math import hypot, pi, sqrt

import numpy as np
from numpy.typing import NDArray

TOUCHED_PERCENT = 5
_CENTRAL_SHARE = 0.05
# Two sums of the same pixels in another order differ in their last digit; a pixel on an axis shall stay on it.
_DECIMALS = 6


@dataclass(frozen=True)
class Clock:
    """The face that hours are read from.

    Attributes:
        centre_x_px: Centre in pixels of the image, origin at its top left corner; a pixel's own centre lies at .5.
        centre_y_px: Likewise.
        radius_px: Radius of the disc that has the cervix's area; without a cervix, half of the image's shorter side.
        is_cervix: Whether it was laid on an outline of the cervix.
    """

    centre_x_px: float
    centre_y_px: float
    radius_px: float
    is_cervix: bool

    def hour_at(self, x_px: float, y_px: float) -> int | None:
        """The hour, 1 to 12, at which a point lies; None within a twentieth of the radius around the centre."""
        dx, dy = x_px - self.centre_x_px, y_px - self.centre_y_px
        if hypot(dx, dy) < _CENTRAL_SHARE * self.radius_px:
            return None
        return int(_hours(np.array([dx]), np.array([dy]))[0][0])


@dataclass(frozen=True)
class LesionPlace:
    """How large a lesion is and where it lies.

    Attributes:
        percent_of_cervix: Share of the cervix's area that the lesion covers, 0 to 100; None without an outline of it.
        percent_of_image: The whole lesion's share of the image, 0 to 100.
        centre_hour: Hour at which the lesion's centroid lies; None for no lesion and for one around the clock's centre.
        centre_distance: How far out the centroid lies, as a share of the clock's radius; None for no lesion.
        hours: The hours that it touches: at least 5 percent of its pixels lie in the sector. Ascending.
        quadrants: The quadrants that it touches by the same rule, 1 for that from 12 to 3. Ascending.
        clock: What was measured on.
    """

    percent_of_cervix: float | None
    percent_of_image: float
    centre_hour: int | None
    centre_distance: float | None
    hours: tuple[int, ...]
    quadrants: tuple[int, ...]
    clock: Clock


def lay_clock(cervix: NDArray[np.bool_] | None, *, height_px: int, width_px: int) -> Clock:
    """Lay the clock on a cervix, or on the whole image.

    Args:
        cervix: H x W bool, True on the cervix; None, or without a pixel, where no outline is known.
        height_px: Height of the image.
        width_px: Its width.

    Raises:
        ValueError: The mask is not of the image's size.
    """
    if cervix is not None and cervix.shape != (height_px, width_px):
        raise ValueError(f"the cervix is {cervix.shape}, its image {(height_px, width_px)}")
    if cervix is None or not cervix.any():
        return Clock(width_px / 2, height_px / 2, min(width_px, height_px) / 2, is_cervix=False)
    rows, columns = np.nonzero(cervix)
    return Clock(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5, sqrt(rows.size / pi), is_cervix=True)


def place_lesion(lesion: NDArray[np.bool_], cervix: NDArray[np.bool_] | None = None) -> LesionPlace:
    """Say where a lesion lies.

    Args:
        lesion: H x W bool, True on the lesion.
        cervix: H x W bool, True on the cervix; None where no outline is known.

    Raises:
        ValueError: The masks differ in size.
    """
    height_px, width_px = lesion.shape
    clock = lay_clock(cervix, height_px=height_px, width_px=width_px)
    inside = None
    if cervix is not None and clock.is_cervix:
        inside = 100 * float(np.count_nonzero(lesion & cervix)) / float(np.count_nonzero(cervix))
    rows, columns = np.nonzero(lesion)
    if rows.size == 0:
        return LesionPlace(inside, 0.0, None, None, (), (), clock)
    dx = np.round(columns + 0.5 - clock.centre_x_px, _DECIMALS)
    dy = np.round(rows + 0.5 - clock.centre_y_px, _DECIMALS)
    off_centre = (dx != 0) | (dy != 0)
    late, early = _hours(dx[off_centre], dy[off_centre])
    right, left, up, down = dx >= 0, dx <= 0, dy <= 0, dy >= 0
    quadrants = (right & up, right & down, left & down, left & up)
    centre_x, centre_y = float(columns.mean()) + 0.5, float(rows.mean()) + 0.5
    return LesionPlace(
        percent_of_cervix=inside,
        percent_of_image=100 * rows.size / lesion.size,
        centre_hour=clock.hour_at(centre_x, centre_y),
        centre_distance=hypot(centre_x - clock.centre_x_px, centre_y - clock.centre_y_px) / clock.radius_px,
        hours=tuple(hour for hour in range(1, 13) if _is_touched((late == hour) | (early == hour), rows.size)),
        quadrants=tuple(number for number, part in enumerate(quadrants, start=1) if _is_touched(part, rows.size)),
        clock=clock,
    )


def _hours(dx: NDArray[np.float64], dy: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The hour of each point, given from the clock's centre, y downwards; on a border, the later and the earlier one.

    Else a mirror image would touch other hours than its original.
    """
    turned = np.degrees(np.arctan2(dx, -dy)) / 30
    late, early = (np.asarray(hours, np.int64) % 12 for hours in (np.floor(turned + 0.5), np.ceil(turned - 0.5)))
    return np.where(late == 0, 12, late), np.where(early == 0, 12, early)


def _is_touched(part: NDArray[np.bool_], whole_px: int) -> bool:
    return bool(100 * np.count_nonzero(part) >= TOUCHED_PERCENT * whole_px)
