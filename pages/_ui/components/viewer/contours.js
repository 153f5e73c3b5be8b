// Contour lines on a grid, by marching squares with places between the cells' middles.
//
// A line goes from one side of a square to another, always with the higher values on the same hand, so that each side has
// one that follows it and the squares need no order. A side is told by a number: that above or left of a square.

/** @typedef {"top" | "right" | "bottom" | "left"} Side */
/** @typedef {Pick<Path2D, "moveTo" | "lineTo" | "closePath">} Path */

/**
 * Draw the line along which values pass a level, in cells, origin top left. Outside the grid everything counts as below,
 * so that every line is closed.
 * @param {ArrayLike<number>} values With a rim of one cell around them, as `rimmed` gives them.
 * @param {number} width Of the grid without the rim.
 * @param {number} height
 * @param {number} level
 * @param {Path} path
 */
export function drawContour(values, width, height, level, path) {
  const wide = width + 2;
  const next = new Int32Array(2 * wide * (height + 2)).fill(-1);
  const above = (/** @type {number} */ i) => 2 * i;
  const left = (/** @type {number} */ i) => 2 * i + 1;
  for (let y = 0; y <= height; y++) {
    for (let x = 0, i = y * wide; x <= width; x++, i++) {
      const upper = (values[i] >= level ? 8 : 0) | (values[i + 1] >= level ? 4 : 0);
      const lower = (values[i + wide + 1] >= level ? 2 : 0) | (values[i + wide] >= level ? 1 : 0);
      const kind = upper | lower;
      if (kind === 0 || kind === 15) continue;
      const sides = { top: above(i), right: left(i + 1), bottom: above(i + wide), left: left(i) };
      for (const [from, to] of LINES[kind]) next[sides[from]] = sides[to];
    }
  }
  drawAlong(next, (side) => pointOnSide(side, values, width, height, level), path);
}

/**
 * Which sides of a square a line joins, by which of its corners (top left 8, top right 4, bottom right 2, bottom left 1)
 * reach the level.
 * @type {Record<number, [Side, Side][]>}
 */
const LINES = {
  1: [["bottom", "left"]],
  2: [["right", "bottom"]],
  3: [["right", "left"]],
  4: [["top", "right"]],
  5: [
    ["top", "right"],
    ["bottom", "left"],
  ],
  6: [["top", "bottom"]],
  7: [["top", "left"]],
  8: [["left", "top"]],
  9: [["bottom", "top"]],
  10: [
    ["left", "top"],
    ["right", "bottom"],
  ],
  11: [["right", "top"]],
  12: [["left", "right"]],
  13: [["bottom", "right"]],
  14: [["left", "bottom"]],
};

/**
 * Where a line crosses a side.
 * @param {number} side
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {number} height
 * @param {number} level
 * @returns {[x: number, y: number]}
 */
function pointOnSide(side, values, width, height, level) {
  const wide = width + 2;
  const from = side >> 1;
  const isAbove = side % 2 === 0;
  const [low, high] = [values[from], values[from + (isAbove ? 1 : wide)]];
  const share = (level - low) / (high - low);
  const x = (from % wide) - 0.5 + (isAbove ? share : 0);
  const y = Math.floor(from / wide) - 0.5 + (isAbove ? 0 : share);
  return [Math.min(width, Math.max(0, x)), Math.min(height, Math.max(0, y))];
}

/**
 * @param {Int32Array} next For each side the one that follows, or -1; all are -1 afterwards.
 * @param {(side: number) => [x: number, y: number]} pointOf
 * @param {Path} path
 */
function drawAlong(next, pointOf, path) {
  for (let start = 0; start < next.length; start++) {
    if (next[start] < 0) continue;
    path.moveTo(...pointOf(start));
    for (let side = start, following = next[side]; following >= 0; following = next[side]) {
      next[side] = -1;
      side = following;
      if (side !== start) path.lineTo(...pointOf(side));
    }
    path.closePath();
  }
}

/**
 * One channel of RGBA bytes on a grid, with a rim of -1 around it.
 * @param {{ width: number, height: number, data: ArrayLike<number> }} grid
 * @param {number} channel 0 for red to 3 for alpha.
 */
export function rimmed({ width, height, data }, channel) {
  const values = new Float32Array((width + 2) * (height + 2)).fill(-1);
  for (let y = 0; y < height; y++) {
    const to = (y + 1) * (width + 2) + 1;
    const from = y * width * 4 + channel;
    for (let x = 0; x < width; x++) values[to + x] = data[from + 4 * x];
  }
  return values;
}
