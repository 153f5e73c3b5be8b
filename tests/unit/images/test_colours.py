"""Maps are drawn so that more looks like more, and nothing stays transparent."""

import io

import numpy as np
import pytest
from PIL import Image

from colpo_core.images.colours import EVIDENCE_COLOURS, HIGHEST_ALPHA, evidence_gradient, evidence_rgba, map_png


def opened(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        assert image.info == {}
        return np.asarray(image)


def test_lightness_grows_along_the_table() -> None:
    luminance = EVIDENCE_COLOURS @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(luminance) >= -0.6)
    assert luminance[-1] - luminance[0] > 200


def test_zero_is_transparent_and_one_is_brightest() -> None:
    rgba = evidence_rgba(np.array([[0.0, 0.25, 1.0]]))
    assert rgba.shape == (1, 3, 4)
    assert rgba.dtype == np.uint8
    assert rgba[0, :, 3].tolist() == [0, HIGHEST_ALPHA // 2, HIGHEST_ALPHA]
    assert np.array_equal(rgba[0, 2, :3], EVIDENCE_COLOURS[-1])


def test_what_lies_outside_is_clipped() -> None:
    assert np.array_equal(evidence_rgba(np.array([[-3.0, 7.0]])), evidence_rgba(np.array([[0.0, 1.0]])))


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((0, 3)), np.array([[np.nan]]), np.array([[np.inf]])])
def test_only_a_finite_map_is_drawn(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite"):
        evidence_rgba(values)
    with pytest.raises(ValueError, match="finite"):
        map_png(values, height_px=4, width_px=4)


def test_a_map_takes_the_size_of_its_image() -> None:
    values = np.zeros((15, 20), np.float32)
    values[3, 16] = 0.004
    rgba = opened(map_png(values, height_px=120, width_px=160))
    assert rgba.shape == (120, 160, 4)
    row, column = np.unravel_index(rgba[..., 3].argmax(), (120, 160))
    assert abs(row - 28) <= 4
    assert abs(column - 132) <= 4
    assert rgba[..., 3].max() > 0.9 * HIGHEST_ALPHA
    assert not rgba[60:, :80, 3].any()


def test_maps_can_share_a_scale() -> None:
    values = np.full((3, 3), 0.5)
    own = opened(map_png(values, height_px=6, width_px=6))
    shared = opened(map_png(values, height_px=6, width_px=6, brightest=2.0))
    assert own[..., 3].min() == HIGHEST_ALPHA
    assert shared[..., 3].max() == HIGHEST_ALPHA // 2


def test_an_empty_map_shows_nothing() -> None:
    assert not opened(map_png(np.zeros((4, 5)), height_px=8, width_px=10))[..., 3].any()


def test_a_colour_bar_runs_through_the_tables_colours() -> None:
    gradient = evidence_gradient(3)
    assert gradient.startswith("linear-gradient(to right, rgb(")
    ends = [EVIDENCE_COLOURS[0], EVIDENCE_COLOURS[-1]]
    for red, green, blue in ends:
        assert f"rgb({red} {green} {blue})" in gradient
    assert gradient.count("rgb(") == 3
