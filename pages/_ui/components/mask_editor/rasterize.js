// Painting with hard edges at the image's resolution: a pixel is in when its middle is in.
// Points are in pixels of the image.

import { union } from "../shared/geometry.js";

/** @import { Point, Rectangle } from "../shared/geometry.js" */
/** @import { Mask } from "./mask.js" */
/** @typedef {{ low: number, high: number }} Span */

/**
 * @param {Mask} mask
 * @param {Point} from
 * @param {Point} to
 * @param {number} diameter
 * @param {number} value 1 paints, 0 erases.
 * @returns {Rectangle | null} What was touched.
 */
export function paintStroke(mask, from, to, diameter, value) {
  const radius = diameter / 2;
  const [a, b] = radius < 1 ? [middleOf(from), middleOf(to)] : [from, to];
  const corners = cornersOfStroke(a, b, radius);
  const y0 = Math.max(0, Math.ceil(Math.min(a.y, b.y) - radius - 0.5));
  const y1 = Math.min(mask.height - 1, Math.floor(Math.max(a.y, b.y) + radius - 0.5));
  /** @type {Rectangle | null} */
  let touched = null;
  for (let y = y0; y <= y1; y++) {
    const span = spanOfStroke(y + 0.5, a, b, radius, corners);
    const x0 = Math.max(0, Math.ceil(span.low - 0.5));
    const x1 = Math.min(mask.width - 1, Math.floor(span.high - 0.5));
    if (x0 > x1) continue;
    mask.pixels.fill(value, y * mask.width + x0, y * mask.width + x1 + 1);
    touched = union(touched, { x0, y0: y, x1: x1 + 1, y1: y + 1 });
  }
  return touched;
}

/**
 * The middle of the pixel under a point.
 * @param {Point} point
 */
function middleOf(point) {
  return { x: Math.floor(point.x) + 0.5, y: Math.floor(point.y) + 0.5 };
}

/**
 * A stroke between two points is two discs and the rectangle between them; together they are convex, so every row of
 * pixels holds one span.
 * @param {number} y
 * @param {Point} a
 * @param {Point} b
 * @param {number} radius
 * @param {Point[]} corners Of the rectangle.
 * @returns {Span}
 */
function spanOfStroke(y, a, b, radius, corners) {
  const span = { low: Infinity, high: -Infinity };
  /** @type {(low: number, high: number) => void} */
  const reach = (low, high) => {
    span.low = Math.min(span.low, low);
    span.high = Math.max(span.high, high);
  };
  for (const end of [a, b]) {
    const half = Math.sqrt(radius * radius - (y - end.y) ** 2);
    if (half >= 0) reach(end.x - half, end.x + half);
  }
  for (let i = 0; i < corners.length; i++) {
    const p = corners[i];
    const q = corners[(i + 1) % corners.length];
    if (p.y === q.y || y < Math.min(p.y, q.y) || y > Math.max(p.y, q.y)) continue;
    const x = p.x + ((y - p.y) / (q.y - p.y)) * (q.x - p.x);
    reach(x, x);
  }
  return span;
}

/**
 * The corners of the rectangle between a stroke's two discs; none where both are one.
 * @param {Point} a
 * @param {Point} b
 * @param {number} radius
 */
function cornersOfStroke(a, b, radius) {
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  if (length === 0) return [];
  const x = (-(b.y - a.y) / length) * radius;
  const y = ((b.x - a.x) / length) * radius;
  return [
    { x: a.x + x, y: a.y + y },
    { x: b.x + x, y: b.y + y },
    { x: b.x - x, y: b.y - y },
    { x: a.x - x, y: a.y - y },
  ];
}

/**
 * Loops that overlap are filled as one area (non-zero winding), as a hand that crosses its own line means it.
 * @param {Mask} mask
 * @param {Point[]} points
 * @param {number} value 1 paints, 0 erases.
 * @returns {Rectangle | null} What was touched.
 */
export function fillPolygon(mask, points, value) {
  /** @type {Rectangle | null} */
  let touched = null;
  if (points.length < 3) return touched;
  const ys = points.map((point) => point.y);
  const y0 = Math.max(0, Math.floor(Math.min(...ys)));
  const y1 = Math.min(mask.height - 1, Math.ceil(Math.max(...ys)));
  for (let y = y0; y <= y1; y++) {
    for (const span of spansOfPolygon(points, y + 0.5)) {
      const x0 = Math.max(0, Math.ceil(span.low - 0.5));
      const x1 = Math.min(mask.width, Math.ceil(span.high - 0.5));
      if (x0 >= x1) continue;
      mask.pixels.fill(value, y * mask.width + x0, y * mask.width + x1);
      touched = union(touched, { x0, y0: y, x1, y1: y + 1 });
    }
  }
  return touched;
}

/**
 * @param {Point[]} points
 * @param {number} y
 * @returns {Span[]}
 */
function spansOfPolygon(points, y) {
  const crossings = [];
  for (let i = 0; i < points.length; i++) {
    const p = points[i];
    const q = points[(i + 1) % points.length];
    if (p.y <= y === q.y <= y) continue;
    crossings.push({ x: p.x + ((y - p.y) / (q.y - p.y)) * (q.x - p.x), turn: p.y < q.y ? 1 : -1 });
  }
  crossings.sort((a, b) => a.x - b.x);
  const spans = [];
  let winding = 0;
  let low = 0;
  for (const crossing of crossings) {
    if (winding === 0) low = crossing.x;
    winding += crossing.turn;
    if (winding === 0) spans.push({ low, high: crossing.x });
  }
  return spans;
}
