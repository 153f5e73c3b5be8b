// A point that the page asks for: set by a click, or with the arrow keys and Enter.

import { clamp } from "../shared/geometry.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { Viewer } from "./viewer.js" */

const KEEP_FROM_EDGE_PX = 20;

export class PointQuestion {
  /**
   * @param {HTMLElement} root
   * @param {Viewer} viewer
   */
  constructor(root, viewer) {
    this.root = root;
    this.viewer = viewer;
    /** What is asked for; empty for nothing. */
    this.asked = "";
    /** @type {Point | null} Where the keys have moved it, in pixels of the image. */
    this.aimAt = null;
  }

  /** @param {string} text What is asked for; empty for nothing. */
  ask(text) {
    const { panes, frame } = this.viewer;
    const isNew = text !== this.asked;
    this.asked = text;
    this.root.textContent = text && `${text} · click, or arrow keys and Enter; Esc leaves it`;
    this.root.hidden = !text;
    for (const pane of panes) {
      pane.aim.hidden = !text || pane !== panes[0];
      pane.root.classList.toggle("places", Boolean(text));
    }
    if (!isNew) return;
    this.aimAt = null;
    if (text) frame.focus({ preventScroll: true });
  }

  /** @param {Point} point In pixels of the image; one beside it is no answer. */
  put({ x, y }) {
    const { imageWidth, imageHeight } = this.viewer.view;
    if (x < 0 || y < 0 || x > imageWidth || y > imageHeight) return;
    this.ask("");
    this.viewer.tell("placed", { x, y });
  }

  leave() {
    this.ask("");
    this.viewer.tell("left", true);
  }

  /** @returns {Point} In pixels of the image. */
  get aim() {
    const { imageWidth, imageHeight } = this.viewer.view;
    return this.aimAt ?? { x: imageWidth / 2, y: imageHeight / 2 };
  }

  /**
   * Move the aim, and the image with it where it would leave the pane.
   * @param {number} dx In pixels of the screen.
   * @param {number} dy
   */
  moveAim(dx, dy) {
    const { view, panes } = this.viewer;
    const { x, y } = this.aim;
    const { scale, imageWidth, imageHeight, stageWidth, stageHeight } = view;
    this.aimAt = { x: clamp(x + dx / scale, 0, imageWidth), y: clamp(y + dy / scale, 0, imageHeight) };
    const there = view.toScreen(this.aimAt.x, this.aimAt.y);
    view.panBy(
      Math.min(0, stageWidth - KEEP_FROM_EDGE_PX - there.x) + Math.max(0, KEEP_FROM_EDGE_PX - there.x),
      Math.min(0, stageHeight - KEEP_FROM_EDGE_PX - there.y) + Math.max(0, KEEP_FROM_EDGE_PX - there.y),
    );
    this.viewer.moved(panes[0].sheet);
  }
}
