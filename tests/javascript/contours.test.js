import assert from "node:assert/strict";
import { test } from "node:test";
import { drawContour, rimmed } from "../../pages/_ui/components/viewer/contours.js";
import { seeded } from "./random.js";

/** The closed lines of a level, each as its points. */
function contoursOf(width, height, valueAt, level) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) data[4 * i] = valueAt(i % width, Math.floor(i / width));
  const lines = [];
  const path = {
    moveTo: (x, y) => lines.push([[x, y]]),
    lineTo: (x, y) => lines.at(-1).push([x, y]),
    closePath: () => {},
  };
  drawContour(rimmed({ width, height, data }, 0), width, height, level, path);
  return lines;
}

test("a line runs where the values pass the level: a slope to the right passes it in the middle", () => {
  const [line, ...others] = contoursOf(20, 6, (x) => x * 10, 95);
  assert.deepEqual(others, []);
  const inside = line.filter(([x, y]) => y > 1 && y < 5 && x < 19);
  assert.equal(inside.length, 4, "one place for each row between the first and the last");
  for (const [x] of inside) assert.ok(Math.abs(x - 10) < 1e-6, "between the middles of the 10th and the 11th cell");
});

test("the area within the lines is about that of the cells that reach the level", () => {
  const random = seeded(5);
  const [width, height] = [60, 50];
  const discs = Array.from({ length: 4 }, () => [60 * random(), 50 * random(), 4 + 8 * random()]);
  const isIn = (x, y) => discs.some(([u, v, radius]) => Math.hypot(x - u, y - v) < radius);
  const lines = contoursOf(width, height, (x, y) => (isIn(x, y) ? 255 : 0), 127.5);
  let area = 0;
  for (const line of lines) {
    for (const [i, [x, y]] of line.entries()) {
      const [u, v] = line[(i + 1) % line.length];
      area += (x * v - u * y) / 2;
    }
  }
  let cells = 0;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) cells += Number(isIn(x, y));
  assert.ok(Math.abs(Math.abs(area) / cells - 1) < 0.05, `${area} of ${cells}`);
});

test("nothing reaches the level, or everything does", () => {
  assert.deepEqual(
    contoursOf(5, 4, () => 10, 20),
    [],
  );
  const [line, ...others] = contoursOf(5, 4, () => 30, 20);
  assert.deepEqual(others, []);
  for (const [x, y] of line) assert.ok(x >= 0 && x <= 5 && y >= 0 && y <= 4);
});
