from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from colpo_core.images.surroundings import LENGTHS, Aspect, Surroundings, surroundings
from colpo_core.simulation.cases import simulate_case

Picture = NDArray[np.uint8]
SPAN = {Aspect.LIGHT: 0.02, Aspect.COLOUR: 0.02, Aspect.SHARPNESS: 0.1, Aspect.BORDER: 0.02, Aspect.MARKS: 0.05}
"""How far a figure of an aspect must move for the aspect to count as changed."""


@pytest.fixture(scope="module")
def picture() -> Picture:
    return simulate_case(1, height_px=240, width_px=320).rgb


def dotted(rgb: Picture) -> Picture:
    return np.asarray(cv2.circle(rgb.copy(), (16, 14), 4, (70, 200, 70), -1), np.uint8)


def framed(rgb: Picture) -> Picture:
    found = np.zeros_like(rgb)
    found[5:-5, 5:-5] = rgb[5:-5, 5:-5]
    return found


def warmer(rgb: Picture) -> Picture:
    return np.clip(rgb * np.array([1.15, 1.0, 0.8]), 0, 255).astype(np.uint8)


def brighter(rgb: Picture) -> Picture:
    return np.clip(rgb * 1.3, 0, 255).astype(np.uint8)


def softer(rgb: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 1.5), np.uint8)


def lesion(rgb: Picture) -> Picture:
    found = rgb.copy()
    cv2.circle(found, (160, 120), 40, (235, 225, 220), -1)
    return np.asarray(found, np.uint8)


def changed(before: Picture, after: Picture) -> set[Aspect]:
    one, other = surroundings(before).figures, surroundings(after).figures
    return {aspect for aspect in Aspect if np.abs(one[aspect] - other[aspect]).max() > SPAN[aspect]}


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        (dotted, Aspect.MARKS),
        (framed, Aspect.BORDER),
        (warmer, Aspect.COLOUR),
        (brighter, Aspect.LIGHT),
        (softer, Aspect.SHARPNESS),
    ],
)
def test_what_changes_beside_the_cervix_is_measured(
    picture: Picture, change: Callable[[Picture], Picture], aspect: Aspect
) -> None:
    assert aspect in changed(picture, change(picture))


def test_what_lies_in_the_middle_takes_no_part(picture: Picture) -> None:
    """A lesion is an honest sign of the label, and no clue may see it."""
    assert changed(picture, lesion(picture)) == set()


def test_the_exposure_moves_the_light_and_not_the_colour(picture: Picture) -> None:
    assert Aspect.COLOUR not in changed(picture, (picture * 0.8).astype(np.uint8))


@given(arrays(np.uint8, st.tuples(st.integers(24, 70), st.integers(24, 70), st.just(3))))
def test_every_image_has_all_figures_and_they_can_be_kept(rgb: Picture) -> None:
    found = surroundings(rgb)
    assert {aspect: len(found.figures[aspect]) for aspect in Aspect} == dict(LENGTHS)
    kept = Surroundings.unpack(found.pack())
    for aspect in Aspect:
        assert np.isfinite(found.figures[aspect]).all()
        np.testing.assert_allclose(kept.figures[aspect], found.figures[aspect], atol=4e-3, rtol=1e-3)


def test_what_is_no_such_image_and_no_such_bytes_is_refused(picture: Picture) -> None:
    with pytest.raises(ValueError, match="figures, not"):
        Surroundings.unpack(surroundings(picture).pack()[:-2])
    with pytest.raises(ValueError):
        surroundings(picture[..., 0])
