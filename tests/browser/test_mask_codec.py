"""The editor's JavaScript agrees with the Python that stores and checks its masks."""

from base64 import b64decode, b64encode

import numpy as np
from numpy.typing import NDArray

from colpo_core.images.masks import decode_rle, encode_rle
from tests.browser.conftest import Run


def random_masks(n_masks: int) -> list[NDArray[np.bool_]]:
    """Noise, blobs, stripes, empty and full ones, of sizes from one pixel on."""
    rng = np.random.default_rng(7)
    masks = []
    for number in range(n_masks):
        height, width = (int(side) for side in rng.integers(1, 60, 2))
        if number % 20 == 0:
            height, width = 300, 420
        density = (0.0, 1.0, 0.02, 0.5, 0.98)[number % 5]
        mask = rng.random((height, width)) < density
        if number % 3 == 0:
            y, x = np.mgrid[:height, :width]
            mask |= (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 3) ** 2
        masks.append(mask)
    return masks


def test_the_codes_are_the_same_for_200_masks(run_javascript: Run) -> None:
    masks = random_masks(200)
    given = [{"digits": "".join("01"[int(v)] for v in mask.ravel())} for mask in masks]
    body = """
      return given.map(({ digits }) => {
        const mask = Uint8Array.from(digits, Number);
        const code = encodeRle(mask);
        if (!sameBytes(decodeRle(code, mask.length), mask)) throw new Error("not the same after a round trip");
        if (!sameBytes(bytesFromBase64(base64FromBytes(code)), code)) throw new Error("base64 differs");
        return base64FromBytes(code);
      });
    """
    for mask, text in zip(masks, run_javascript(body, given), strict=True):
        code = b64decode(text)
        assert code == encode_rle(mask)
        assert np.array_equal(decode_rle(code, height_px=mask.shape[0], width_px=mask.shape[1]), mask)


def test_long_runs_are_read_and_written_alike(run_javascript: Run) -> None:
    mask = np.zeros((3000, 4000), np.bool_)
    mask[1500:2900, 100:3900] = True
    given = b64encode(encode_rle(mask)).decode()
    body = "return base64FromBytes(encodeRle(decodeRle(bytesFromBase64(given), 12000000)));"
    assert run_javascript(body, given) == given


def test_a_code_of_another_size_is_not_shown(run_javascript: Run) -> None:
    given = b64encode(encode_rle(np.ones((4, 5), np.bool_))).decode()
    body = """
      return [19, 21, 20].map((size) => {
        try { return decodeRle(bytesFromBase64(given), size).length; } catch (error) { return error.message; }
      });
    """
    refusal = "the mask does not fit its image"
    assert run_javascript(body, given) == [refusal, refusal, 20]


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
        mask = (np.frombuffer(painted["digits"].encode(), np.uint8) == ord("1")).reshape(40, 40)
        clear = np.abs(distance - stroke["d"] / 2) > 1e-9
        assert np.array_equal(mask[clear], (distance <= stroke["d"] / 2)[clear])
        if mask.any():
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            bounds = {"x0": columns[0], "y0": rows[0], "x1": columns[-1] + 1, "y1": rows[-1] + 1}
            assert painted["touched"] == bounds
        else:
            assert painted["touched"] is None


def test_the_smallest_brush_paints_the_pixel_under_it(run_javascript: Run) -> None:
    points = [[x + 0.9, y + 0.1] for x in range(5) for y in range(4)]
    body = """
      return given.map(([x, y]) => {
        const mask = { pixels: new Uint8Array(20), width: 5, height: 4 };
        paintStroke(mask, { x, y }, { x, y }, 1, 1);
        return mask.pixels.join("");
      });
    """
    for (x, y), digits in zip(points, run_javascript(body, points), strict=True):
        assert digits.count("1") == 1
        assert digits[int(y) * 5 + int(x)] == "1"


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
        mask = (np.frombuffer(digits.encode(), np.uint8) == ord("1")).reshape(40, 40)
        assert np.array_equal(mask, winding != 0)


def test_undo_goes_back_a_hundred_steps_at_least(run_javascript: Run) -> None:
    body = """
      const history = new History(new Uint8Array([0]));
      for (let i = 1; i <= 700; i++) history.push(new Uint8Array([i % 256, i >> 8]));
      const repeated = history.push(history.current);
      let steps = 0;
      while (history.canUndo) { history.undo(); steps++; }
      for (let i = 0; i < 5; i++) history.redo();
      history.push(new Uint8Array([9, 9, 9]));
      const heavy = new History(new Uint8Array(1));
      for (let i = 1; i <= 150; i++) heavy.push(new Uint8Array(1000000).fill(i));
      return { steps, repeated, canRedo: history.canRedo, heavy: heavy.codes.length };
    """
    told = run_javascript(body, None)
    assert told == {"steps": 499, "repeated": False, "canRedo": False, "heavy": 100}
