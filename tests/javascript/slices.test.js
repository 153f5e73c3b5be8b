import assert from "node:assert/strict";
import { test } from "node:test";
import { atOnce, inSlices, patchOf } from "../../pages/_ui/components/mask_editor/slices.js";

function* busyFor(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until) yield;
  return "done";
}

test("steps come to their end, in slices or at once", async () => {
  assert.equal(await inSlices(busyFor(30)), "done");
  assert.equal(atOnce(busyFor(1)), "done");
});

test("the page gets a turn between slices", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await inSlices(busyFor(60));
  clearInterval(timer);
  assert.ok(turns > 0);
});

test("steps that nobody waits for are left", async () => {
  assert.equal(await inSlices(busyFor(10_000), () => false), null);
});

test("a patch holds what its function gives for each pixel", () => {
  const box = { x0: 1, y0: 2, x1: 4, y1: 4 };
  const patch = atOnce(patchOf(box, 10, (i, x, y) => Number(i === y * 10 + x && (x + y) % 2 === 0)));
  assert.deepEqual(patch, { ...box, pixels: Uint8Array.of(0, 1, 0, 1, 0, 1) });
});
