// The masks as the person sees them: all visible layers composed on one canvas of the image's own size, which the
// browser moves and scales as a whole. Pixels at a margin are drawn stronger, so that the border shows at any opacity;
// the active layer lies on top and is drawn strongest.
//
// What changed is drawn once a frame, and a large change in bands over several frames, so that painting never waits
// for it.

import { areaOf, union } from "../shared/geometry.js";
import { over, packed } from "./inks.js";

/** @import { Rectangle } from "../shared/geometry.js" */
/** @import { Layer } from "./layer.js" */
/** @typedef {{ fill: number, margin: number }} Strength Opacities, 0 to 255. */
/**
 * What lies on the image: for each value of a pixel the ink inside and at the margin.
 * @typedef {{ pixels: Uint8Array, fills: Uint32Array, margins: Uint32Array }} Sheet
 */

const STRENGTHS = { active: { fill: 120, margin: 255 }, other: { fill: 48, margin: 225 } };
// A layer that only encloses others would tint all of them.
const OUTLINE_STRENGTHS = { active: { fill: 32, margin: 255 }, other: { fill: 6, margin: 225 } };
const COMPARED_STRENGTH = { fill: 120, margin: 255 };
export const COMPARED = { mine: "#00e5ff", other: "#ffa000", both: "#ffffff" };
const WIDEST_MARGIN = 5;
const MARGIN_AFTER_MS = 150;
const PIXELS_A_BAND = 1 << 18;
const DRAW_WITHIN_MS = 8;

