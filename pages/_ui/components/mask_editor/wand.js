// The magic wand. While the tolerance is dragged, the region is shown on a reduced image; when the button is let go it is
// found at the image's own resolution, in slices, and no further out than one pixel of the reduced image from what was
// shown.

import {
  boundOf,
  colourAt,
  colourDistance,
  FILLED,
  labOfColour,
  nearness,
  regionAround,
  regionPatch,
} from "./colour_region.js";
import { atOnce, inSlices } from "./slices.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { ColourImage } from "./colour_region.js" */
/** @import { MaskEditor } from "./editor.js" */
/** @import { Mask } from "./mask.js" */
/** @import { Steps } from "./slices.js" */
/** @import { StepsOf } from "./strokes.js" */
/**
 * What the wand sees of the image: the image's own pixels, whole and reduced, and the scale of the reduced ones.
 * @typedef {{ whole: ColourImage, reduced: ColourImage, scale: number }} Sight
 */
/**
 * A press on the image that is not over: which pointer, what it does to the mask (1 adds, 0 takes away), the pixel under
 * it, and where it began and is now on the screen. `colour` and `distances` come with the first look.
 * @typedef {object} Press
 * @property {number} id
 * @property {number} value
 * @property {Mask} mask
 * @property {Point} seed
 * @property {Point} position
 * @property {number} startX
 * @property {number} startTolerance
 * @property {boolean} [isLetGo]
 * @property {number} [colour]
 * @property {Float32Array} [distances]
 */

const PREVIEW_SIDE_PX = 480;
const TOLERANCE = { least: 1, most: 60, perScreenPx: 0.15 };
const BAND_ROWS = 128;
// Amber where the region will be added, red where it will be taken away; as a canvas holds them, red in the lowest byte.
const ADDS = 0x9000c8ff;
const TAKES = 0x903c3cff;
// Stays from one image to the next.
const habit = { tolerance: 12 };

/**
 * The image's own pixels, whatever look it is shown with. It is decoded beside the page's thread and read in bands.
 * @param {string} url
 * @param {() => boolean} isWanted
 * @returns {Promise<Sight | null>}
 */
async function readImage(url, isWanted) {
  const answer = await fetch(url, { cache: "force-cache" });
  if (!answer.ok) throw new Error(`The image could not be read (${answer.status}).`);
  const bitmap = await createImageBitmap(await answer.blob());
  const { width, height } = bitmap;
  const scale = Math.min(1, PREVIEW_SIDE_PX / Math.max(width, height));
  const whole = await inSlices(pixelsOf(bitmap, width, height), isWanted);
  const smaller = pixelsOf(bitmap, Math.ceil(width * scale), Math.ceil(height * scale));
  const reduced = scale < 1 ? await inSlices(smaller) : whole;
  bitmap.close();
  if (!whole || !reduced) return null;
  return { whole, reduced: { ...reduced, isMean: scale < 1 }, scale };
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} width
 * @param {number} height
 * @returns {Steps<ColourImage>}
 */
function* pixelsOf(bitmap, width, height) {
  const context = contextOf(new OffscreenCanvas(width, height));
  context.imageSmoothingQuality = "medium";
  context.drawImage(bitmap, 0, 0, width, height);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y += BAND_ROWS) {
    yield;
    const rows = Math.min(BAND_ROWS, height - y);
    data.set(context.getImageData(0, y, width, rows).data, 4 * y * width);
  }
  return { data, width, height };
}

/**
 * @param {OffscreenCanvas} canvas
 * @returns {OffscreenCanvasRenderingContext2D}
 */
function contextOf(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("the browser gives no canvas");
  return context;
}

export class Wand {
  /**
   * @param {{ preview: HTMLCanvasElement, bubble: HTMLElement, tolerance: HTMLInputElement, output: Element }} parts The
   *   elements it shows itself with; `output` tells the tolerance.
   * @param {MaskEditor} editor
   */
  constructor(parts, editor) {
    this.parts = parts;
    this.editor = editor;
    /** @type {string | null} */
    this.source = null;
    /** @type {Promise<Sight | null>} */
    this.sight = Promise.resolve(null);
    this.isBlind = false;
    /** @type {Press | null} */
    this.press = null;
    this.frame = 0;
    this.setTolerance(habit.tolerance);
    parts.tolerance.oninput = () => this.setTolerance(Number(parts.tolerance.value));
  }

  /** @param {number} tolerance */
  setTolerance(tolerance) {
    habit.tolerance = Math.round(Math.min(TOLERANCE.most, Math.max(TOLERANCE.least, tolerance)));
    this.parts.tolerance.value = String(habit.tolerance);
    this.parts.output.textContent = String(habit.tolerance);
  }

  /** @param {number} direction 1 or -1. */
  step(direction) {
    this.setTolerance(habit.tolerance + direction);
    if (this.press) this.showSoon();
  }

  /** @param {number} pointerId */
  isHeldBy(pointerId) {
    return this.press !== null && this.press.id === pointerId && !this.press.isLetGo;
  }

  /** Read the image as soon as the tool is chosen, so that the first press need not wait for it. */
  follow() {
    const { tool, isReady, image } = this.editor;
    if (tool === "wand" && isReady && image.getAttribute("src") !== this.source) this.prepare();
  }

