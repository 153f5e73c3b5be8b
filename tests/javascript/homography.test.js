import assert from "node:assert/strict";
import { test } from "node:test";
import { homographyOf, isConvex, isWithin, through } from "../../pages/_ui/components/mask_editor/homography.js";

const corners = (...pairs) => pairs.map(([x, y]) => ({ x, y }));
const BOX = corners([0, 0], [10, 0], [10, 10], [0, 10]);

test("corners that cross are refused", () => {
  assert.ok(isConvex(BOX));
  assert.ok(!isConvex(corners([0, 0], [10, 0], [2, 2], [0, 10])), "dented");
  assert.ok(!isConvex(corners([10, 0], [0, 0], [10, 10], [0, 10])), "crossed");
  assert.ok(!isConvex(corners([10, 0], [0, 0], [0, 10], [10, 10])), "mirrored");
  assert.ok(!isConvex(corners([0, 0], [10, 0], [20, 0], [0, 10])), "flat");
});

test("a homography takes each corner to the other", () => {
  const to = corners([2, 1], [13, -1], [11, 12], [-2, 9]);
  const matrix = homographyOf(BOX, to);
  for (const [i, { x, y }] of BOX.entries()) {
    const there = through(matrix, x, y);
    assert.ok(Math.hypot(there.x - to[i].x, there.y - to[i].y) < 1e-9);
  }
});

test("a point lies within corners or not", () => {
  assert.ok(isWithin(BOX, { x: 5, y: 5 }));
  assert.ok(isWithin(BOX, { x: 0, y: 10 }));
  assert.ok(!isWithin(BOX, { x: 10.1, y: 5 }));
});
