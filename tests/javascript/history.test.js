import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../pages/_ui/components/mask_editor/history.js";

test("undo goes back two hundred steps at least", () => {
  const history = new History(Uint8Array.of(0));
  for (let i = 1; i <= 700; i++) history.push(Uint8Array.of(i % 256, i >> 8));
  let steps = 0;
  for (; history.canUndo; steps++) history.undo();
  assert.equal(steps, 499);
  const heavy = new History(new Uint8Array(1));
  for (let i = 1; i <= 250; i++) heavy.push(new Uint8Array(1000000).fill(i));
  assert.equal(heavy.codes.length, 201);
  assert.equal(heavy.bytes, 201 * 1000000);
});

test("a stroke that changes nothing is no step", () => {
  const history = new History(Uint8Array.of(3));
  assert.equal(history.push(Uint8Array.of(3)), false);
  assert.equal(history.canUndo, false);
});

test("a step after an undo takes the place of those that were undone", () => {
  const history = new History(Uint8Array.of(0));
  for (const code of [1, 2, 3]) history.push(Uint8Array.of(code));
  history.undo();
  history.undo();
  assert.deepEqual(history.redo(), Uint8Array.of(2));
  assert.equal(history.push(Uint8Array.of(9)), true);
  assert.equal(history.canRedo, false);
  assert.deepEqual(history.undo(), Uint8Array.of(2));
  assert.equal(history.bytes, 4);
});