  /** What the wand sees of the image, or null where that could not be read. */
  prepare() {
    const source = this.editor.image.getAttribute("src");
    if (source !== this.source || this.isBlind) {
      this.source = source;
      this.isBlind = false;
      this.sight = readImage(source ?? "", () => this.source === source).catch((error) => {
        console.warn("The wand cannot see the image.", error);
        if (this.source === source) this.isBlind = true;
        return null;
      });
    }
    return this.sight;
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   * @param {number} value 1 adds, 0 takes away.
   * @returns {boolean} Whether there is something of the image under the pointer.
   */
  begin(event, position, value) {
    const { view, mask } = this.editor;
    const at = view.toImage(position.x, position.y);
    const seed = { x: Math.floor(at.x), y: Math.floor(at.y) };
    if (seed.x < 0 || seed.y < 0 || seed.x >= mask.width || seed.y >= mask.height) return false;
    const { tolerance } = habit;
    this.press = { id: event.pointerId, value, mask, seed, position, startX: position.x, startTolerance: tolerance };
    this.showSoon();
    return true;
  }

  /** @param {Point} position On the screen. */
  move(position) {
    if (!this.press) return;
    const { startX, startTolerance } = this.press;
    this.press.position = position;
    this.setTolerance(startTolerance + (position.x - startX) * TOLERANCE.perScreenPx);
    this.showSoon();
  }

  /**
   * Take the region that was shown.
   * @param {(stepsOf: StepsOf) => Promise<void>} reshape Makes one undo step of the steps that it is given.
   */
  async end(reshape) {
    const { press } = this;
    if (!press) return;
    press.isLetGo = true;
    const sight = await this.look(press);
    if (sight && this.press === press && press.mask === this.editor.mask) {
      const { colour = 0 } = press;
      const { region: shown, tolerance } = this.regionOn(press, sight);
      const bound = boundOf(shown, sight.scale);
      const near = nearness(sight.whole, colour, tolerance);
      await reshape(function* (mask) {
        const region = yield* regionAround(sight.whole, press.seed, (x, y) => bound(x, y) && near(x, y));
        return yield* regionPatch(mask, region, press.value);
      });
    }
    if (this.press === press) this.drop();
  }

  drop() {
    this.press = null;
    this.parts.preview.hidden = true;
    this.parts.bubble.hidden = true;
  }

  /**
   * @param {Press} press
   * @returns {Promise<Sight | null>} Null, after words to the person, where the image could not be read.
   */
  async look(press) {
    const sight = await this.prepare();
    if (!sight) {
      if (this.press === press) {
        this.press = null;
        sayAt(this.parts.bubble, press.position, "The image could not be read. Check the connection and try again.");
      }
      return null;
    }
    press.colour ??= colourAt(sight.whole, press.seed.x, press.seed.y);
    press.distances ??= new Float32Array(sight.reduced.width * sight.reduced.height).fill(-1);
    return sight;
  }

  /**
   * The region on the reduced image, and the tolerance that it was found with.
   * @param {Press} press One that has looked.
   * @param {Sight} sight
   */
  regionOn(press, { reduced, scale }) {
    const { width, height } = reduced;
    const { distances = new Float32Array(width * height).fill(-1), colour = 0 } = press;
    const { tolerance } = habit;
    const from = labOfColour(colour);
    const seed = { x: Math.floor(press.seed.x * scale), y: Math.floor(press.seed.y * scale) };
    distances[seed.y * width + seed.x] = 0;
    const steps = regionAround(reduced, seed, (x, y) => {
      const i = y * width + x;
      if (distances[i] < 0) distances[i] = colourDistance(colourAt(reduced, x, y), from);
      return distances[i] <= tolerance;
    });
    return { region: { ...atOnce(steps), width, height }, tolerance };
  }

  showSoon() {
    const { press } = this;
    if (!this.frame) {
      this.frame = requestAnimationFrame(async () => {
        this.frame = 0;
        const sight = press && (await this.look(press));
        if (sight && this.press && !this.press.isLetGo) this.show(this.press, sight);
      });
    }
  }

  /**
   * @param {Press} press
   * @param {Sight} sight
   */
  show(press, sight) {
    const { preview, bubble } = this.parts;
    if (!press.distances) return;
    const { region, tolerance } = this.regionOn(press, sight);
    const { states, width, height } = region;
    const shown = new ImageData(width, height);
    const colours = new Uint32Array(shown.data.buffer);
    const colour = press.value ? ADDS : TAKES;
    for (let i = 0; i < states.length; i++) if (states[i] === FILLED) colours[i] = colour;
    preview.width = width;
    preview.height = height;
    preview.getContext("2d")?.putImageData(shown, 0, 0);
    preview.hidden = false;
    sayAt(bubble, press.position, `Tolerance ${tolerance}`);
  }
}

/**
 * Say a few words beside the pointer.
 * @param {HTMLElement} bubble
 * @param {Point} position On the screen.
 * @param {string} text
 */
function sayAt(bubble, position, text) {
  bubble.hidden = false;
  bubble.textContent = text;
  bubble.style.transform = `translate(${position.x + 18}px, ${position.y - 34}px)`;
}
