"""The editor's tools: their JavaScript against numpy, scipy and OpenCV."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

from tests.browser.conftest import Run

Mask = NDArray[np.bool_]

# Runs steps to their end, and writes the patch that they make into a copy of the mask.
HELPERS = """
const toEnd = (steps) => { for (;;) { const { done, value } = steps.next(); if (done) return value; } };
const maskOf = ({ digits, width }) =>
  ({ pixels: Uint8Array.from(digits, Number), width, height: digits.length / width });
const patched = (mask, steps) => {
  const before = mask.pixels.slice();
  const patch = toEnd(steps);
  if (!before.every((value, i) => value === mask.pixels[i])) throw new Error("the mask itself was changed");
  if (patch) applyPatch(mask, patch);
  return mask.pixels.join("");
};
"""
NEIGHBOURS_8 = np.ones((3, 3), np.int8)


def sent(mask: Mask) -> dict[str, object]:
    return {"digits": "".join("01"[int(value)] for value in mask.ravel()), "width": mask.shape[1]}


def received(digits: str, like: Mask) -> Mask:
    return (np.frombuffer(digits.encode(), np.uint8) == ord("1")).reshape(like.shape)


def masks(seed: int, n_masks: int) -> Iterator[Mask]:
    """Blobs, noise of every density, empty and full ones, of sizes from one pixel on."""
    rng = np.random.default_rng(seed)
    for number in range(n_masks):
        height, width = (int(side) for side in rng.integers(1, 48, 2))
        noise = rng.random((height, width))
        if number % 3:
            noise = ndimage.gaussian_filter(noise, float(rng.uniform(0.5, 3)))
        yield noise <= np.quantile(noise, (0.0, 0.3, 0.5, 0.7, 0.95, 1.0)[number % 6]) - (number % 6 == 0)


@pytest.mark.parametrize(
    ("steps", "reference"),
    [
        ("holesFilled(mask)", ndimage.binary_fill_holes),
        ("grown(mask)", ndimage.binary_dilation),
        ("shrunk(mask)", lambda mask: ndimage.binary_erosion(mask, border_value=1)),
        *(
            (f"specksRemoved(mask, {size})", lambda mask, size=size: without_specks(mask, size))
            for size in (1, 2, 7, 30, 10**6)
        ),
    ],
)
def test_regions_are_those_of_scipy(run_javascript: Run, steps: str, reference: object) -> None:
    drawn = list(masks(11, 150))
    body = f"{HELPERS} return given.map((one) => {{ const mask = maskOf(one); return patched(mask, {steps}); }});"
    for mask, digits in zip(drawn, run_javascript(body, [sent(mask) for mask in drawn]), strict=True):
        assert np.array_equal(received(digits, mask), reference(mask))  # type: ignore[operator]


def without_specks(mask: Mask, least: int) -> Mask:
    areas, _ = ndimage.label(mask, NEIGHBOURS_8)
    large: Mask = np.bincount(areas.ravel())[areas] >= least
    return mask & large


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mask=arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_filled_has_no_hole_and_loses_nothing(run_javascript: Run, mask: Mask) -> None:
    body = f"""{HELPERS}
      const mask = maskOf(given);
      const bounds = boundsOf(mask);
      const filled = patched(mask, holesFilled(mask));
      return {{ bounds, filled, again: patched(mask, holesFilled(mask)) }};
    """
    found = run_javascript(body, sent(mask))
    filled = received(found["filled"], mask)
    assert np.array_equal(filled & mask, mask)
    assert np.array_equal(received(found["again"], mask), filled)
    if mask.any():
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert found["bounds"] == {"x0": columns[0], "y0": rows[0], "x1": columns[-1] + 1, "y1": rows[-1] + 1}
    else:
        assert found["bounds"] is None


def colours(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Patches of tissue colours with the grain of a photograph."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.random((height, width, 3)), (5, 5, 0))
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    grainy = np.array([150, 70, 70]) + smooth * np.array([90, 120, 120]) + rng.normal(0, 4, smooth.shape)
    rgb: NDArray[np.uint8] = np.clip(grainy, 0, 255).astype(np.uint8)
    return rgb


def lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIELAB (D65) in double precision."""
    linear = rgb / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = linear @ matrix.T / np.array([0.95047, 1, 1.08883])
    x, y, z = np.moveaxis(np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_colours_are_those_of_cielab(run_javascript: Run) -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (1, 500, 3), dtype=np.uint8)
    found = np.array(run_javascript("return given.map(([r, g, b]) => labOf(r, g, b));", rgb[0].tolist()))
    assert np.allclose(found, lab(rgb)[0], atol=1e-9)
    # OpenCV reads the same space from tables.
    assert np.allclose(found, cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0], atol=0.5)