export class MaskCanvas {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.width = 0;
    this.height = 0;
    /** @type {Layer[]} */
    this.layers = [];
    /** @type {Layer | null} */
    this.active = null;
    /** @type {Sheet | null} */
    this.compared = null;
    this.isOutlineOnly = false;
    /** @type {Rectangle[]} What has to be drawn. */
    this.dirty = [];
    this.frame = 0;
    /** Of a margin, in pixels of the image. */
    this.reach = 1;
    this.marginTimer = 0;
  }

  /**
   * @param {number} width
   * @param {number} height
   * @param {Layer[]} layers
   */
  open(width, height, layers) {
    Object.assign(this, { width, height, layers, compared: null, dirty: [] });
    this.canvas.width = width;
    this.canvas.height = height;
  }

  /**
   * A margin is one pixel of the screen wide, or one of the image where that is larger. Drawn anew when zooming ends.
   * @param {number} scale
   */
  scaleTo(scale) {
    const reach = Math.min(WIDEST_MARGIN, Math.max(1, Math.round(1 / scale)));
    clearTimeout(this.marginTimer);
    if (reach === this.reach) return;
    this.marginTimer = window.setTimeout(() => {
      this.reach = reach;
      this.redraw();
    }, MARGIN_AFTER_MS);
  }

  get outlineOnly() {
    return this.isOutlineOnly;
  }

  set outlineOnly(isOn) {
    if (isOn === this.isOutlineOnly) return;
    this.isOutlineOnly = isOn;
    this.redraw();
  }

  get isUpToDate() {
    return this.dirty.length === 0;
  }

  /**
   * Show, instead of the layers, where two masks of one layer differ.
   * @param {Uint8Array} mine
   * @param {Uint8Array} other
   * @returns {{ mine: number, other: number, both: number }} The pixels that only one of them marks, or both.
   */
  compare(mine, other) {
    const kinds = new Uint8Array(mine.length);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < kinds.length; i++) {
      kinds[i] = mine[i] | (other[i] << 1);
      counts[kinds[i]]++;
    }
    this.compared = { pixels: kinds, ...this.inks([COMPARED.mine, COMPARED.other, COMPARED.both], COMPARED_STRENGTH) };
    this.redraw();
    return { mine: counts[1], other: counts[2], both: counts[3] };
  }

  endComparison() {
    this.compared = null;
    this.redraw();
  }

  redraw() {
    if (this.width) this.touched({ x0: 0, y0: 0, x1: this.width, y1: this.height });
  }

  /**
   * A rectangle of a mask changed; the margins around it may have, too.
   * @param {Rectangle} changed
   */
  touched({ x0, y0, x1, y1 }) {
    const { reach } = this;
    const rectangle = {
      x0: Math.max(0, x0 - reach),
      y0: Math.max(0, y0 - reach),
      x1: Math.min(this.width, x1 + reach),
      y1: Math.min(this.height, y1 + reach),
    };
    if (rectangle.x0 >= rectangle.x1 || rectangle.y0 >= rectangle.y1) return;
    const last = this.dirty.at(-1);
    const both = last && union(last, rectangle);
    if (both && areaOf(both) <= areaOf(last) + areaOf(rectangle)) this.dirty[this.dirty.length - 1] = both;
    else this.dirty.push(rectangle);
    if (!this.frame) this.frame = requestAnimationFrame(() => this.drawSome());
  }

  drawSome() {
    const until = performance.now() + DRAW_WITHIN_MS;
    this.frame = 0;
    while (performance.now() < until) {
      const whole = this.dirty.shift();
      if (!whole) break;
      const rows = Math.max(1, Math.floor(PIXELS_A_BAND / (whole.x1 - whole.x0)));
      const y1 = Math.min(whole.y1, whole.y0 + rows);
      if (y1 < whole.y1) this.dirty.unshift({ ...whole, y0: y1 });
      this.draw({ ...whole, y1 });
    }
    if (this.dirty.length) this.frame = requestAnimationFrame(() => this.drawSome());
  }

  /** @param {Rectangle} rectangle */
  draw(rectangle) {
    const { x0, y0, x1, y1 } = rectangle;
    const part = this.context.createImageData(x1 - x0, y1 - y0);
    const colours = new Uint32Array(part.data.buffer);
    for (const sheet of this.sheets()) this.lay(sheet, rectangle, colours);
    this.context.putImageData(part, x0, y0);
  }

  /**
   * What lies on the image, from the bottom up.
   * @returns {Sheet[]}
   */
  sheets() {
    if (this.compared) return [this.compared];
    const others = this.layers.filter((layer) => layer !== this.active);
    return [...others, this.active].flatMap((layer) => {
      if (!layer?.mask || layer.isHidden) return [];
      const strengths = layer.isOutline ? OUTLINE_STRENGTHS : STRENGTHS;
      const strength = strengths[layer === this.active ? "active" : "other"];
      return [{ pixels: layer.mask.pixels, ...this.inks([layer.colour], strength) }];
    });
  }

  /**
   * @param {string[]} colours `#rrggbb` for the values of a pixel from 1 on.
   * @param {Strength} strength
   */
  inks(colours, { fill, margin }) {
    return {
      fills: Uint32Array.from([0, ...colours.map((colour) => (this.isOutlineOnly ? 0 : packed(colour, fill)))]),
      margins: Uint32Array.from([0, ...colours.map((colour) => packed(colour, margin))]),
    };
  }

  /**
   * @param {Sheet} sheet
   * @param {Rectangle} rectangle
   * @param {Uint32Array} colours Those of the rectangle so far.
   */
  lay({ pixels, fills, margins }, { x0, y0, x1, y1 }, colours) {
    const { width, height, reach } = this;
    let at = 0;
    for (let y = y0; y < y1; y++) {
      const isAtEdge = y < reach || y >= height - reach;
      for (let x = x0, i = y * width + x0; x < x1; x++, i++, at++) {
        const value = pixels[i];
        if (!value) continue;
        const isInside =
          !isAtEdge &&
          x >= reach &&
          x < width - reach &&
          pixels[i - 1] === value &&
          pixels[i + 1] === value &&
          pixels[i - width] === value &&
          pixels[i + width] === value &&
          pixels[i - reach] === value &&
          pixels[i + reach] === value &&
          pixels[i - reach * width] === value &&
          pixels[i + reach * width] === value;
        const ink = isInside ? fills[value] : margins[value];
        if (ink) colours[at] = colours[at] ? over(colours[at], ink) : ink;
      }
    }
  }
}
