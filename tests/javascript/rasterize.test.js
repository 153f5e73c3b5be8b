import assert from "node:assert/strict";
import { test } from "node:test";
import { fillPolygon, paintStroke } from "../../pages/_ui/components/mask_editor/rasterize.js";

test("the smallest brush paints the pixel under it", () => {
  for (let x = 0; x < 5; x++) {
    for (let y = 0; y < 4; y++) {
      const mask = { pixels: new Uint8Array(20), width: 5, height: 4 };
      const point = { x: x + 0.9, y: y + 0.1 };
      assert.deepEqual(paintStroke(mask, point, point, 1, 1), { x0: x, y0: y, x1: x + 1, y1: y + 1 });
      assert.equal(mask.pixels.indexOf(1), y * 5 + x);
      assert.equal(mask.pixels.lastIndexOf(1), y * 5 + x);
    }
  }
});

test("a stroke beside the image, and an outline of two corners, touch nothing", () => {
  const mask = { pixels: new Uint8Array(20), width: 5, height: 4 };
  assert.equal(paintStroke(mask, { x: -20, y: 2 }, { x: -10, y: 2 }, 4, 1), null);
  assert.equal(
    fillPolygon(
      mask,
      [
        { x: 0, y: 0 },
        { x: 5, y: 4 },
      ],
      1,
    ),
    null,
  );
  assert.ok(!mask.pixels.includes(1));
});

test("what erases leaves what it does not cover", () => {
  const mask = { pixels: new Uint8Array(20).fill(1), width: 5, height: 4 };
  const corners = [
    { x: 1, y: 1 },
    { x: 3, y: 1 },
    { x: 3, y: 3 },
    { x: 1, y: 3 },
  ];
  assert.deepEqual(fillPolygon(mask, corners, 0), { x0: 1, y0: 1, x1: 3, y1: 3 });
  assert.equal(mask.pixels.join(""), "11111100111001111111");
});
