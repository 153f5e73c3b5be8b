// Layers over an image.

import { drawContour, rimmed } from "./contours.js";
import { canvasOf, contextOf } from "./scaled_image.js";

/** @import { ScaledImage } from "./scaled_image.js" */
/**
 * A layer as the page gives it; see `Layer` in viewer.py.
 * @typedef {object} LayerData
 * @property {string} name
 * @property {string} url
 * @property {boolean} visible
 * @property {number} opacity
 * @property {"mask" | "map" | "field"} kind
 * @property {number} threshold
 * @property {boolean} is_outline
 */
/** @typedef {{ opacity: number, threshold: number, isOutline: boolean }} Appearance Opacity and threshold are 0 to 1. */

const COLOUR_GRID_PX = 64;
const SHADOW = "rgb(0 0 0 / 55%)";
const FIELD_LINE = "#00d6c9";
// From blue over teal to a pale yellow: another scale than the maps', and lighter means more here too.
const FIELD_STOPS = [
  [38, 44, 130],
  [20, 120, 160],
  [0, 190, 170],
  [130, 225, 130],
  [250, 250, 170],
];
const FIELD_COLOURS = Array.from({ length: 256 }, (_, value) => {
  const place = (value / 255) * (FIELD_STOPS.length - 1);
  const low = Math.min(FIELD_STOPS.length - 2, Math.floor(place));
  const mixed = FIELD_STOPS[low].map((part, i) => Math.round(part + (FIELD_STOPS[low + 1][i] - part) * (place - low)));
  return [...mixed, 235];
});

/**
 * A layer of one image. A `mask` is filled or outlined, a `map` has its own colours, and a `field` holds a value for each
 * place as grey, of which what reaches a threshold is coloured or outlined.
 */
export class Overlay {
  /**
   * @param {LayerData} layer
   * @param {ScaledImage} image
   */
  constructor(layer, image) {
    this.layer = layer;
    this.image = image;
    /** @type {Map<number, Path2D>} Contour lines by their level. */
    this.lines = new Map();
    /** @type {Float32Array | null} */
    this.values = null;
    /** @type {{ threshold: number, canvas: HTMLCanvasElement } | null} */
    this.coloured = null;
    /** @type {string | null} */
    this.maskColour = null;
  }

  /** Of its lines and of the square beside its name; null where there is none, or none yet. */
  get colour() {
    if (this.layer.kind === "field") return FIELD_LINE;
    if (this.layer.kind === "mask" && this.image.isLoaded) this.maskColour ??= strongestColour(this.image);
    return this.maskColour;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} scale Pixels of the screen for one of the layer.
   * @param {Appearance} appearance
   */
  draw(context, scale, appearance) {
    const { image } = this;
    if (!image.isLoaded) return;
    if (appearance.isOutline && this.layer.kind !== "map") {
      this.drawLine(context, scale, appearance);
      return;
    }
    context.globalAlpha = appearance.opacity;
    if (this.layer.kind === "field") {
      context.drawImage(this.colours(appearance.threshold), 0, 0, image.width, image.height);
    } else image.draw(context, scale);
    context.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} scale Pixels of the screen for one of the layer.
   * @param {Appearance} appearance
   */
  drawLine(context, scale, { opacity, threshold }) {
    const { width, height } = this.image.grid();
    const line = this.lineAt(this.layer.kind === "field" ? Math.max(1, threshold * 255) : 127.5);
    const cell = this.image.width / width;
    context.save();
    context.scale(cell, this.image.height / height);
    context.globalAlpha = opacity;
    context.lineJoin = "round";
    for (const { colour, wide } of [
      { colour: SHADOW, wide: 4 },
      { colour: this.colour, wide: 2 },
    ]) {
      if (colour) context.strokeStyle = colour;
      context.lineWidth = wide / (scale * cell);
      context.stroke(line);
    }
    context.restore();
  }

  /** @param {number} level 0 to 255. */
  lineAt(level) {
    let line = this.lines.get(level);
    if (!line) {
      const grid = this.image.grid();
      this.values ??= rimmed(grid, this.layer.kind === "field" ? 0 : 3);
      line = new Path2D();
      drawContour(this.values, grid.width, grid.height, level, line);
      this.lines.set(level, line);
    }
    return line;
  }

  /**
   * A field, coloured where it reaches a threshold.
   * @param {number} threshold 0 to 1.
   */
  colours(threshold) {
    if (this.coloured?.threshold === threshold) return this.coloured.canvas;
    const { width, height, data } = this.image.grid();
    const canvas = this.coloured?.canvas ?? canvasOf(width, height);
    const context = contextOf(canvas);
    const pixels = context.createImageData(width, height);
    for (let i = 0; i < data.length; i += 4) {
      const value = data[i];
      if (value === 0 || value < threshold * 255) continue;
      pixels.data.set(FIELD_COLOURS[value], i);
    }
    context.putImageData(pixels, 0, 0);
    this.coloured = { threshold, canvas };
    return canvas;
  }
}

/**
 * The colour that a mask is drawn in: that of its most opaque place.
 * @param {ScaledImage} image
 */
function strongestColour(image) {
  const context = contextOf(canvasOf(COLOUR_GRID_PX, COLOUR_GRID_PX), { willReadFrequently: true });
  context.drawImage(image.stepFor(0), 0, 0, COLOUR_GRID_PX, COLOUR_GRID_PX);
  const { data } = context.getImageData(0, 0, COLOUR_GRID_PX, COLOUR_GRID_PX);
  let most = 0;
  for (let i = 4; i < data.length; i += 4) if (data[i + 3] > data[most + 3]) most = i;
  return `rgb(${data[most]} ${data[most + 1]} ${data[most + 2]})`;
}
