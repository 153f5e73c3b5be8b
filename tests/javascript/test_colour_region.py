"""What the editor's magic wand takes, against CIELAB in numpy and OpenCV, and connected regions in SciPy."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tests.javascript.conftest import Run
from tests.javascript.masks import bounds_of, received


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
    found = np.array(
        run_javascript("return given.map(([r, g, b]) => labOfColour((r << 16) | (g << 8) | b));", rgb[0].tolist())
    )
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
    body = """
      return given.map(({ rgba, width, height, seed, tolerance }) => {
        const image = { data: Uint8ClampedArray.from(rgba), width, height };
        const isNear = nearness(image, colourAt(image, seed.x, seed.y), tolerance);
        const region = atOnce(regionAround(image, seed, isNear));
        return { touched: region.touched, digits: Array.from(region.states, (v) => Number(v === FILLED)).join("") };
      });
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
        assert found["touched"] == bounds_of(expected)
        sizes.add(int(expected.sum()))
    assert len(sizes) > 12
