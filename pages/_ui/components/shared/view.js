// Where an image lies on the screen. Zooming and panning move the view and never touch a pixel of a mask.
// Screen lengths are CSS pixels from the top left of the stage; image lengths are pixels of the image.

/** @import { Point } from "./geometry.js" */

const MAX_SCALE = 32;
const KEEP_VISIBLE_PX = 60;

export class View {
  /**
   * @param {number} imageWidth In pixels of the image.
   * @param {number} imageHeight
   */
  constructor(imageWidth, imageHeight) {
    this.imageWidth = imageWidth;
    this.imageHeight = imageHeight;
    this.stageWidth = 1;
    this.stageHeight = 1;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.isFitted = true;
  }

  get fitScale() {
    return Math.min(this.stageWidth / this.imageWidth, this.stageHeight / this.imageHeight);
  }

  /**
   * A stage that changes its size keeps the image fitted, or else keeps what was in the middle.
   * @param {number} stageWidth
   * @param {number} stageHeight
   */
  resize(stageWidth, stageHeight) {
    const middle = this.toImage(this.stageWidth / 2, this.stageHeight / 2);
    this.stageWidth = Math.max(1, stageWidth);
    this.stageHeight = Math.max(1, stageHeight);
    if (this.isFitted) this.fit();
    else {
      this.x = this.stageWidth / 2 - middle.x * this.scale;
      this.y = this.stageHeight / 2 - middle.y * this.scale;
      this.keepInSight();
    }
  }

  fit() {
    this.scale = this.fitScale;
    this.x = (this.stageWidth - this.imageWidth * this.scale) / 2;
    this.y = (this.stageHeight - this.imageHeight * this.scale) / 2;
    this.isFitted = true;
  }

  /**
   * Zoom; what lies under the point (x, y) of the screen stays there.
   * @param {number} x
   * @param {number} y
   * @param {number} factor
   */
  zoomAt(x, y, factor) {
    const smallest = Math.min(this.fitScale, 1) / 2;
    const scale = Math.min(MAX_SCALE, Math.max(smallest, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.isFitted = false;
    this.keepInSight();
  }

  /** @param {number} factor */
  zoomMiddle(factor) {
    this.zoomAt(this.stageWidth / 2, this.stageHeight / 2, factor);
  }

  /**
   * @param {number} dx In pixels of the screen.
   * @param {number} dy
   */
  panBy(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.isFitted = false;
    this.keepInSight();
  }

  keepInSight() {
    const width = this.imageWidth * this.scale;
    const height = this.imageHeight * this.scale;
    const keepX = Math.min(KEEP_VISIBLE_PX, width);
    const keepY = Math.min(KEEP_VISIBLE_PX, height);
    this.x = Math.min(this.stageWidth - keepX, Math.max(keepX - width, this.x));
    this.y = Math.min(this.stageHeight - keepY, Math.max(keepY - height, this.y));
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Point}
   */
  toImage(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Point}
   */
  toScreen(x, y) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }
}

/**
 * The factor by which a turn of the wheel zooms.
 * @param {Pick<WheelEvent, "deltaMode" | "deltaY" | "ctrlKey">} event
 */
export function wheelFactor(event) {
  const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  const delta = Math.max(-120, Math.min(120, event.deltaY * lines));
  return Math.exp(-delta * (event.ctrlKey ? 0.01 : 0.002));
}

/**
 * Where a pointer is, in CSS pixels from the top left of an element.
 * @param {Element} stage
 * @param {MouseEvent} event
 * @returns {Point}
 */
export function positionOn(stage, event) {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** Two fingers move and zoom the view, whatever one finger does. */
export class Pinch {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    /** @type {Map<number, Point>} */
    this.fingers = new Map();
  }

  get isActive() {
    return this.fingers.size >= 2;
  }

  /**
   * @param {Pick<PointerEvent, "pointerType" | "pointerId">} event
   * @param {Point} position On the screen.
   */
  down(event, position) {
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, position);
  }

  /**
   * @param {Pick<PointerEvent, "pointerId">} event
   * @param {Point} position On the screen.
   * @returns {boolean} Whether the movement was one of two fingers.
   */
  move(event, position) {
    if (!this.fingers.has(event.pointerId)) return false;
    if (this.fingers.size !== 2) {
      this.fingers.set(event.pointerId, position);
      return this.isActive;
    }
    const before = this.span();
    this.fingers.set(event.pointerId, position);
    const after = this.span();
    this.view.panBy(after.x - before.x, after.y - before.y);
    this.view.zoomAt(after.x, after.y, after.length / before.length);
    return true;
  }

  /** @param {Pick<PointerEvent, "pointerId">} event */
  up(event) {
    this.fingers.delete(event.pointerId);
  }

  /** The middle between two fingers, and how far they are apart. */
  span() {
    const [a, b] = [...this.fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }
}
