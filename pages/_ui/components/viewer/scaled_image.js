// An image or a layer from the server in several sizes, so that a small view of a large one costs little.

import { element } from "../shared/dom.js";

/**
 * How it covers its frame, as RGBA bytes on a grid that is coarse enough to be followed at once.
 * @typedef {{ width: number, height: number, data: Uint8ClampedArray }} Grid
 */

const OUTLINE_GRID_PX = 1024;
const LEAST_STEP_PX = 256;

/** It is asked for once, and its halves are made beside the page's own work. */
export class ScaledImage {
  /**
   * @param {string} url
   * @param {() => void} changed
   */
  constructor(url, changed) {
    this.url = url;
    this.changed = changed;
    /** @type {"waiting" | "loaded" | "failed" | "closed"} */
    this.state = "waiting";
    /** @type {(HTMLImageElement | ImageBitmap)[]} The whole, its half, the half of that, and so on. */
    this.steps = [];
    /** @type {Promise<void> | null} */
    this.loading = null;
    /** @type {Grid | null} */
    this.knownGrid = null;
    this.element = new Image();
    this.element.draggable = false;
  }

  get isLoaded() {
    return this.state === "loaded";
  }

  get isClosed() {
    return this.state === "closed";
  }

  get width() {
    return this.element.naturalWidth;
  }

  get height() {
    return this.element.naturalHeight;
  }

  load() {
    this.loading ??= this.fetch();
    return this.loading;
  }

  async fetch() {
    this.element.src = this.url;
    try {
      await this.element.decode();
      if (this.isClosed) return;
      this.steps = [this.element];
      this.state = "loaded";
      this.changed();
      await this.makeSteps();
    } catch {
      if (this.state === "waiting") this.state = "failed";
    }
    if (!this.isClosed) this.changed();
  }

  async makeSteps() {
    let { width, height } = this;
    const first = await createImageBitmap(this.element);
    if (this.isClosed) return first.close();
    this.steps = [first];
    while (Math.max(width, height) > 2 * LEAST_STEP_PX) {
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      const size = { resizeWidth: width, resizeHeight: height };
      const half = await createImageBitmap(this.steps[this.steps.length - 1], { ...size, resizeQuality: "medium" });
      if (this.isClosed) return half.close();
      this.steps.push(half);
    }
  }

  /**
   * The smallest step that has a pixel for every pixel of the screen.
   * @param {number} scale Pixels of the screen for one of the whole.
   */
  stepFor(scale) {
    let smallest = this.steps[0];
    for (const step of this.steps) if (step.width >= this.width * scale) smallest = step;
    return smallest;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} scale Pixels of the screen for one of the whole.
   */
  draw(context, scale) {
    if (this.isLoaded) context.drawImage(this.stepFor(scale), 0, 0, this.width, this.height);
  }

  grid() {
    this.knownGrid ??= this.makeGrid();
    return this.knownGrid;
  }

  /** @returns {Grid} */
  makeGrid() {
    const share = Math.min(1, OUTLINE_GRID_PX / Math.max(this.width, this.height));
    const width = Math.max(1, Math.round(this.width * share));
    const height = Math.max(1, Math.round(this.height * share));
    const context = contextOf(canvasOf(width, height), { willReadFrequently: true });
    context.drawImage(this.stepFor(share), 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, data };
  }

  close() {
    this.state = "closed";
    for (const step of this.steps) if (step instanceof ImageBitmap) step.close();
    this.steps = [];
  }
}

/**
 * @param {number} width
 * @param {number} height
 */
export function canvasOf(width, height) {
  return element("canvas", { width, height });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}
