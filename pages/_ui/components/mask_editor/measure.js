// Areas and lengths of masks, in pixels of the image.

import { applyPatch, boundsOf } from "./mask.js";
import { holesFilled } from "./region.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { Mask } from "./mask.js" */
/** @import { Steps } from "./slices.js" */
/**
 * The area of a mask; and of the cervix its area, its largest diameter, and what the mask covers of it, or null where no
 * cervix is painted. A cervix painted as a ring counts as filled.
 * @typedef {{ area: number, cervix: { area: number, diameter: number, covered: number } | null }} Sizes
 */

/**
 * The largest distance between two corners of pixels of the mask; 0 where it is empty.
 * @param {Mask} mask
 */
export function largestDiameter(mask) {
  const hull = hullOf(mask);
  let largest = 0;
  for (const a of hull) for (const b of hull) largest = Math.max(largest, Math.hypot(a.x - b.x, a.y - b.y));
  return largest;
}

/**
 * The corners of the mask's convex hull. In a row only its first and its last pixel can reach it.
 * @param {Mask} mask
 */
function hullOf(mask) {
  const box = boundsOf(mask);
  if (!box) return [];
  const { pixels, width } = mask;
  /** @type {Point[]} */
  const left = [];
  /** @type {Point[]} */
  const right = [];
  for (let y = box.y0; y < box.y1; y++) {
    const row = pixels.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first < 0) continue;
    const end = row.lastIndexOf(1) + 1;
    for (const edge of [y, y + 1]) {
      addToChain(left, { x: first, y: edge }, 1);
      addToChain(right, { x: end, y: edge }, -1);
    }
  }
  return [...left, ...right];
}

/**
 * Points come from the top down; those that the new one leaves inside go.
 * @param {Point[]} chain
 * @param {Point} point
 * @param {number} side 1 for the left chain, -1 for the right one.
 */
function addToChain(chain, point, side) {
  while (chain.length >= 2) {
    const [a, b] = chain.slice(-2);
    if (side * ((b.x - a.x) * (point.y - b.y) - (b.y - a.y) * (point.x - b.x)) < 0) break;
    chain.pop();
  }
  chain.push(point);
}

/**
 * @param {Mask} mask
 * @param {Mask | null} cervixMask
 * @returns {Steps<Sizes>}
 */
export function* measured(mask, cervixMask) {
  const filled = cervixMask && (yield* holesFilled(cervixMask));
  if (!filled) return { area: yield* count(mask.pixels), cervix: null };
  const { width } = mask;
  const inside = { pixels: new Uint8Array(mask.pixels.length), width, height: mask.height };
  applyPatch(inside, filled);
  const cervix = { area: yield* count(inside.pixels), diameter: largestDiameter(inside), covered: 0 };
  yield;
  const area = yield* count(mask.pixels);
  for (let i = 0; i < inside.pixels.length; i++) inside.pixels[i] &= mask.pixels[i];
  yield;
  cervix.covered = yield* count(inside.pixels);
  return { area, cervix };
}

/**
 * @param {Uint8Array} pixels
 * @returns {Steps<number>}
 */
function* count(pixels) {
  const band = 1 << 20;
  let sum = 0;
  for (let start = 0; start < pixels.length; start += band) {
    const end = Math.min(pixels.length, start + band);
    for (let i = start; i < end; i++) sum += pixels[i];
    yield;
  }
  return sum;
}
