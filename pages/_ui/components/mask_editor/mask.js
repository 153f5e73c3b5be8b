// Masks, and patches of them.

/** @import { Rectangle } from "../shared/geometry.js" */
/**
 * A mask: 0 or 1 for each pixel of its image, row by row.
 * @typedef {{ pixels: Uint8Array, width: number, height: number }} Mask
 */
/**
 * What a rectangle of a mask becomes, row by row.
 * @typedef {Rectangle & { pixels: Uint8Array }} Patch
 */

/**
 * The smallest rectangle that holds the mask, or null where it is empty.
 * @param {Mask} mask
 * @returns {Rectangle | null}
 */
export function boundsOf({ pixels, width }) {
  const first = pixels.indexOf(1);
  if (first < 0) return null;
  const y0 = Math.floor(first / width);
  const y1 = Math.floor(pixels.lastIndexOf(1) / width) + 1;
  let x0 = width;
  let x1 = 0;
  for (let y = y0; y < y1; y++) {
    const row = y * width;
    const left = pixels.subarray(row, row + x0).indexOf(1);
    if (left >= 0) x0 = left;
    const right = pixels.subarray(row + x1, row + width).lastIndexOf(1);
    if (right >= 0) x1 += right + 1;
  }
  return { x0, y0, x1, y1 };
}

/**
 * @param {Mask} mask
 * @param {Patch} patch
 */
export function applyPatch(mask, patch) {
  const patchWidth = patch.x1 - patch.x0;
  for (let y = patch.y0; y < patch.y1; y++) {
    const from = (y - patch.y0) * patchWidth;
    mask.pixels.set(patch.pixels.subarray(from, from + patchWidth), y * mask.width + patch.x0);
  }
}
