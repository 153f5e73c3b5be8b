// The run-length code of a mask, the same as `colpo_core/images/masks.py` reads and writes: lengths of runs in
// row-major order, background first (0 where the mask starts in the foreground), each an unsigned LEB128 varint.

import { union } from "../shared/geometry.js";

/** @import { Rectangle } from "../shared/geometry.js" */
/** @import { Mask } from "./mask.js" */

const SHORT_RUN = 48;

/**
 * @param {Uint8Array} pixels 0 or 1 each.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeRle(pixels) {
  let code = new Uint8Array(1024);
  let size = 0;
  let value = 0;
  let start = 0;
  while (start < pixels.length) {
    let end = pixels.indexOf(value ^ 1, start);
    if (end < 0) end = pixels.length;
    if (size + 5 > code.length) {
      const larger = new Uint8Array(code.length * 2);
      larger.set(code);
      code = larger;
    }
    let run = end - start;
    while (run >= 0x80) {
      code[size++] = (run & 0x7f) | 0x80;
      run >>>= 7;
    }
    code[size++] = run;
    start = end;
    value ^= 1;
  }
  return code.slice(0, size);
}

/**
 * Where each run ends.
 * @param {Uint8Array} code
 * @param {number} nPixels Of the image.
 * @throws {Error} The code is of another size than the image.
 */
function runEnds(code, nPixels) {
  const ends = new Uint32Array(code.length);
  let nRuns = 0;
  let place = 0;
  let run = 0;
  let shift = 0;
  for (const byte of code) {
    run += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte & 0x80) continue;
    place += run;
    if (place > nPixels) throw new Error("the mask does not fit its image");
    ends[nRuns++] = place;
    run = 0;
    shift = 0;
  }
  if (place !== nPixels || shift !== 0) throw new Error("the mask does not fit its image");
  return ends.subarray(0, nRuns);
}

/**
 * @param {Uint8Array} code
 * @param {number} nPixels Of the image.
 * @returns {Uint8Array<ArrayBuffer>} 0 or 1 each.
 * @throws {Error} The code is of another size than the image.
 */
export function decodeRle(code, nPixels) {
  const pixels = new Uint8Array(nPixels);
  let start = 0;
  let value = 0;
  for (const end of runEnds(code, nPixels)) {
    if (value) pixels.fill(1, start, end);
    start = end;
    value ^= 1;
  }
  return pixels;
}

/**
 * Make a mask what a code says. Only pixels that differ are written and nothing of the mask's size is allocated: a step
 * back on a large image takes a few milliseconds.
 * @param {Mask} mask
 * @param {Uint8Array} code
 * @returns {Rectangle | null} What changed.
 */
export function applyRle(mask, code) {
  const { pixels, width } = mask;
  /** @type {Rectangle | null} */
  let touched = null;
  let start = 0;
  let value = 0;
  for (const end of runEnds(code, pixels.length)) {
    let at = firstOf(pixels, value ^ 1, start, end);
    while (at < end) {
      const last = firstOf(pixels, value, at, end);
      pixels.fill(value, at, last);
      touched = union(touched, rectangleOf(at, last, width));
      at = firstOf(pixels, value ^ 1, last, end);
    }
    start = end;
    value ^= 1;
  }
  return touched;
}

/**
 * Where a value occurs first from start on, or end. Never looks further, or many short runs would cost their square.
 * @param {Uint8Array} pixels
 * @param {number} value
 * @param {number} start
 * @param {number} end
 */
function firstOf(pixels, value, start, end) {
  const near = Math.min(end, start + SHORT_RUN);
  for (let i = start; i < near; i++) if (pixels[i] === value) return i;
  if (near >= end) return end;
  const found = pixels.subarray(near, end).indexOf(value);
  return found < 0 ? end : near + found;
}

/**
 * The rectangle around the pixels from one index to another.
 * @param {number} start
 * @param {number} end
 * @param {number} width
 * @returns {Rectangle}
 */
function rectangleOf(start, end, width) {
  const y0 = Math.floor(start / width);
  const y1 = Math.floor((end - 1) / width) + 1;
  if (y1 - y0 > 1) return { x0: 0, y0, x1: width, y1 };
  return { x0: start - y0 * width, y0, x1: end - y0 * width, y1 };
}

/**
 * The code of an empty mask.
 * @param {number} nPixels
 */
export function codeOfNothing(nPixels) {
  const code = [];
  let run = nPixels;
  for (; run >= 0x80; run = Math.floor(run / 0x80)) code.push((run & 0x7f) | 0x80);
  return Uint8Array.from([...code, run]);
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export function sameBytes(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** @param {string} text */
export function bytesFromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
