// From pointer events to strokes: which tool, one finger or two, pen or its eraser end, and the view's own gestures.

import { part, parts } from "../shared/dom.js";
import { Pinch, positionOn, wheelFactor } from "../shared/view.js";
import { Guides } from "./guides.js";
import { applyPatch } from "./mask.js";
import { fillPolygon, paintStroke } from "./rasterize.js";
import { Ruler } from "./ruler.js";
import { inSlices, nextTask } from "./slices.js";
import { showStart } from "./start_hint.js";
import { Wand } from "./wand.js";
import { Warp } from "./warp.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { MaskEditor } from "./editor.js" */
/** @import { Mask, Patch } from "./mask.js" */
/** @import { Steps } from "./slices.js" */
/** @typedef {keyof typeof TOOLS} Tool */
/** @typedef {(mask: Mask) => Steps<Patch | null>} StepsOf Steps of a mask, whose patch is then put into it. */
/** @typedef {{ id: number, value: number, at: Point }} Stroke By which pointer, and where it is on the image. */
/**
 * An outline that is drawn in one go: `isWhole` where it is not a part of a polygon, `length` in pixels of the screen.
 * @typedef {object} Lasso
 * @property {number} id
 * @property {boolean} isWhole
 * @property {boolean} isByHand
 * @property {number} value
 * @property {number} length
 * @property {Point} last
 */

const CLOSE_WITHIN_PX = 11;
const CORNER_EVERY_PX = 3;
const LASSO_LONGER_THAN_PX = 24;
const PEN_ERASER = 32;
/** What each tool does to the mask: 1 paints, 0 erases. */
export const TOOLS = { brush: 1, eraser: 0, outline: 1, polygon: 1, cut: 0, wand: 1, ruler: 1 };

export class Strokes {
  /** @param {MaskEditor} editor */
  constructor(editor) {
    const { root, stage } = editor;
    this.stage = stage;
    this.guides = new Guides(part(root, ".guides", SVGElement), part(root, ".ring"));
    this.editor = editor;
    this.pinch = new Pinch(editor.view);
    /** @type {Stroke | null} */
    this.stroke = null;
    /** @type {Point | null} */
    this.panFrom = null;
    /** @type {Point | null} Where the pointer is on the screen. */
    this.cursor = null;
    /** @type {Point[]} Of a polygon in the making, in pixels of the image. */
    this.corners = [];
    /** @type {Lasso | null} */
    this.lasso = null;
    this.isPanKeyDown = false;
    /** Whether steps are under way that will change the mask; no other stroke may, meanwhile. */
    this.isBusy = false;
    const tolerance = '[data-input="tolerance"]';
    this.wand = new Wand(
      {
        preview: part(root, ".preview", HTMLCanvasElement),
        bubble: part(root, ".bubble"),
        tolerance: part(root, tolerance, HTMLInputElement),
        output: part(root, `${tolerance} + output`),
      },
      editor,
    );
    this.ruler = new Ruler({ lines: parts(root, ".aids .line", SVGElement), card: part(root, ".measures") }, editor);
    const handles = parts(root, ".handle", HTMLElement);
    this.warp = new Warp(
      { path: part(root, ".aids .warp", SVGElement), handles, bar: part(root, ".warp-bar") },
      editor,
    );
    this.listen(stage);
  }

  /** @param {HTMLElement} stage */
  listen(stage) {
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.up(event));
    stage.addEventListener("pointercancel", (event) => this.up(event));
    stage.addEventListener("pointerleave", () => this.leave());
    stage.addEventListener("dblclick", (event) => this.doubleClick(event));
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  get isPolygon() {
    return this.editor.tool === "polygon" || this.editor.tool === "cut";
  }

