"""Warping a mask by its corners in the editor's JavaScript, against OpenCV and SciPy."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tests.javascript.conftest import Run
from tests.javascript.masks import HELPERS, Mask, bounds_of, masks, received, sent


def test_a_homography_is_the_one_of_opencv(run_javascript: Run) -> None:
    rng = np.random.default_rng(6)
    quads = [(quad(rng), quad(rng)) for _ in range(50)]
    body = "return given.map(([from, to]) => homographyOf(from, to));"
    found = run_javascript(body, [[points(a), points(b)] for a, b in quads])
    for (a, b), matrix in zip(quads, found, strict=True):
        expected = cv2.getPerspectiveTransform(a.astype(np.float32), b.astype(np.float32))
        assert np.allclose(np.array(matrix).reshape(3, 3), expected, rtol=1e-3, atol=1e-3)


def quad(rng: np.random.Generator) -> NDArray[np.float64]:
    """A convex one, clockwise on the screen."""
    box = np.array([[0, 0], [60, 0], [60, 40], [0, 40]], float)
    return np.round(box + rng.uniform(-12, 12, (4, 2)) + rng.uniform(0, 30, 2), 2)


def points(corners: NDArray[np.float64]) -> list[dict[str, float]]:
    return [{"x": float(x), "y": float(y)} for x, y in corners]


def test_a_warped_mask_is_the_one_of_opencv(run_javascript: Run) -> None:
    rng = np.random.default_rng(8)
    height, width = 60, 80
    cases = []
    for _ in range(30):
        mask = ndimage.gaussian_filter(rng.random((height, width)), 3) > 0.5
        mask[rng.random(mask.shape) < 0.02] ^= True
        cases.append((mask, np.round(box_corners(mask) + rng.uniform(-9, 9, (4, 2)) + rng.uniform(-15, 15, 2), 2)))
    body = f"""{HELPERS}
      return given.map(({{ to, ...one }}) => {{
        const mask = maskOf(one);
        return patched(mask, warped(mask, cornersOf(boundsOf(mask)), to));
      }});
    """
    found = run_javascript(body, [{**sent(mask), "to": points(to)} for mask, to in cases])
    for (mask, to), digits in zip(cases, found, strict=True):
        # OpenCV's pixels have their middle at whole numbers, the editor's at halves.
        matrix = cv2.getPerspectiveTransform(
            (box_corners(mask) - 0.5).astype(np.float32), (to - 0.5).astype(np.float32)
        )
        back = np.linalg.inv(matrix)
        y, x = np.mgrid[:height, :width].astype(float)
        u, v, w = np.einsum("ij,jhw->ihw", back, np.stack([x, y, np.ones_like(x)]))
        source_x, source_y = u / w, v / w
        expected = ndimage.map_coordinates(
            np.pad(mask, 1).astype(float), [source_y + 1, source_x + 1], order=0, mode="constant"
        ).astype(bool)
        clear = (np.abs(source_x % 1 - 0.5) > 1e-3) & (np.abs(source_y % 1 - 0.5) > 1e-3)
        assert np.array_equal(received(digits, mask)[clear], expected[clear])
        assert clear.mean() > 0.95


def box_corners(mask: Mask) -> NDArray[np.float64]:
    x0, y0, x1, y1 = bounds_of(mask).values()
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)


def test_a_warp_that_moves_nothing_changes_nothing(run_javascript: Run) -> None:
    drawn = [mask for mask in masks(21, 60) if mask.any()]
    body = f"""{HELPERS}
      return given.map((one) => {{
        const mask = maskOf(one);
        const corners = cornersOf(boundsOf(mask));
        return patched(mask, warped(mask, corners, corners));
      }});
    """
    for mask, digits in zip(drawn, run_javascript(body, [sent(mask) for mask in drawn]), strict=True):
        assert np.array_equal(received(digits, mask), mask)


def test_an_outline_lies_between_mask_and_background(run_javascript: Run) -> None:
    for mask in masks(31, 12):
        if not mask.any():
            continue
        body = f"{HELPERS} const mask = maskOf(given); return edgesOf(mask, boundsOf(mask), 1);"
        edges = {tuple(edge) for edge in run_javascript(body, sent(mask))}
        padded = np.pad(mask, 1)
        upright = {(x, y, x, y + 1) for y, x in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]).tolist()}
        level = {(x, y, x + 1, y) for y, x in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]).tolist()}
        assert edges == upright | level
