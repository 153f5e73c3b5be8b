"""Strokes and polygons of the editor's JavaScript, against distances and winding numbers in numpy."""

import numpy as np

from tests.javascript.conftest import Run
from tests.javascript.masks import bounds_of, received


def test_a_stroke_covers_the_pixels_within_its_radius(run_javascript: Run) -> None:
    rng = np.random.default_rng(3)
    strokes = [
        {"a": rng.uniform(-5, 45, 2).tolist(), "b": rng.uniform(-5, 45, 2).tolist(), "d": float(rng.uniform(2, 25))}
        for _ in range(60)
    ]
    strokes.append({"a": [10.0, 10.0], "b": [10.0, 10.0], "d": 9.0})
    body = """
      return given.map(({ a, b, d }) => {
        const mask = { pixels: new Uint8Array(40 * 40), width: 40, height: 40 };
        const touched = paintStroke(mask, { x: a[0], y: a[1] }, { x: b[0], y: b[1] }, d, 1);
        return { digits: mask.pixels.join(""), touched };
      });
    """
    y, x = np.mgrid[:40, :40] + 0.5
    for stroke, painted in zip(strokes, run_javascript(body, strokes), strict=True):
        a, b = np.array(stroke["a"]), np.array(stroke["b"])
        length = max(float((b - a) @ (b - a)), 1e-12)
        along = np.clip(((x - a[0]) * (b - a)[0] + (y - a[1]) * (b - a)[1]) / length, 0, 1)
        distance = np.hypot(x - a[0] - along * (b - a)[0], y - a[1] - along * (b - a)[1])
        mask = received(painted["digits"], x > 0)
        clear = np.abs(distance - stroke["d"] / 2) > 1e-9
        assert np.array_equal(mask[clear], (distance <= stroke["d"] / 2)[clear])
        if mask.any():
            assert painted["touched"] == bounds_of(mask)
        else:
            assert painted["touched"] is None


def test_a_polygon_fills_what_it_winds_around(run_javascript: Run) -> None:
    rng = np.random.default_rng(5)
    polygons = [rng.uniform(-4, 44, (int(rng.integers(3, 9)), 2)).tolist() for _ in range(60)]
    body = """
      return given.map((points) => {
        const mask = { pixels: new Uint8Array(40 * 40), width: 40, height: 40 };
        fillPolygon(mask, points.map(([x, y]) => ({ x, y })), 1);
        return mask.pixels.join("");
      });
    """
    y, x = np.mgrid[:40, :40] + 0.5
    for polygon, digits in zip(polygons, run_javascript(body, polygons), strict=True):
        winding = np.zeros((40, 40), int)
        for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            crosses = (ay <= y) != (by <= y)
            at = ax + (y - ay) / (by - ay) * (bx - ax)
            winding += np.where(crosses & (at <= x), 1 if ay < by else -1, 0)
        assert np.array_equal(received(digits, winding != 0), winding != 0)
