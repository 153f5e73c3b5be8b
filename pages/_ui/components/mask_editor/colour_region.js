// The region that the magic wand takes: what is connected with a place and has a colour no further from the colour there
// than a tolerance.
//
// The colour of a pixel is the rounded mean of the 3 x 3 pixels around it (the outermost ones repeat beyond the image's
// edge), so that the grain of a photograph does not riddle the region. The distance of two colours is the CIE 1976 one:
// Euclidean in CIELAB (D65, 2 degrees); 2.3 is about what an eye just sees. Pixels are joined side by side and above each
// other.

import { union } from "../shared/geometry.js";
import { patchOf } from "./slices.js";

/** @import { Point, Rectangle } from "../shared/geometry.js" */
/** @import { Mask, Patch } from "./mask.js" */
/** @import { Steps } from "./slices.js" */
/**
 * Pixels of an image, four bytes RGBA each; `isMean` where they are means of many already.
 * @typedef {{ data: ArrayLike<number>, width: number, height: number, isMean?: boolean }} ColourImage
 */
/** @typedef {[number, number, number]} Lab Lightness, a and b of CIELAB. */
/**
 * A region: a byte a pixel, FILLED inside, and the rectangle around it, null where it is empty.
 * @typedef {{ states: Uint8Array, touched: Rectangle | null }} Region
 */

const WHITE = [0.95047, 1, 1.08883];

const LINEAR = Float64Array.from({ length: 256 }, (_, value) =>
  value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
);

/**
 * The CIELAB colour of an sRGB one.
 * @param {number} r 0 to 255.
 * @param {number} g
 * @param {number} b
 * @returns {Lab}
 */
function labOf(r, g, b) {
  const [red, green, blue] = [LINEAR[r], LINEAR[g], LINEAR[b]];
  const x = labCurve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / WHITE[0]);
  const y = labCurve(0.2126729 * red + 0.7151522 * green + 0.072175 * blue);
  const z = labCurve((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / WHITE[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** @param {number} t */
function labCurve(t) {
  return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
}

/**
 * The CIELAB colour of one that is given as 0xRRGGBB.
 * @param {number} colour
 */
export function labOfColour(colour) {
  return labOf(colour >> 16, (colour >> 8) & 255, colour & 255);
}

/**
 * The colour at a pixel as one number, 0xRRGGBB.
 * @param {ColourImage} image
 * @param {number} x
 * @param {number} y
 */
export function colourAt({ data, width, height, isMean }, x, y) {
  if (isMean) {
    const i = 4 * (y * width + x);
    return (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
  }
  const left = x > 0 ? -4 : 0;
  const right = x < width - 1 ? 4 : 0;
  let r = 4;
  let g = 4;
  let b = 4;
  for (let dy = -1; dy <= 1; dy++) {
    const i = 4 * (Math.min(height - 1, Math.max(0, y + dy)) * width + x);
    r += data[i + left] + data[i] + data[i + right];
    g += data[i + left + 1] + data[i + 1] + data[i + right + 1];
    b += data[i + left + 2] + data[i + 2] + data[i + right + 2];
  }
  return (Math.floor(r / 9) << 16) | (Math.floor(g / 9) << 8) | Math.floor(b / 9);
}

/**
 * @param {number} here 0xRRGGBB.
 * @param {Lab} from
 */
export function colourDistance(here, from) {
  const [l, a, b] = labOfColour(here);
  return Math.hypot(l - from[0], a - from[1], b - from[2]);
}

/**
 * A test of whether the colour at (x, y) is within the tolerance of a colour. What it finds of a colour it keeps: a
 * photograph has far fewer colours than pixels.
 * @param {ColourImage} image
 * @param {number} colour 0xRRGGBB.
 * @param {number} tolerance
 * @returns {(x: number, y: number) => boolean}
 */
export function nearness(image, colour, tolerance) {
  const known = new Uint8Array(1 << 24);
  const from = labOfColour(colour);
  return (x, y) => {
    const here = colourAt(image, x, y);
    if (!known[here]) known[here] = colourDistance(here, from) <= tolerance ? 2 : 1;
    return known[here] === 2;
  };
}

const UNKNOWN = 0;
const OUT = 1;
const WANTED = 2;
export const FILLED = 3;

/**
 * The region of pixels with `isNear(x, y)` around a seed, in steps of one span.
 * @param {{ width: number, height: number }} image
 * @param {Point} seed Whole pixels.
 * @param {(x: number, y: number) => boolean} isNear
 * @returns {Steps<Region>}
 */
export function* regionAround({ width, height }, seed, isNear) {
  const states = new Uint8Array(width * height);
  /** @type {(x: number, y: number) => boolean} */
  const isWanted = (x, y) => {
    const i = y * width + x;
    if (states[i] === UNKNOWN) states[i] = isNear(x, y) ? WANTED : OUT;
    return states[i] === WANTED;
  };
  const waiting = isWanted(seed.x, seed.y) ? [seed.y * width + seed.x] : [];
  /** @type {Rectangle | null} */
  let touched = null;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (states[at] !== WANTED) continue;
    yield;
    const y = Math.floor(at / width);
    let x0 = at % width;
    let x1 = x0 + 1;
    while (x0 > 0 && isWanted(x0 - 1, y)) x0--;
    while (x1 < width && isWanted(x1, y)) x1++;
    states.fill(FILLED, y * width + x0, y * width + x1);
    touched = union(touched, { x0, y0: y, x1, y1: y + 1 });
    for (const beside of [y - 1, y + 1]) {
      if (beside < 0 || beside >= height) continue;
      for (let x = x0, isAfterWanted = false; x < x1; x++) {
        const wanted = isWanted(x, beside);
        if (wanted && !isAfterWanted) waiting.push(beside * width + x);
        isAfterWanted = wanted;
      }
    }
  }
  return { states, touched };
}

/**
 * A test of whether (x, y) of the whole image lies in a region of the reduced one, or one pixel of that beside it.
 * @param {{ states: Uint8Array, width: number, height: number }} region
 * @param {number} scale Of the reduced image.
 * @returns {(x: number, y: number) => boolean}
 */
export function boundOf({ states, width, height }, scale) {
  return (x, y) => {
    const column = Math.min(width - 1, Math.floor(x * scale));
    const row = Math.min(height - 1, Math.floor(y * scale));
    for (let v = Math.max(0, row - 1); v <= Math.min(height - 1, row + 1); v++) {
      for (let u = Math.max(0, column - 1); u <= Math.min(width - 1, column + 1); u++) {
        if (states[v * width + u] === FILLED) return true;
      }
    }
    return false;
  };
}

/**
 * The patch of a region that is added to the mask or taken from it.
 * @param {Mask} mask
 * @param {Region} region
 * @param {number} value 1 adds, 0 takes away.
 * @returns {Steps<Patch | null>}
 */
export function* regionPatch(mask, region, value) {
  const { states, touched } = region;
  if (!touched) return null;
  return yield* patchOf(touched, mask.width, (i) => (states[i] === FILLED ? value : mask.pixels[i]));
}
