// An image with its layers at its place in a pane.

import { Pinch, View } from "../shared/view.js";

/** @import { Frame } from "./frames.js" */
/** @import { Appearance } from "./overlay.js" */
/**
 * Which part of an image is seen: the middle of the pane as a share of the image's width and height, and the zoom as a
 * multiple of the fitted size.
 * @typedef {{ x: number, y: number, zoom: number }} Place
 */
/** @typedef {(name: string) => (Appearance & { isShown: boolean }) | undefined} AppearanceOf By the name of a layer. */

const PIXELS_SHOW_FROM = 4;

export class Sheet {
  constructor() {
    this.view = new View(4, 3);
    this.pinch = new Pinch(this.view);
    /** @type {Frame | null} */
    this.frame = null;
    this.showsLayers = true;
  }

  get isLoaded() {
    return Boolean(this.frame?.image.isLoaded);
  }

  /**
   * @param {Frame} frame
   * @param {boolean} showsLayers
   */
  put(frame, showsLayers) {
    this.frame = frame;
    this.showsLayers = showsLayers;
    this.measure();
  }

  measure() {
    if (!this.frame?.image.isLoaded) return;
    this.view.imageWidth = this.frame.image.width;
    this.view.imageHeight = this.frame.image.height;
  }

  /** @returns {Place} */
  place() {
    const { view } = this;
    const middle = view.toImage(view.stageWidth / 2, view.stageHeight / 2);
    return { x: middle.x / view.imageWidth, y: middle.y / view.imageHeight, zoom: view.scale / view.fitScale };
  }

  /** @param {Place} place */
  show(place) {
    const { view } = this;
    view.scale = place.zoom * view.fitScale;
    view.x = view.stageWidth / 2 - place.x * view.imageWidth * view.scale;
    view.y = view.stageHeight / 2 - place.y * view.imageHeight * view.scale;
    view.isFitted = false;
  }

  /**
   * @param {CanvasRenderingContext2D} base For the image.
   * @param {CanvasRenderingContext2D} over For its layers.
   * @param {number} dots Pixels of the screen for a CSS pixel.
   * @param {AppearanceOf} appearanceOf
   */
  draw(base, over, dots, appearanceOf) {
    const { view, frame } = this;
    if (!frame?.image.isLoaded) return;
    const scale = view.scale * dots;
    for (const context of [base, over]) {
      context.setTransform(scale, 0, 0, scale, view.x * dots, view.y * dots);
      context.imageSmoothingEnabled = view.scale < PIXELS_SHOW_FROM;
    }
    frame.image.draw(base, scale);
    if (!this.showsLayers) return;
    const { width, height } = frame.image;
    for (const overlay of frame.overlays) {
      const appearance = appearanceOf(overlay.layer.name);
      if (!appearance?.isShown || !overlay.image.isLoaded) continue;
      over.save();
      over.scale(width / overlay.image.width, height / overlay.image.height);
      // A field is smooth however large it is drawn: its cells are no pixels of the image.
      if (overlay.layer.kind !== "mask") over.imageSmoothingEnabled = true;
      overlay.draw(over, (scale * width) / overlay.image.width, appearance);
      over.restore();
    }
  }
}
