// Points and rectangles.

/** @typedef {{ x: number, y: number }} Point */
/**
 * A rectangle with its ends outside: x0 <= x < x1 and y0 <= y < y1.
 * @typedef {{ x0: number, y0: number, x1: number, y1: number }} Rectangle
 */

/**
 * The smallest rectangle that holds both; null is an empty one.
 * @template {Rectangle | null} A
 * @template {Rectangle | null} B
 * @param {A} a
 * @param {B} b
 * @returns {Rectangle | (A & B)}
 */
export function union(a, b) {
  if (!a || !b) return /** @type {Rectangle | (A & B)} */ (a || b);
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

/** @param {Rectangle} rectangle */
export function areaOf({ x0, y0, x1, y1 }) {
  return (x1 - x0) * (y1 - y0);
}

/**
 * Clockwise from the top left, y pointing down.
 * @param {Rectangle} rectangle
 * @returns {Point[]}
 */
export function cornersOf({ x0, y0, x1, y1 }) {
  return [
    { x: x0, y: y0 },
    { x: x1, y: y0 },
    { x: x1, y: y1 },
    { x: x0, y: y1 },
  ];
}

/**
 * The smallest rectangle around points.
 * @param {Point[]} points
 * @returns {Rectangle}
 */
export function boxOf(points) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
