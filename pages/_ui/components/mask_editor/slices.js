// Long computations in slices, so that the page stays awake: generators that yield whenever they can be interrupted.

/** @import { Rectangle } from "../shared/geometry.js" */
/** @import { Patch } from "./mask.js" */

/**
 * A computation that yields whenever it can be interrupted, and returns its result.
 * @template Result
 * @typedef {Generator<undefined, Result, undefined>} Steps
 */

const SLICE_MS = 10;
export const ROWS_A_STEP = 16;

/**
 * Run steps in slices, so that nothing blocks for long.
 * @template Result
 * @param {Steps<Result>} steps
 * @param {() => boolean} isWanted Asked between slices.
 * @returns {Promise<Result | null>} Null where nobody waits for the result any more.
 */
export async function inSlices(steps, isWanted = () => true) {
  let until = performance.now() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    await nextTask();
    if (!isWanted()) return null;
    until = performance.now() + SLICE_MS;
  }
}

/**
 * Run steps without a pause.
 * @template Result
 * @param {Steps<Result>} steps
 * @returns {Result}
 */
export function atOnce(steps) {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Let the page do what waits, such as drawing a frame.
 * @returns {Promise<void>}
 */
export function nextTask() {
  return new Promise((resolve) => setTimeout(resolve));
}

/**
 * The patch whose pixels a function gives, row by row.
 * @param {Rectangle} box
 * @param {number} width Of the mask.
 * @param {(i: number, x: number, y: number) => number} valueAt Takes the pixel's index in the mask, and its place.
 * @returns {Steps<Patch>}
 */
export function* patchOf(box, width, valueAt) {
  const pixels = new Uint8Array((box.x1 - box.x0) * (box.y1 - box.y0));
  let at = 0;
  for (let y = box.y0; y < box.y1; y++) {
    if ((y - box.y0) % ROWS_A_STEP === 0) yield;
    const row = y * width;
    for (let x = box.x0; x < box.x1; x++) pixels[at++] = valueAt(row + x, x, y);
  }
  return { ...box, pixels };
}
