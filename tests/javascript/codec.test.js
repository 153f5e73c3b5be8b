import assert from "node:assert/strict";
import { test } from "node:test";
import {
  applyRle,
  bytesFromBase64,
  codeOfNothing,
  decodeRle,
  encodeRle,
  sameBytes,
} from "../../pages/_ui/components/mask_editor/codec.js";
import { randomMask, seeded } from "./random.js";

test("a mask comes out as it went in", () => {
  const random = seeded(1);
  for (let i = 0; i < 300; i++) {
    const { pixels } = randomMask(random);
    assert.deepEqual(decodeRle(encodeRle(pixels), pixels.length), pixels);
  }
});

test("the code of nothing is that of an empty mask", () => {
  for (const nPixels of [1, 127, 128, 16383, 16384, 2097151, 2097152]) {
    assert.deepEqual(codeOfNothing(nPixels), encodeRle(new Uint8Array(nPixels)));
  }
});

test("a code of another size is not shown", () => {
  const code = encodeRle(new Uint8Array(20).fill(1));
  for (const size of [19, 21]) assert.throws(() => decodeRle(code, size), /the mask does not fit its image/);
  assert.equal(decodeRle(code, 20).length, 20);
  assert.throws(() => decodeRle(Uint8Array.of(0, 0x94), 20), /does not fit/, "a code that ends within a run");
});

test("a mask that becomes itself touches nothing, and another one no more than it must", () => {
  const mask = { pixels: new Uint8Array(50), width: 10, height: 5 };
  assert.equal(applyRle(mask, codeOfNothing(50)), null);
  const pixels = new Uint8Array(50);
  pixels.fill(1, 13, 16);
  assert.deepEqual(applyRle(mask, encodeRle(pixels)), { x0: 3, y0: 1, x1: 6, y1: 2 });
  assert.deepEqual(mask.pixels, pixels);
});

test("bytes are the same only whole", () => {
  assert.ok(sameBytes(bytesFromBase64("AAEC"), Uint8Array.of(0, 1, 2)));
  assert.ok(!sameBytes(Uint8Array.of(0, 1), Uint8Array.of(0, 1, 2)));
  assert.ok(!sameBytes(Uint8Array.of(0, 2), Uint8Array.of(0, 1)));
});
