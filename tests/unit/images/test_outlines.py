"""Outlines are filled, and what needed a guess says so."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from colpo_core.exchange.annocerv import read_annocerv
from colpo_core.images.decoding import decode_image
from colpo_core.images.outlines import FilledOutline, fill_outline
from colpo_core.terms import MaskOrigin

SIZE = 200
CENTRE = (100, 100)
ANNOCERV = Path(__file__).resolve().parents[4] / "shared" / "data" / "annocerv" / "dataset"


def arc(start: float, end: float, *, centre: tuple[int, int] = CENTRE, radius: int = 50) -> NDArray[np.bool_]:
    """Part of a circle, in degrees clockwise from three o'clock."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(canvas, centre, (radius, radius), 0, start, end, 1, 3)
    return canvas > 0


def path(*points: tuple[int, int]) -> NDArray[np.bool_]:
    """Straight strokes between points (x, y)."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    cv2.polylines(canvas, [np.array(points, np.int32).reshape(-1, 1, 2)], False, 1, 3)
    return canvas > 0


def disc(centre: tuple[int, int] = CENTRE, radius: int = 50) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.asarray((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2)


def filled(outline: NDArray[np.bool_]) -> FilledOutline:
    return fill_outline(outline, np.full((*outline.shape, 3), 120, np.uint8))


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


DASHES = np.logical_or.reduce([arc(start, start + 14) for start in range(0, 360, 20)])
TWO_CIRCLES = arc(0, 360, centre=(60, 60), radius=30) | arc(0, 360, centre=(140, 140), radius=40)


@pytest.mark.parametrize(
    ("outline", "origin", "expected", "least_iou"),
    [
        pytest.param(arc(0, 360), MaskOrigin.CLOSED, disc(), 0.95, id="a closed curve is filled"),
        pytest.param(arc(0, 355), MaskOrigin.CLOSED, disc(), 0.95, id="a slip of the pen still closes"),
        pytest.param(DASHES, MaskOrigin.CLOSED, disc(), 0.93, id="a dashed curve closes"),
        pytest.param(
            arc(0, 360) | path((150, 100), (162, 90)), MaskOrigin.CLOSED, disc(), 0.95, id="a hook does no harm"
        ),
        pytest.param(
            TWO_CIRCLES, MaskOrigin.CLOSED, disc((60, 60), 30) | disc((140, 140), 40), 0.94, id="several are all filled"
        ),
        pytest.param(
            arc(0, 360, radius=92), MaskOrigin.CLOSED, disc(radius=92), 0.95, id="over half is not turned inside out"
        ),
        pytest.param(arc(-60, 240), MaskOrigin.CHORD, disc(), 0.85, id="two ends are joined by a chord"),
        pytest.param(arc(10, 170) | arc(190, 350), MaskOrigin.LINKED, disc(), 0.93, id="ends that face are linked"),
        pytest.param(
            arc(0, 360, centre=(60, 60), radius=30) | path((100, 150), (180, 150)),
            MaskOrigin.PARTIAL,
            disc((60, 60), 30),
            0.9,
            id="a stroke beside a closed curve makes it partial",
        ),
        pytest.param(
            arc(0, 360, radius=80) | arc(0, 360),
            MaskOrigin.PARTIAL,
            disc(radius=80),
            0.95,
            id="a curve within a curve is doubtful",
        ),
    ],
)
def test_an_outline_is_filled_and_says_how(
    outline: NDArray[np.bool_], origin: MaskOrigin, expected: NDArray[np.bool_], least_iou: float
) -> None:
    result = filled(outline)
    assert result.origin is origin
    assert iou(result.mask, expected) > least_iou


def test_a_chord_is_a_guess() -> None:
    assert MaskOrigin.CHORD.is_guess


@pytest.mark.parametrize("turns", range(4))
def test_a_curve_that_runs_out_of_the_image_is_closed_along_its_frame(turns: int) -> None:
    outline = np.rot90(arc(0, 360, centre=(100, 20), radius=40), turns)
    result = filled(np.ascontiguousarray(outline))
    assert result.origin is MaskOrigin.BORDER
    assert iou(result.mask, np.rot90(disc((100, 20), 40), turns)) > 0.93


def test_a_curve_that_stops_just_short_of_the_frame_is_led_to_it() -> None:
    result = filled(path((70, 5), (70, 60), (130, 60), (130, 5)))
    assert result.origin is MaskOrigin.BORDER
    assert result.mask[:60, 75:125].all()
    assert result.mask.sum() < 65 * 66


def test_the_inside_between_two_curves_is_the_middle() -> None:
    rgb = np.full((SIZE, SIZE, 3), 60, np.uint8)
    rgb[:, 45:160] = 170
    result = fill_outline(path((40, 0), (45, 100), (40, 199)) | path((160, 0), (155, 100), (160, 199)), rgb)
    assert result.origin is MaskOrigin.BORDER
    assert result.mask[:, 60:140].all()
    assert not result.mask[:, :30].any()
    assert not result.mask[:, 170:].any()


def test_an_even_cut_through_the_middle_is_doubtful() -> None:
    assert filled(path((100, 0), (100, 199))).origin is MaskOrigin.PARTIAL


def test_an_end_not_far_from_the_frame_is_extended() -> None:
    result = filled(path((60, 0), (60, 70), (130, 70), (130, 15)))
    assert result.origin is MaskOrigin.EXTENDED
    assert result.mask[:65, 65:125].all()


def test_a_mere_stroke_encloses_nothing() -> None:
    result = filled(path((60, 100), (140, 100)))
    assert result.origin is MaskOrigin.OPEN
    assert not result.mask.any()


@pytest.mark.parametrize("factor", [3, 8])
def test_the_size_of_the_image_does_not_matter(factor: int) -> None:
    outline = np.kron(arc(0, 360), np.ones((factor, factor), np.bool_))
    result = filled(outline)
    assert result.origin is MaskOrigin.CLOSED
    assert result.mask.shape == outline.shape
    assert result.mask.mean() == pytest.approx(disc().mean(), rel=0.05)


def test_an_empty_outline_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="empty"):
        filled(np.zeros((40, 40), np.bool_))


def test_an_outline_of_another_size_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        fill_outline(arc(0, 360), np.zeros((50, 50, 3), np.uint8))


@pytest.mark.annocerv
@pytest.mark.skipif(not ANNOCERV.is_dir(), reason=f"AnnoCerv's photographs are not at {ANNOCERV}")
def test_the_outlines_of_experts_are_filled() -> None:
    """Half of the cases: enough to notice when a change of the rules turns masks into guesses or inside out."""
    images = [image for case in list(read_annocerv(ANNOCERV))[::2] for image in case.images]
    results = [fill_outline(one.outline, decode_image(one.load()).rgb) for one in images if one.outline is not None]
    counts = Counter(result.origin for result in results)
    assert len(results) > 40
    assert counts[MaskOrigin.CLOSED] + counts[MaskOrigin.BORDER] >= 0.4 * len(results), counts
    assert counts[MaskOrigin.OPEN] + counts[MaskOrigin.PARTIAL] <= 0.4 * len(results), counts
    assert all(0.003 < result.mask.mean() < 0.7 for result in results if not result.origin.is_guess)
    assert 0.13 < np.mean([result.mask.mean() for result in results]) < 0.3
