"""Hours, quadrants and percentages of lesions, on masks whose answer can be read off by eye or by symmetry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from colpo_core.images.clock_face import LesionPlace, lay_clock, place_lesion

SIDE = 40


def blob(x_px: float, y_px: float, radius_px: float, side: int = SIDE) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:side, :side] + 0.5
    return np.asarray((columns - x_px) ** 2 + (rows - y_px) ** 2 <= radius_px**2)


def shapes(side: int = 12) -> st.SearchStrategy[NDArray[np.bool_]]:
    return arrays.arrays(np.bool_, (side, side))


def figures(place: LesionPlace) -> tuple[object, ...]:
    return (place.percent_of_cervix, place.percent_of_image, place.hours, place.quadrants)


@pytest.mark.parametrize(
    ("x_px", "y_px", "hour", "quadrants"),
    [(20, 6, 12, (1, 4)), (34, 20, 3, (1, 2)), (20, 34, 6, (2, 3)), (6, 20, 9, (3, 4)), (30, 10, None, (1,))],
)
def test_a_lesion_lies_where_a_clock_says(x_px: float, y_px: float, hour: int | None, quadrants: tuple[int]) -> None:
    place = place_lesion(blob(x_px, y_px, 3), blob(20, 20, 19))
    assert place.quadrants == quadrants
    if hour is not None:
        assert hour in place.hours
        assert place.centre_hour == hour
    assert place.centre_distance == pytest.approx(np.hypot(x_px - 20, y_px - 20) / 19, abs=0.02)


def test_the_percentage_is_of_the_cervix_and_counts_only_what_lies_on_it() -> None:
    cervix = np.zeros((10, 10), np.bool_)
    cervix[2:8, 2:8] = True
    lesion = np.zeros((10, 10), np.bool_)
    lesion[0:5, 2:8] = True
    place = place_lesion(lesion, cervix)
    assert place.percent_of_cervix == pytest.approx(50)
    assert place.percent_of_image == pytest.approx(30)


def test_the_clock_is_the_cervix_s_not_the_image_s() -> None:
    lesion = blob(20, 20, 2)
    assert place_lesion(lesion, blob(10, 20, 9)).centre_hour == 3
    assert place_lesion(lesion, blob(30, 20, 9)).centre_hour == 9


def test_without_a_cervix_nothing_is_called_a_percentage_of_it() -> None:
    for cervix in (None, np.zeros((SIDE, SIDE), np.bool_)):
        place = place_lesion(blob(30, 10, 4), cervix)
        assert place.percent_of_cervix is None
        assert not place.clock.is_cervix
        assert (place.clock.centre_x_px, place.clock.centre_y_px) == (20, 20)
        assert place.quadrants == (1,)


def test_no_lesion_touches_nothing() -> None:
    nothing = np.zeros((SIDE, SIDE), np.bool_)
    place = place_lesion(nothing, blob(20, 20, 9))
    assert figures(place) == (0.0, 0.0, (), ())
    assert (place.centre_hour, place.centre_distance) == (None, None)


def test_a_lesion_around_the_os_touches_every_hour_and_has_no_hour_of_its_own() -> None:
    place = place_lesion(blob(20, 20, 10), blob(20, 20, 19))
    assert place.hours == tuple(range(1, 13))
    assert place.quadrants == (1, 2, 3, 4)
    assert place.centre_hour is None


def test_an_hour_counts_from_five_percent_on() -> None:
    lesion = np.zeros((SIDE, SIDE), np.bool_)
    lesion[2, 12:31] = True  # nineteen pixels about 12 o'clock
    lesion[37, 20] = True
    assert 6 in place_lesion(lesion).hours  # 1 of 20
    lesion[3, 20] = True
    assert 6 not in place_lesion(lesion).hours  # 1 of 21


@given(shapes(), shapes())
def test_a_quarter_turn_moves_the_hours_by_three(lesion: NDArray[np.bool_], cervix: NDArray[np.bool_]) -> None:
    before = place_lesion(lesion, cervix)
    after = place_lesion(np.rot90(lesion, -1), np.rot90(cervix, -1))
    assert after.hours == tuple(sorted((hour + 2) % 12 + 1 for hour in before.hours))
    assert after.quadrants == tuple(sorted(number % 4 + 1 for number in before.quadrants))
    assert (after.percent_of_cervix, after.percent_of_image) == (before.percent_of_cervix, before.percent_of_image)


@given(shapes(), shapes())
def test_a_mirror_swaps_left_and_right(lesion: NDArray[np.bool_], cervix: NDArray[np.bool_]) -> None:
    before = place_lesion(lesion, cervix)
    after = place_lesion(lesion[:, ::-1], cervix[:, ::-1])
    assert after.hours == tuple(sorted((11 - hour) % 12 + 1 for hour in before.hours))
    assert after.quadrants == tuple(sorted(5 - number for number in before.quadrants))
    assert after.percent_of_cervix == before.percent_of_cervix


@given(shapes(), shapes(), st.integers(2, 4))
def test_a_larger_image_of_the_same_says_the_same(
    lesion: NDArray[np.bool_], cervix: NDArray[np.bool_], factor: int
) -> None:
    """A lesion needs its share in a sector, so blocks of pixels keep the quadrants and percentages."""
    larger = np.ones((factor, factor), np.bool_)
    before = place_lesion(lesion)
    after = place_lesion(np.kron(lesion, larger))
    assert after.quadrants == before.quadrants
    assert after.percent_of_image == pytest.approx(before.percent_of_image)
    inside = place_lesion(lesion, cervix).percent_of_cervix
    assert place_lesion(np.kron(lesion, larger), np.kron(cervix, larger)).percent_of_cervix == pytest.approx(inside)


@given(shapes(), shapes())
def test_what_is_touched_agrees(lesion: NDArray[np.bool_], cervix: NDArray[np.bool_]) -> None:
    place = place_lesion(lesion, cervix)
    assert (place.quadrants != ()) == bool(lesion.any())
    for hour in place.hours:
        if hour % 3:
            assert (hour - 1) // 3 + 1 in place.quadrants, "an hour within a quadrant touches that quadrant"
    if place.percent_of_cervix is not None:
        assert 0 <= place.percent_of_cervix <= 100


@given(st.floats(0, 40), st.floats(0, 40))
def test_a_point_has_the_hour_of_its_sector(x_px: float, y_px: float) -> None:
    clock = lay_clock(None, height_px=SIDE, width_px=SIDE)
    hour = clock.hour_at(x_px, y_px)
    distance = np.hypot(x_px - 20, y_px - 20)
    if hour is None:
        assert distance < 1
        return
    toward = np.radians(30 * hour)
    cosine = ((x_px - 20) * np.sin(toward) - (y_px - 20) * np.cos(toward)) / distance
    assert cosine >= np.cos(np.radians(15)) - 1e-9


def test_masks_of_two_sizes_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="cervix"):
        place_lesion(blob(5, 5, 2), np.ones((3, 3), np.bool_))
