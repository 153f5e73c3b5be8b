import assert from "node:assert/strict";
import { test } from "node:test";
import { over, packed } from "../../pages/_ui/components/mask_editor/inks.js";

test("a colour is packed with red in the lowest byte", () => {
  assert.equal(packed("#102030", 0x40), 0x40302010);
  assert.equal(packed("#ff0000", 255), 0xff0000ff);
});

test("an ink over another is mixed by their opacities", () => {
  const [under, top] = [packed("#000000", 255), packed("#ff8000", 51)];
  assert.equal(over(under, top), packed("#331a00", 255));
  assert.equal(over(packed("#123456", 80), packed("#654321", 255)), packed("#654321", 255));
  assert.equal(over(under, top), packed("#331a00", 255), "also after another pair");
});
