// One or two images in one frame: alone, or with a divider that hides one and shows the other.

import { element, part, parts } from "../shared/dom.js";
import { clamp } from "../shared/geometry.js";
import { positionOn } from "../shared/view.js";
import { hideCrosses, showCrosses } from "./crosses.js";
import { brighten, drawMark } from "./file_drawing.js";
import { canvasOf, contextOf } from "./scaled_image.js";
import { Sheet } from "./sheet.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { Frame, PointData } from "./frames.js" */
/** @import { Viewer } from "./viewer.js" */
/** @typedef {{ frame: Frame, showsLayers: boolean, title: string }} Shown */

const CLICK_PX = 4;
const DIVIDER_REACH_PX = 14;
const TEMPLATE = [
  '<canvas class="base" role="img"></canvas><canvas class="over"></canvas>',
  '<div class="marks"></div><div class="twin" hidden></div><div class="aim" hidden></div>',
  '<span class="title" hidden></span><span class="title second" hidden></span>',
  '<div class="divider" hidden><i>⇔</i></div><div class="notice" role="status"></div>',
].join("");

export class Pane {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.root = element("div", { className: "pane", innerHTML: TEMPLATE });
    this.base = part(this.root, ".base", HTMLCanvasElement);
    this.over = part(this.root, ".over", HTMLCanvasElement);
    this.marks = part(this.root, ".marks");
    this.twin = part(this.root, ".twin");
    this.aim = part(this.root, ".aim");
    this.divider = part(this.root, ".divider");
    this.notice = part(this.root, ".notice");
    this.titles = parts(this.root, ".title", HTMLElement);
    this.sheets = [new Sheet()];
    /** @type {(PointData & { mark: HTMLElement })[]} */
    this.points = [];
    /** @type {Frame | null} */
    this.pointsOf = null;
    this.split = 0.5;
    /** @type {Point | null} */
    this.dragFrom = null;
    /** @type {Point | null} */
    this.pressedAt = null;
    /** @type {Sheet | "divider" | null} */
    this.held = null;
    this.listen();
  }

  get sheet() {
    return this.sheets[0];
  }

  get view() {
    return this.sheet.view;
  }

  get isLoaded() {
    return this.sheets.every((sheet) => sheet.isLoaded);
  }

  get isSplit() {
    return this.sheets.length > 1;
  }

  /** @param {Shown[]} shown Which images, the first on the left of the divider. */
  put(shown) {
    const before = this.sheets;
    this.sheets = shown.map(({ frame, showsLayers }, i) => {
      const sheet = before[i] ?? new Sheet();
      sheet.put(frame, showsLayers);
      return sheet;
    });
    for (const [i, title] of this.titles.entries()) {
      title.textContent = shown[i]?.title ?? "";
      title.hidden = !title.textContent;
    }
    this.base.dataset.url = shown[0].frame.url;
    this.base.setAttribute("aria-label", shown.map(({ frame }) => frame.alt).join("; "));
    this.divider.hidden = !this.isSplit;
    if (shown[0].frame !== this.pointsOf) {
      this.pointsOf = shown[0].frame;
      this.showPoints(shown[0].frame.points);
    }
  }

  /** @param {PointData[]} points */
  showPoints(points) {
    this.points = points.map((point) => {
      const mark = element("div", { className: "mark" });
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", point.title);
      mark.style.setProperty("--mark", point.colour);
      mark.append(element("span", { textContent: point.label }));
      return { ...point, mark };
    });
    this.marks.replaceChildren(...this.points.map((point) => point.mark));
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const dots = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) {
      const [wide, high] = [Math.max(1, Math.round(width * dots)), Math.max(1, Math.round(height * dots))];
      if (canvas.width !== wide) canvas.width = wide;
      if (canvas.height !== high) canvas.height = high;
    }
    for (const sheet of this.sheets) {
      sheet.measure();
      sheet.view.stageWidth = Math.max(1, width);
      sheet.view.stageHeight = Math.max(1, height);
    }
  }

  draw() {
    const states = this.sheets.map((sheet) => sheet.frame?.image.state);
    if (states.includes("failed")) this.say("The image could not be loaded. Reload the page, or sign in again.");
    else this.say(this.isLoaded ? "" : "Loading the image…");
    this.paint(this.base, this.over);
    this.base.style.filter = this.viewer.brightness === 100 ? "" : `brightness(${this.viewer.brightness}%)`;
    this.marks.hidden = !this.sheet.isLoaded;
    for (const { mark, x_px, y_px } of this.points) this.move(mark, this.view.toScreen(x_px, y_px));
    this.divider.style.transform = `translateX(${this.split * this.view.stageWidth}px)`;
  }

  /**
   * @param {HTMLCanvasElement} baseCanvas
   * @param {HTMLCanvasElement} overCanvas
   */
  paint(baseCanvas, overCanvas) {
    const dots = window.devicePixelRatio || 1;
    const { width, height } = baseCanvas;
    const [base, over] = [contextOf(baseCanvas), contextOf(overCanvas)];
    for (const context of [base, over]) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, width, height);
    }
    const middle = this.isSplit ? Math.round(this.split * width) : width;
    for (const [i, sheet] of this.sheets.entries()) {
      for (const context of [base, over]) {
        context.save();
        context.beginPath();
        context.rect(i === 0 ? 0 : middle, 0, i === 0 ? middle : width - middle, height);
        context.clip();
      }
      sheet.draw(base, over, dots, (name) => this.viewer.layers.settings.get(name));
      for (const context of [base, over]) context.restore();
    }
  }

  /** What is seen, on one canvas: the image at its brightness, and the layers over it. */
  snapshot() {
    const [base, over] = [canvasOf(this.base.width, this.base.height), canvasOf(this.base.width, this.base.height)];
    this.paint(base, over);
    const context = contextOf(base);
    if (this.viewer.brightness !== 100) brighten(context, this.viewer.brightness / 100);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(over, 0, 0);
    const dots = window.devicePixelRatio || 1;
    for (const point of this.points) drawMark(context, point, this.view.toScreen(point.x_px, point.y_px), dots);
    return base;
  }

  /**
   * @param {HTMLElement} element
   * @param {Point} position On the screen.
   */
  move(element, { x, y }) {
    element.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** @param {string} text */
  say(text) {
    if (this.notice.textContent !== text) this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  /**
   * The image under a position: with a divider, that on its side.
   * @param {Point} position On the screen.
   */
  sheetAt(position) {
    return this.isSplit && position.x > this.split * this.view.stageWidth ? this.sheets[1] : this.sheet;
  }

  /** @param {number} share Of the width. */
  splitAt(share) {
    this.split = clamp(share, 0, 1);
    this.viewer.draw();
  }

  listen() {
    const { root, viewer } = this;
    root.addEventListener("wheel", (event) => viewer.onWheel(event, this), { passive: false });
    root.addEventListener("dblclick", (event) => viewer.onDoubleClick(event, this));
    root.addEventListener("pointerdown", (event) => this.onDown(event));
    root.addEventListener("pointermove", (event) => this.onMove(event));
    root.addEventListener("pointerup", (event) => this.onUp(event));
    root.addEventListener("pointercancel", (event) => this.onUp(event));
    root.addEventListener("pointerleave", () => hideCrosses(viewer));
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    const position = positionOn(this.root, event);
    this.root.setPointerCapture(event.pointerId);
    this.viewer.frame.focus({ preventScroll: true });
    if (this.isSplit && Math.abs(position.x - this.split * this.view.stageWidth) <= DIVIDER_REACH_PX) {
      this.held = "divider";
      this.viewer.choose(this, this.sheet);
      return;
    }
    const sheet = this.sheetAt(position);
    this.held = sheet;
    this.viewer.choose(this, sheet);
    sheet.pinch.down(event, position);
    this.dragFrom = sheet.pinch.isActive ? null : position;
    this.pressedAt = this.dragFrom;
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const position = positionOn(this.root, event);
    if (this.held === null) showCrosses(this.viewer, this, position);
    else if (this.held === "divider") this.splitAt(position.x / this.view.stageWidth);
    else this.drag(event, position, this.held);
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   * @param {Sheet} sheet
   */
  drag(event, position, sheet) {
    const { pressedAt } = this;
    if (pressedAt && Math.hypot(position.x - pressedAt.x, position.y - pressedAt.y) > CLICK_PX) this.pressedAt = null;
    const { view, pinch } = sheet;
    if (!pinch.move(event, position) && this.dragFrom) {
      view.panBy(position.x - this.dragFrom.x, position.y - this.dragFrom.y);
      this.dragFrom = position;
    } else if (!pinch.isActive) return;
    this.viewer.moved(sheet);
  }

  /** @param {PointerEvent} event */
  onUp(event) {
    const { held } = this;
    const pinch = held === null || held === "divider" ? null : held.pinch;
    pinch?.up(event);
    this.dragFrom = null;
    if (!pinch?.isActive) this.held = null;
    const isClick = this.pressedAt !== null && event.type === "pointerup";
    this.pressedAt = null;
    if (isClick) this.viewer.onClick(positionOn(this.root, event), this);
  }
}
