// A mask moved and warped by its four corners. What the corners do to the mask is a homography; each pixel takes the
// nearest one of the old mask.

import { boxOf, union } from "../shared/geometry.js";
import { patchOf } from "./slices.js";

/** @import { Point, Rectangle } from "../shared/geometry.js" */
/** @import { Mask, Patch } from "./mask.js" */
/** @import { Steps } from "./slices.js" */
/** @typedef {[number, number, number, number]} Segment x and y of both ends. */

const OUTLINE_CELLS = 400;
const MOST_EDGES = 6000;
const LEAST_TURN = 1e-3;

/**
 * The 3 x 3 matrix, row by row, that takes four points to four others. No three points of either may lie on a line.
 * @param {Point[]} from
 * @param {Point[]} to
 */
export function homographyOf(from, to) {
  const rows = [];
  for (let i = 0; i < 4; i++) {
    const { x, y } = from[i];
    const { x: u, y: v } = to[i];
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  }
  return [...solved(rows), 1];
}

/**
 * Gauss-Jordan with the largest pivot.
 * @param {number[][]} rows Each ends with its right-hand side.
 */
function solved(rows) {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let best = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[best][column])) best = i;
    [rows[column], rows[best]] = [rows[best], rows[column]];
    const pivot = rows[column];
    for (let i = 0; i < n; i++) {
      if (i === column) continue;
      const factor = rows[i][column] / pivot[column];
      for (let j = column; j <= n; j++) rows[i][j] -= factor * pivot[j];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

/**
 * Where a homography takes a point.
 * @param {number[]} h
 * @param {number} x
 * @param {number} y
 * @returns {Point}
 */
export function through(h, x, y) {
  const w = h[6] * x + h[7] * y + h[8];
  return { x: (h[0] * x + h[1] * y + h[2]) / w, y: (h[3] * x + h[4] * y + h[5]) / w };
}

/**
 * Whether the corners go around clockwise (y points down) without a dent: only then can a homography take a box there.
 * @param {Point[]} corners
 */
export function isConvex(corners) {
  return corners.every((b, i) => {
    const a = corners[(i + 3) % 4];
    const c = corners[(i + 1) % 4];
    return (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > LEAST_TURN;
  });
}

/**
 * @param {Point[]} corners As `isConvex` wants them.
 * @param {Point} point
 */
export function isWithin(corners, point) {
  return corners.every((a, i) => {
    const b = corners[(i + 1) % 4];
    return (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) >= 0;
  });
}

/**
 * The patch of the mask whose bounds' corners `from` have been taken to `to`. What leaves the image is lost.
 * @param {Mask} mask
 * @param {Point[]} from
 * @param {Point[]} to
 * @returns {Steps<Patch>}
 */
export function* warped(mask, from, to) {
  const { width, height } = mask;
  const target = boxOf(to);
  const box = union(boxOf(from), {
    x0: Math.max(0, Math.floor(target.x0)),
    y0: Math.max(0, Math.floor(target.y0)),
    x1: Math.min(width, Math.ceil(target.x1)),
    y1: Math.min(height, Math.ceil(target.y1)),
  });
  const back = homographyOf(to, from);
  return yield* patchOf(box, width, (_i, x, y) => {
    const w = back[6] * (x + 0.5) + back[7] * (y + 0.5) + back[8];
    const column = Math.floor((back[0] * (x + 0.5) + back[1] * (y + 0.5) + back[2]) / w);
    const row = Math.floor((back[3] * (x + 0.5) + back[4] * (y + 0.5) + back[5]) / w);
    return column >= 0 && column < width && row >= 0 && row < height ? mask.pixels[row * width + column] : 0;
  });
}

/**
 * The mask's outline, from square cells that are as coarse as the mask is large.
 * @param {Mask} mask
 * @param {Rectangle} box The mask's bounds.
 */
export function outlineOf(mask, box) {
  let step = Math.max(1, Math.ceil(Math.max(box.x1 - box.x0, box.y1 - box.y0) / OUTLINE_CELLS));
  let edges = edgesOf(mask, box, step);
  while (edges.length > MOST_EDGES) {
    step *= 2;
    edges = edgesOf(mask, box, step);
  }
  return edges;
}

/**
 * The sides of cells between mask and background.
 * @param {Mask} mask
 * @param {Rectangle} box The mask's bounds.
 * @param {number} step Of the cells, in pixels.
 * @returns {Segment[]}
 */
export function edgesOf({ pixels, width }, box, step) {
  const columns = Math.ceil((box.x1 - box.x0) / step);
  const rows = Math.ceil((box.y1 - box.y0) / step);
  /** @type {(u: number, v: number) => number} */
  const at = (u, v) => {
    if (u < 0 || v < 0 || u >= columns || v >= rows) return 0;
    const x = Math.min(box.x1 - 1, box.x0 + u * step + (step >> 1));
    const y = Math.min(box.y1 - 1, box.y0 + v * step + (step >> 1));
    return pixels[y * width + x];
  };
  /** @type {Segment[]} */
  const edges = [];
  for (let v = 0; v <= rows; v++) {
    for (let u = 0; u <= columns; u++) {
      const here = at(u, v);
      const x = box.x0 + u * step;
      const y = box.y0 + v * step;
      if (here !== at(u - 1, v)) edges.push([x, y, x, y + step]);
      if (here !== at(u, v - 1)) edges.push([x, y, x + step, y]);
    }
  }
  return edges;
}
