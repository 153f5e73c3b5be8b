// Whole regions of a mask: holes, specks, growing and shrinking by a pixel.
//
// None of these changes the mask that it is given: they make a patch of it, or null where there is nothing to do.

import { boundsOf } from "./mask.js";
import { patchOf, ROWS_A_STEP } from "./slices.js";

/** @import { Rectangle } from "../shared/geometry.js" */
/** @import { Mask, Patch } from "./mask.js" */
/** @import { Steps } from "./slices.js" */

/**
 * Background that the mask closes in becomes mask. Background that touches only by a corner is not joined, and what
 * touches the edge of the image is open.
 * @param {Mask} mask
 * @returns {Steps<Patch | null>}
 */
export function* holesFilled(mask) {
  const box = boundsOf(mask);
  if (!box) return null;
  const areas = yield* areasOf(mask, box, 0, 0);
  const isOpen = new Uint8Array(areas.length);
  for (let i = 0; i < areas.length; i++) {
    const row = areas.row[i];
    if (areas.start[i] === box.x0 || areas.end[i] === box.x1 || row === box.y0 || row === box.y1 - 1) {
      isOpen[areas.root(i)] = 1;
    }
  }
  return yield* repaint(mask, box, areas, 1, (root) => !isOpen[root]);
}

/**
 * Areas of fewer than `nPixels` pixels go. Pixels that touch by a corner belong together.
 * @param {Mask} mask
 * @param {number} nPixels
 * @returns {Steps<Patch | null>}
 */
export function* specksRemoved(mask, nPixels) {
  const box = boundsOf(mask);
  if (!box) return null;
  const areas = yield* areasOf(mask, box, 1, 1);
  return yield* repaint(mask, box, areas, 0, (root) => areas.size[root] < nPixels);
}

/**
 * A pixel beside, above or below the mask becomes mask.
 * @param {Mask} mask
 * @returns {Steps<Patch | null>}
 */
export function* grown(mask) {
  const box = boundsOf(mask);
  if (!box) return null;
  const { pixels, width, height } = mask;
  const wider = {
    x0: Math.max(0, box.x0 - 1),
    y0: Math.max(0, box.y0 - 1),
    x1: Math.min(width, box.x1 + 1),
    y1: Math.min(height, box.y1 + 1),
  };
  return yield* patchOf(
    wider,
    width,
    (i, x, y) =>
      pixels[i] |
      (x > 0 ? pixels[i - 1] : 0) |
      (x < width - 1 ? pixels[i + 1] : 0) |
      (y > 0 ? pixels[i - width] : 0) |
      (y < height - 1 ? pixels[i + width] : 0),
  );
}

/**
 * A pixel with background beside, above or below it becomes background. Beyond the image lies no background: a lesion
 * that runs out of the image keeps its pixels there.
 * @param {Mask} mask
 * @returns {Steps<Patch | null>}
 */
export function* shrunk(mask) {
  const box = boundsOf(mask);
  if (!box) return null;
  const { pixels, width, height } = mask;
  return yield* patchOf(
    box,
    width,
    (i, x, y) =>
      pixels[i] &
      (x > 0 ? pixels[i - 1] : 1) &
      (x < width - 1 ? pixels[i + 1] : 1) &
      (y > 0 ? pixels[i - width] : 1) &
      (y < height - 1 ? pixels[i + width] : 1),
  );
}

/**
 * Runs of one value in a box, joined to areas: a union-find over runs, of which each knows its row, start, end (outside)
 * and parent; of a root `size` is that of the whole area.
 */
class Areas {
  constructor() {
    this.length = 0;
    this.capacity = 1024;
    this.row = new Int32Array(this.capacity);
    this.start = new Int32Array(this.capacity);
    this.end = new Int32Array(this.capacity);
    this.parent = new Int32Array(this.capacity);
    this.size = new Int32Array(this.capacity);
  }

  /**
   * @param {number} row
   * @param {number} start
   * @param {number} end
   */
  add(row, start, end) {
    if (this.length === this.capacity) this.double();
    const i = this.length++;
    this.row[i] = row;
    this.start[i] = start;
    this.end[i] = end;
    this.size[i] = end - start;
    this.parent[i] = i;
  }

  double() {
    this.capacity *= 2;
    for (const name of /** @type {const} */ (["row", "start", "end", "parent", "size"])) {
      const larger = new Int32Array(this.capacity);
      larger.set(this[name]);
      this[name] = larger;
    }
  }

  /**
   * The run that stands for the area of a run.
   * @param {number} run
   */
  root(run) {
    const { parent } = this;
    let i = run;
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]];
      i = parent[i];
    }
    return i;
  }

  /**
   * @param {number} i
   * @param {number} j
   */
  join(i, j) {
    let a = this.root(i);
    let b = this.root(j);
    if (a === b) return;
    if (this.size[a] < this.size[b]) [a, b] = [b, a];
    this.parent[b] = a;
    this.size[a] += this.size[b];
  }
}

/**
 * The areas of a value in a box: of neighbours side by side and above each other, and with `reach` 1 of those that touch
 * by a corner too.
 * @param {Mask} mask
 * @param {Rectangle} box
 * @param {number} value
 * @param {number} reach
 * @returns {Steps<Areas>}
 */
function* areasOf({ pixels, width }, box, value, reach) {
  const areas = new Areas();
  let above = 0;
  for (let y = box.y0; y < box.y1; y++) {
    if ((y - box.y0) % ROWS_A_STEP === 0) yield;
    const first = areas.length;
    const row = y * width;
    let x = box.x0;
    while (x < box.x1) {
      while (x < box.x1 && pixels[row + x] !== value) x++;
      const start = x;
      while (x < box.x1 && pixels[row + x] === value) x++;
      if (x > start) areas.add(y, start, x);
    }
    // Both rows' runs are in order: whichever ends first is done with.
    let i = above;
    let j = first;
    while (i < first && j < areas.length) {
      if (areas.start[i] < areas.end[j] + reach && areas.start[j] < areas.end[i] + reach) areas.join(i, j);
      if (areas.end[i] < areas.end[j]) i++;
      else j++;
    }
    above = first;
  }
  return areas;
}

/**
 * The patch in which the areas that are wanted have a value.
 * @param {Mask} mask
 * @param {Rectangle} box
 * @param {Areas} areas
 * @param {number} value
 * @param {(root: number) => boolean} isWanted
 * @returns {Steps<Patch>}
 */
function* repaint({ pixels, width }, box, areas, value, isWanted) {
  const boxWidth = box.x1 - box.x0;
  const painted = new Uint8Array(boxWidth * (box.y1 - box.y0));
  for (let y = box.y0; y < box.y1; y++) {
    painted.set(pixels.subarray(y * width + box.x0, y * width + box.x1), (y - box.y0) * boxWidth);
  }
  for (let i = 0; i < areas.length; i++) {
    if (i % 4096 === 0) yield;
    if (!isWanted(areas.root(i))) continue;
    const row = (areas.row[i] - box.y0) * boxWidth - box.x0;
    painted.fill(value, row + areas.start[i], row + areas.end[i]);
  }
  return { ...box, pixels: painted };
}