def test_the_wand_takes_the_connected_region_of_one_colour(run_javascript: Run) -> None:
    rng = np.random.default_rng(4)
    cases = []
    for number in range(24):
        height, width = (1, 1) if number == 0 else (int(side) for side in rng.integers(2, 50, 2))
        seed = {"x": int(rng.integers(width)), "y": int(rng.integers(height))}
        cases.append((colours(number, height, width), seed, float(rng.choice([1, 3, 6, 12, 40]))))
    body = f"""{HELPERS}
      return given.map(({{ rgba, width, height, seed, tolerance }}) => {{
        const image = {{ data: Uint8ClampedArray.from(rgba), width, height }};
        const isNear = nearness(image, colourAt(image, seed.x, seed.y), tolerance);
        const region = toEnd(regionAround(image, seed, isNear));
        return {{ touched: region.touched, digits: Array.from(region.states, (v) => Number(v === FILLED)).join("") }};
      }});
    """
    given_ = [
        {
            "rgba": np.dstack([rgb, np.full(rgb.shape[:2], 255)]).ravel().tolist(),
            "height": rgb.shape[0],
            "width": rgb.shape[1],
            "seed": seed,
            "tolerance": tolerance,
        }
        for rgb, seed, tolerance in cases
    ]
    sizes = set()
    for (rgb, seed, tolerance), found in zip(cases, run_javascript(body, given_), strict=True):
        around = np.pad(rgb.astype(int), ((1, 1), (1, 1), (0, 0)), mode="edge")
        height, width = rgb.shape[:2]
        total = np.sum([around[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
        seen = lab(((total + 4) // 9).astype(np.uint8))
        near = np.linalg.norm(seen - seen[seed["y"], seed["x"]], axis=-1) <= tolerance
        areas, _ = ndimage.label(near)
        expected = areas == areas[seed["y"], seed["x"]]
        assert np.array_equal(received(found["digits"], expected), expected)
        rows, columns = np.flatnonzero(expected.any(axis=1)), np.flatnonzero(expected.any(axis=0))
        assert found["touched"] == {"x0": columns[0], "y0": rows[0], "x1": columns[-1] + 1, "y1": rows[-1] + 1}
        sizes.add(int(expected.sum()))
    assert len(sizes) > 12


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
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
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


def test_corners_that_cross_are_refused(run_javascript: Run) -> None:
    box = [[0, 0], [10, 0], [10, 10], [0, 10]]
    dented = [[0, 0], [10, 0], [2, 2], [0, 10]]
    crossed = [[10, 0], [0, 0], [10, 10], [0, 10]]
    mirrored = [[10, 0], [0, 0], [0, 10], [10, 10]]
    flat = [[0, 0], [10, 0], [20, 0], [0, 10]]
    given_ = [points(np.array(corners, float)) for corners in (box, dented, crossed, mirrored, flat)]
    assert run_javascript("return given.map(isConvex);", given_) == [True, False, False, False, False]


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


def test_the_largest_diameter_is_that_of_the_convex_hull(run_javascript: Run) -> None:
    drawn = list(masks(41, 90))
    body = f"{HELPERS} return given.map((one) => largestDiameter(maskOf(one)));"
    for mask, found in zip(drawn, run_javascript(body, [sent(mask) for mask in drawn]), strict=True):
        if not mask.any():
            assert found == 0
            continue
        pixels = np.argwhere(mask)
        corners = np.concatenate([pixels + shift for shift in ((0, 0), (0, 1), (1, 0), (1, 1))])
        hull = corners[ConvexHull(corners).vertices]
        assert found == pytest.approx(np.linalg.norm(hull[:, None] - hull[None], axis=-1).max())


def test_areas_are_counted_and_the_cervix_counts_as_filled(run_javascript: Run) -> None:
    y, x = np.mgrid[:40, :50]
    distance = np.hypot(y - 20, x - 25)
    ring = (distance < 18) & (distance > 15)
    lesion = (y > 15) & (x > 20)
    body = f"{HELPERS} const [mask, cervix] = given.map(maskOf); return toEnd(measured(mask, cervix));"
    found = run_javascript(body, [sent(lesion), sent(ring)])
    assert found["area"] == lesion.sum()
    assert found["cervix"]["area"] == (distance < 18).sum()
    assert found["cervix"]["covered"] == (lesion & (distance < 18)).sum()
    assert found["cervix"]["diameter"] == pytest.approx(36, abs=1.5)
    nothing = run_javascript(body, [sent(lesion), sent(np.zeros_like(ring))])
    assert nothing == {"area": lesion.sum(), "cervix": None}
