import assert from "node:assert/strict";
import { test } from "node:test";
import { confidenceOfKey } from "../../pages/_ui/components/answer/confidence.js";

test("digits stand for tens, and 0 for certain", () => {
  assert.deepEqual(
    [..."1590"].map((key) => confidenceOfKey(key, false)),
    [10, 50, 90, 100],
  );
});

test("in five steps the digits 1 to 5 stand for them", () => {
  assert.deepEqual(
    [..."12345"].map((key) => confidenceOfKey(key, true)),
    [0, 25, 50, 75, 100],
  );
  assert.deepEqual(
    [..."069"].map((key) => confidenceOfKey(key, true)),
    [null, null, null],
  );
});

test("other keys stand for none", () => {
  for (const key of ["a", " ", "Enter", "F1", "10", ""]) assert.equal(confidenceOfKey(key, false), null);
});
