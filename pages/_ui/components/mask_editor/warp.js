// A mask moved and warped by hand: started from another image whose view was not quite the same, it is fitted to this one
// by four corners.

import { cornersOf } from "../shared/geometry.js";
import { homographyOf, isConvex, isWithin, outlineOf, through, warped } from "./homography.js";
import { boundsOf } from "./mask.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { MaskEditor } from "./editor.js" */
/** @import { Segment } from "./homography.js" */
/** @import { Mask } from "./mask.js" */
/** @import { StepsOf } from "./strokes.js" */

const HANDLE_WITHIN_PX = 16;

export class Warp {
  /**
   * @param {{ path: Element, handles: HTMLElement[], bar: HTMLElement }} parts The elements it shows itself with;
   *   `handles` are four buttons.
   * @param {MaskEditor} editor
   */
  constructor(parts, editor) {
    this.parts = parts;
    this.editor = editor;
    /** @type {Mask | null} What is being warped. */
    this.mask = null;
    /** @type {Uint8Array | null} */
    this.pixels = null;
    /** @type {Point[]} */
    this.from = [];
    /** @type {Point[]} */
    this.to = [];
    /** @type {Segment[]} */
    this.edges = [];
    /** @type {{ id: number, corner: number | null, at: Point } | null} What a pointer holds: a corner or the whole. */
    this.grip = null;
  }

  get isOn() {
    return this.mask !== null;
  }

  /** Begin, unless the mask is empty. */
  start() {
    const box = boundsOf(this.editor.mask);
    if (!box) return;
    this.mask = this.editor.mask;
    this.pixels = this.mask.pixels;
    this.from = cornersOf(box);
    this.to = cornersOf(box);
    this.edges = outlineOf(this.mask, box);
    this.show();
  }

  drop() {
    this.mask = null;
    this.grip = null;
    this.show();
  }

  /**
   * @returns {StepsOf | null} What has been fitted; null where nothing was moved.
   */
  taken() {
    const { from, to } = this;
    const isMoved = to.some((corner, i) => corner.x !== from[i].x || corner.y !== from[i].y);
    this.drop();
    return isMoved ? (mask) => warped(mask, from, to) : null;
  }

  /**
   * Take hold of a corner, or of the whole.
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   * @returns {boolean} Whether there was something to hold.
   */
  begin(event, position) {
    const { view } = this.editor;
    const distances = this.to.map((corner) => {
      const there = view.toScreen(corner.x, corner.y);
      return Math.hypot(there.x - position.x, there.y - position.y);
    });
    const nearest = distances.indexOf(Math.min(...distances));
    const at = view.toImage(position.x, position.y);
    let corner = null;
    if (distances[nearest] <= HANDLE_WITHIN_PX) corner = nearest;
    else if (!isWithin(this.to, at)) return false;
    this.grip = { id: event.pointerId, corner, at };
    if (corner !== null) this.parts.handles[corner].focus({ preventScroll: true });
    return true;
  }

  /** @param {Point} position On the screen. */
  move(position) {
    if (!this.grip) return;
    const at = this.editor.view.toImage(position.x, position.y);
    if (this.shift(this.grip.corner, at.x - this.grip.at.x, at.y - this.grip.at.y)) this.grip.at = at;
  }

  /**
   * By arrow keys: the corner that has the focus, or the whole.
   * @param {HTMLElement} focused
   * @param {number} dx In pixels of the image.
   * @param {number} dy
   */
  nudge(focused, dx, dy) {
    const corner = this.parts.handles.indexOf(focused);
    this.shift(corner < 0 ? null : corner, dx, dy);
  }

  /**
   * @param {number | null} corner Null for the whole.
   * @param {number} dx In pixels of the image.
   * @param {number} dy
   * @returns {boolean} Whether the corners can stand so.
   */
  shift(corner, dx, dy) {
    const to = this.to.map(({ x, y }, i) => (corner === null || corner === i ? { x: x + dx, y: y + dy } : { x, y }));
    if (!isConvex(to)) return false;
    this.to = to;
    this.show();
    return true;
  }

  show() {
    const { path, handles, bar } = this.parts;
    if (this.mask && (this.editor.mask !== this.mask || this.mask.pixels !== this.pixels)) this.mask = null;
    bar.hidden = !this.isOn;
    this.editor.plane.classList.toggle("warps", this.isOn);
    for (const handle of handles) handle.hidden = !this.isOn;
    if (!this.isOn) {
      path.setAttribute("d", "");
      return;
    }
    const { view } = this.editor;
    const h = homographyOf(this.from, this.to);
    /** @type {(x: number, y: number) => string} */
    const onScreen = (x, y) => {
      const at = through(h, x, y);
      return `${(at.x * view.scale + view.x).toFixed(1)} ${(at.y * view.scale + view.y).toFixed(1)}`;
    };
    path.setAttribute("d", this.edges.map(([x, y, u, v]) => `M${onScreen(x, y)}L${onScreen(u, v)}`).join(""));
    this.to.forEach((corner, i) => {
      const at = view.toScreen(corner.x, corner.y);
      handles[i].style.transform = `translate(${at.x}px, ${at.y}px)`;
    });
  }
}