  /** @param {PointerEvent} event */
  down(event) {
    const position = positionOn(this.stage, event);
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.pinch.down(event, position);
    if (this.pinch.isActive) {
      this.cancelStroke();
      return;
    }
    this.cursor = position;
    if (event.button === 1 || (event.button === 0 && this.isPanKeyDown)) this.panFrom = position;
    else if (!this.isBusy) this.begin(event, position);
    this.showGuides();
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   */
  begin(event, position) {
    const { tool, isReady, view } = this.editor;
    if (this.warp.isOn) {
      if (!this.warp.begin(event, position)) this.panFrom = position;
      return;
    }
    if (tool === "ruler" && event.button === 0) this.ruler.begin(event, position);
    if (tool === "ruler" || !isReady || this.stroke || this.wand.press) return;
    const isEraserEnd = event.pointerType === "pen" && (event.button === 5 || (event.buttons & PEN_ERASER) !== 0);
    const isRight = event.button === 2;
    const value = isEraserEnd || isRight || event.altKey ? 0 : TOOLS[tool];
    if (this.isPolygon && !isEraserEnd && !isRight) this.beginCorner(event, position);
    else if (tool === "outline" && !isEraserEnd) this.beginOutline(event, position, value);
    else if (tool === "wand" && !isEraserEnd) this.wand.begin(event, position, value);
    else {
      const at = view.toImage(position.x, position.y);
      this.stroke = { id: event.pointerId, value, at };
      this.paintTo(this.stroke, at);
    }
  }

  /**
   * @param {Stroke} stroke
   * @param {Point} at In pixels of the image.
   */
  paintTo(stroke, at) {
    const { mask, diameter } = this.editor;
    const touched = paintStroke(mask, stroke.at, at, diameter, stroke.value);
    stroke.at = at;
    this.editor.touched(touched);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const position = positionOn(this.stage, event);
    if (this.pinch.move(event, position)) {
      this.cursor = null;
      this.editor.moved();
      return;
    }
    const id = event.pointerId;
    this.cursor = event.pointerType === "touch" ? null : position;
    if (this.panFrom) {
      this.editor.view.panBy(position.x - this.panFrom.x, position.y - this.panFrom.y);
      this.panFrom = position;
      this.editor.moved();
    } else if (this.stroke?.id === id) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [event]) {
        const at = positionOn(this.stage, step);
        this.paintTo(this.stroke, this.editor.view.toImage(at.x, at.y));
      }
    } else if (this.lasso?.id === id) this.dragCorner(this.lasso, position);
    else if (this.warp.grip?.id === id) this.warp.move(position);
    else if (this.wand.isHeldBy(id)) this.wand.move(position);
    else if (this.ruler.id === id) this.ruler.move(position);
    this.showGuides();
  }

  /** @param {PointerEvent} event */
  up(event) {
    const id = event.pointerId;
    this.pinch.up(event);
    this.panFrom = null;
    if (this.stroke?.id === id) {
      this.stroke = null;
      this.editor.finished();
    }
    if (this.lasso?.id === id) this.endLasso(this.lasso);
    if (this.warp.grip?.id === id) this.warp.grip = null;
    if (this.wand.isHeldBy(id)) this.wand.end((steps) => this.reshape(steps));
    if (this.ruler.id === id) this.ruler.id = null;
    this.showGuides();
  }

  /**
   * While the key is held, dragging moves the image.
   * @param {boolean} isOn
   */
  pan(isOn) {
    this.isPanKeyDown = isOn;
    this.showGuides();
  }

  leave() {
    if (this.stroke || this.panFrom) return;
    this.cursor = null;
    this.showGuides();
  }

  /**
   * With Shift the browser may turn the wheel sideways.
   * @param {WheelEvent} event
   */
  wheel(event) {
    event.preventDefault();
    const position = positionOn(this.stage, event);
    if (event.altKey || event.shiftKey) this.resize((event.deltaY || event.deltaX) < 0 ? 1 : -1);
    else {
      this.editor.view.zoomAt(position.x, position.y, wheelFactor(event));
      this.editor.moved();
    }
    this.showGuides();
  }

  /**
   * A larger brush, or tolerance of the wand.
   * @param {number} direction -1 for a smaller one.
   */
  resize(direction) {
    if (this.editor.tool === "wand") this.wand.step(direction);
    else this.editor.resizeBrush(direction);
  }

  // ---- outlines

  /**
   * A click sets a corner; a drag draws the outline by hand, and one that is the whole outline closes by itself.
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   */
  beginCorner(event, position) {
    if (this.corners.length >= 3 && this.isAtFirst(position)) {
      this.closePolygon();
      return;
    }
    const isWhole = this.corners.length === 0;
    const value = TOOLS[this.editor.tool];
    this.lasso = { id: event.pointerId, isWhole, isByHand: false, value, length: 0, last: position };
    this.corners.push(this.editor.view.toImage(position.x, position.y));
  }

  /**
   * An outline by hand closes wherever it ends.
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   * @param {number} value 1 paints, 0 erases.
   */
  beginOutline(event, position, value) {
    this.lasso = { id: event.pointerId, isWhole: true, isByHand: true, value, length: 0, last: position };
    this.corners = [this.editor.view.toImage(position.x, position.y)];
  }

  /**
   * @param {Lasso} lasso
   * @param {Point} position On the screen.
   */
  dragCorner(lasso, position) {
    const step = Math.hypot(position.x - lasso.last.x, position.y - lasso.last.y);
    if (step < CORNER_EVERY_PX) return;
    lasso.length += step;
    lasso.last = position;
    this.corners.push(this.editor.view.toImage(position.x, position.y));
  }

  /** @param {Lasso} lasso */
  endLasso({ isWhole, isByHand, length, value }) {
    this.lasso = null;
    if (isWhole && length > LASSO_LONGER_THAN_PX) this.closePolygon(value);
    else if (isByHand) this.drop();
  }

  /** @param {Point} position On the screen. */
  isAtFirst(position) {
    const first = this.editor.view.toScreen(this.corners[0].x, this.corners[0].y);
    return Math.hypot(position.x - first.x, position.y - first.y) <= CLOSE_WITHIN_PX;
  }

  /** @param {MouseEvent} event */
  doubleClick(event) {
    event.preventDefault();
    if (this.isPolygon && this.corners.length >= 3) this.closePolygon();
  }

  /** @param {number} value 1 paints, 0 erases. */
  closePolygon(value = TOOLS[this.editor.tool]) {
    const { corners } = this;
    this.drop();
    if (corners.length < 3 || !this.editor.isReady || this.isBusy) return;
    this.editor.touched(fillPolygon(this.editor.mask, corners, value));
    this.editor.finished();
  }

  /** Take back the last corner; returns whether there was one. */
  takeCornerBack() {
    const had = this.corners.pop() !== undefined;
    this.lasso = null;
    this.showGuides();
    return had;
  }

  // ---- one undo step by a function of the mask

  /** @param {StepsOf} stepsOf */
  async reshape(stepsOf) {
    const { editor } = this;
    if (!editor.isReady || this.isBusy) return;
    const { mask } = editor;
    const code = editor.history?.current;
    const isWanted = () => editor.mask === mask && editor.isReady && editor.history?.current === code;
    this.isBusy = true;
    try {
      const patch = await inSlices(stepsOf(mask), isWanted);
      await nextTask();
      if (!patch || !isWanted()) return;
      applyPatch(mask, patch);
      editor.touched(patch);
      editor.finished();
    } finally {
      this.isBusy = false;
      this.showGuides();
    }
  }

  startWarp() {
    this.drop();
    if (!this.editor.isReady || this.isBusy) return;
    this.warp.start();
    this.showGuides();
  }

  applyWarp() {
    const stepsOf = this.warp.taken();
    this.showGuides();
    return stepsOf && this.reshape(stepsOf);
  }

  // ---- dropping, and what is shown

  /** Drop what is in the making, whichever tool makes it; returns whether there was something. */
  drop() {
    const had = this.corners.length > 0 || this.warp.isOn || this.wand.press !== null || this.ruler.line !== null;
    this.corners = [];
    this.lasso = null;
    this.warp.drop();
    this.wand.drop();
    this.ruler.drop();
    this.showGuides();
    return had;
  }

  /** A second finger means that the first one did not want to paint. A warp goes on: it may need a closer look. */
  cancelStroke() {
    this.panFrom = null;
    this.warp.grip = null;
    if (this.lasso) {
      this.corners = [];
      this.lasso = null;
    }
    this.wand.drop();
    this.ruler.id = null;
    if (this.stroke) {
      this.stroke = null;
      this.editor.cancelled();
    }
    this.cursor = null;
    this.showGuides();
  }

  showGuides() {
    const { view, diameter, tool, frame } = this.editor;
    const isPanning = this.isPanKeyDown || this.panFrom !== null;
    const isBrush = (tool === "brush" || tool === "eraser") && !isPanning && !this.warp.isOn;
    frame.dataset.tool = tool;
    this.guides.showBrush(
      isBrush ? this.cursor : null,
      diameter * view.scale,
      (this.stroke?.value ?? TOOLS[tool]) === 0,
    );
    this.guides.showPolygon(this.corners, view, this.lasso ? null : this.cursor);
    this.wand.follow();
    this.ruler.show();
    this.warp.show();
    this.stage.classList.toggle("pans", isPanning);
    this.stage.classList.toggle("draws", !isBrush);
    this.stage.classList.toggle("underway", this.corners.length > 0);
    this.stage.classList.toggle("cuts", (this.lasso?.value ?? TOOLS[tool]) === 0);
    showStart(this.editor);
  }
}
