// Images of a case with layers: views, zoom, layers and thresholds change here, without asking the server for anything but
// the images. What one image shows the others show: a place is told as a share of the image's width and height, and the
// zoom in terms of the fitted image, so that images may differ in size.

import { part, parts, rootOf } from "../shared/dom.js";
import { clamp } from "../shared/geometry.js";
import { positionOn, wheelFactor } from "../shared/view.js";
import { ImageCache } from "./image_cache.js";
import { LayerControls } from "./layer_controls.js";
import { Overlay } from "./overlay.js";
import { Pane } from "./pane.js";
import { PointQuestion } from "./point_question.js";
import { actionsOf } from "./viewer_actions.js";
import { actionOfKey } from "./viewer_keys.js";
import { ViewerTools } from "./viewer_tools.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { View } from "../shared/view.js" */
/** @import { Frame, FrameData, Layout, ViewerData } from "./frames.js" */
/** @import { Shown } from "./pane.js" */
/** @import { Place, Sheet } from "./sheet.js" */
/** @import { ViewerActions } from "./viewer_actions.js" */

const BRIGHTNESS = { least: 50, most: 200 };
/** @type {Place} */
const FITTED = { x: 0.5, y: 0.5, zoom: 1 };
/** @type {Place} */
const NO_SHIFT = { x: 0, y: 0, zoom: 1 };

export class Viewer {
  /** @type {ViewerData} Given with the first update, which follows upon the making. */
  data;
  /** @type {(name: string, value: unknown) => void} Likewise; tells the page something once. */
  tell;

  /**
   * @param {Node} parent
   * @param {string} template
   */
  constructor(parent, template) {
    this.root = rootOf(parent, template);
    this.frame = part(this.root, ".viewer");
    this.container = part(this.root, ".panes");
    this.percent = part(this.root, ".percent");
    this.tools = new ViewerTools(this);
    this.layers = new LayerControls(part(this.root, ".layers"), this);
    this.question = new PointQuestion(part(this.root, ".asks"), this);
    Object.assign(this.frame, { imageViewer: this });
    /** @type {Frame[]} */
    this.frames = [];
    this.images = new ImageCache(() => this.loaded());
    /** @type {Pane[]} */
    this.panes = [];
    /** @type {Map<string, Place>} How far an image was shifted against the others, by the image's id. */
    this.shifts = new Map();
    /** @type {Place} */
    this.place = { ...FITTED };
    this.isLinked = true;
    /** @type {Layout[]} */
    this.views = ["one"];
    /** @type {Layout} */
    this.layout = "one";
    /** @type {string | null} */
    this.currentId = null;
    /** @type {string | null} Of the image to compare with. */
    this.partnerId = null;
    /** @type {{ current: string | null, views: Layout[] | null }} What the page gave last. */
    this.given = { current: null, views: null };
    this.brightness = 100;
    /** @type {{ pane: Pane, sheet: Sheet } | null} What was clicked last. */
    this.active = null;
    this.isDue = false;
    this.actions = actionsOf(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.container);
    this.listen();
  }

  get view() {
    return this.panes[0].view;
  }

  get current() {
    return this.frames.find((frame) => frame.id === this.currentId) ?? this.frames[0];
  }

  get isLoaded() {
    return this.panes.every((pane) => pane.isLoaded);
  }

  /**
   * @param {ViewerData} data
   * @param {(name: string, value: unknown) => void} tell
   */
  update(data, tell) {
    this.tell = tell;
    this.data = data;
    const before = new Set(this.frames.map((frame) => frame.id));
    this.frames = data.frames.map((frame) => this.makeFrame(frame));
    this.images.keepOnly(this.frames.flatMap((frame) => [frame.url, ...frame.layers.map((layer) => layer.url)]));
    if (!this.frames.some((frame) => before.has(frame.id))) {
      this.place = { ...FITTED };
      this.shifts.clear();
      this.question.aimAt = null;
    }
    if (data.current !== this.given.current || !this.frames.some((frame) => frame.id === this.currentId)) {
      this.currentId = data.current;
    }
    if (!this.frames.some((frame) => frame.id === this.partnerId)) this.partnerId = null;
    this.views = data.views;
    if (data.views.join() !== this.given.views?.join()) this.layout = this.views[0];
    this.given = { current: data.current, views: data.views };
    this.layers.update(this.frames);
    this.tools.update();
    this.arrange();
    this.question.ask(data.asks_for ?? "");
    this.preload();
  }

  /**
   * @param {FrameData} frame
   * @returns {Frame}
   */
  makeFrame(frame) {
    const overlays = frame.layers.map((layer) => new Overlay(layer, this.images.get(layer.url)));
    return { ...frame, image: this.images.get(frame.url), overlays };
  }

  loaded() {
    this.layers.markRows(this.shownOverlays);
    this.resize();
  }

  get shownFrames() {
    return this.panes.flatMap((pane) => pane.sheets.flatMap((sheet) => sheet.frame ?? []));
  }

  get shownOverlays() {
    return this.shownFrames.flatMap((frame) => frame.overlays);
  }

  /** Load what is seen, and then the rest. */
  preload() {
    const overlays = this.shownOverlays.filter((overlay) => this.layers.isShown(overlay));
    const seen = [...this.shownFrames, ...overlays].map(({ image }) => image);
    const rest = this.frames.flatMap((frame) => [frame.image, ...frame.overlays.map(({ image }) => image)]);
    return this.images.load(seen, rest);
  }

  /** @param {string} name */
  loadLayer(name) {
    for (const overlay of this.shownOverlays) if (overlay.layer.name === name) overlay.image.load();
  }

  /**
   * Which images stand in which panes.
   * @returns {Shown[][]}
   */
  shownByPane() {
    const { current, layout } = this;
    if (layout === "all") return this.frames.map((frame) => [{ frame, showsLayers: true, title: frame.title }]);
    const partner = this.frames.find((frame) => frame.id === this.partnerId);
    const isTitled = this.frames.length > 1 || layout !== "one";
    const first = { frame: current, showsLayers: true, title: isTitled ? current.title : "" };
    const title = partner?.title ?? "Without layers";
    const second = { frame: partner ?? current, showsLayers: Boolean(partner), title };
    if (layout === "swipe") return [[first, second]];
    return layout === "two" ? [[first], [second]] : [[first]];
  }

  arrange() {
    const shown = this.shownByPane();
    while (this.panes.length < shown.length) this.panes.push(new Pane(this));
    this.panes.length = shown.length;
    for (const [i, pane] of this.panes.entries()) pane.put(shown[i]);
    this.container.replaceChildren(...this.panes.map((pane) => pane.root));
    this.container.className = `panes ${this.layout}`;
    if (!this.active || !this.panes.includes(this.active.pane)) this.choose(this.panes[0], this.panes[0].sheet);
    this.tools.show();
    this.layers.markRows(this.shownOverlays);
    this.resize();
  }

  /** All images side by side have frames as high as the tallest one needs, all alike. */
  resize() {
    const isGrid = this.layout === "all";
    const loaded = this.panes.flatMap(({ sheet }) => (sheet.frame && sheet.isLoaded ? [sheet.frame.image] : []));
    const ratios = loaded.map(({ width, height }) => width / height);
    for (const pane of this.panes) {
      const { style } = pane.root;
      style.aspectRatio = isGrid ? String(ratios.length ? Math.min(...ratios) : 4 / 3) : "";
      style.maxHeight = isGrid ? this.stageHeight() : "";
      style.height = isGrid ? "" : this.stageHeight();
    }
    for (const pane of this.panes) pane.resize(pane.root.clientWidth, pane.root.clientHeight);
    this.lay();
  }

  stageHeight() {
    return this.isFull ? "calc(100vh - 190px)" : this.data.height;
  }

  get isFull() {
    const document = /** @type {DocumentOrShadowRoot} */ (/** @type {unknown} */ (this.root.getRootNode()));
    return document.fullscreenElement === this.frame;
  }

  lay() {
    for (const pane of this.panes) {
      for (const sheet of pane.sheets) {
        const shift = this.shiftOf(sheet);
        sheet.show({ x: this.place.x + shift.x, y: this.place.y + shift.y, zoom: this.place.zoom * shift.zoom });
      }
    }
    this.draw();
  }

  /** @param {Sheet} sheet */
  shiftOf(sheet) {
    return this.shifts.get(sheet.frame?.id ?? "") ?? NO_SHIFT;
  }

  /**
   * What one image has done, the others do; unlinked, it is shifted against them instead.
   * @param {Sheet} sheet
   */
  moved(sheet) {
    const { x, y, zoom } = sheet.place();
    const isAlone = this.layout === "one";
    if (this.isLinked || isAlone) {
      const shift = this.shiftOf(sheet);
      this.place = { x: x - shift.x, y: y - shift.y, zoom: zoom / shift.zoom };
    } else if (sheet.frame)
      this.shifts.set(sheet.frame.id, { x: x - this.place.x, y: y - this.place.y, zoom: zoom / this.place.zoom });
    this.lay();
  }

  get isFitted() {
    const { x, y, zoom } = this.place;
    return this.shifts.size === 0 && x === FITTED.x && y === FITTED.y && zoom === FITTED.zoom;
  }

  fit() {
    this.place = { ...FITTED };
    this.shifts.clear();
    this.lay();
  }

  /** Once a frame of the screen, however often something has changed. */
  draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      for (const pane of this.panes) pane.draw();
      const [first] = this.panes;
      if (!first) return;
      this.percent.textContent = `${Math.round(first.view.scale * 100)} %`;
      const { x, y } = this.question.aim;
      first.move(first.aim, first.view.toScreen(x, y));
    });
  }

  // --- views

  /** @param {string} id Of an image. */
  go(id) {
    this.currentId = id;
    this.question.aimAt = null;
    this.arrange();
    this.preload();
  }

  /** @param {number} steps To images further on, or back. */
  turn(steps) {
    const frame = this.frames[this.frames.indexOf(this.current) + steps];
    if (frame) this.go(frame.id);
  }

  /** @param {Layout} layout */
  look(layout) {
    this.layout = layout;
    this.arrange();
    this.preload();
  }

  /** @param {string} id Of an image; empty for the same one without layers. */
  compareWith(id) {
    this.partnerId = id || null;
    this.arrange();
    this.preload();
  }

  /** @param {boolean} isLinked */
  link(isLinked) {
    this.isLinked = isLinked;
    this.tools.showLink(isLinked);
  }

  /**
   * @param {Pane} pane
   * @param {Sheet} sheet
   */
  choose(pane, sheet) {
    this.active = { pane, sheet };
  }

  /** @param {(view: View) => void} act */
  onActive(act) {
    if (!this.active) return;
    act(this.active.sheet.view);
    this.moved(this.active.sheet);
  }

  /**
   * The image alone: layers keep their colours. What the person set stays when the next image comes.
   * @param {number} percent
   */
  brighten(percent) {
    this.brightness = clamp(percent, BRIGHTNESS.least, BRIGHTNESS.most);
    part(this.root, ".brightness").textContent = `${this.brightness} %`;
    this.draw();
  }

  // --- what the person does

  listen() {
    for (const button of parts(this.frame, "button[data-act]", HTMLElement)) {
      const act = /** @type {keyof ViewerActions} */ (button.dataset.act);
      button.onclick = () => this.actions[act]();
    }
    this.frame.addEventListener("keydown", (event) => this.onKey(event));
    this.frame.addEventListener("fullscreenchange", () => this.resize());
  }

  /**
   * The wheel belongs to the page until an image was clicked.
   * @param {WheelEvent} event
   * @param {Pane} pane
   */
  onWheel(event, pane) {
    if (!this.frame.matches(":focus-within") && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const position = positionOn(pane.root, event);
    const sheet = pane.sheetAt(position);
    sheet.view.zoomAt(position.x, position.y, wheelFactor(event));
    this.moved(sheet);
  }

  /**
   * @param {MouseEvent} event
   * @param {Pane} pane
   */
  onDoubleClick(event, pane) {
    if (this.question.asked) return;
    if (!this.isFitted) {
      this.fit();
      return;
    }
    const position = positionOn(pane.root, event);
    const sheet = pane.sheetAt(position);
    sheet.view.zoomAt(position.x, position.y, Math.max(2.5, 2 / sheet.view.scale));
    this.moved(sheet);
  }

  /**
   * @param {Point} position On the screen.
   * @param {Pane} pane
   */
  onClick(position, pane) {
    if (!this.question.asked || pane !== this.panes[0]) return;
    this.question.put(pane.view.toImage(position.x, position.y));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { target } = event;
    const isField =
      target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type === "range");
    const act = actionOfKey(this, event);
    if (!act || event.ctrlKey || event.metaKey || event.altKey || isField) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  close() {
    this.observer.disconnect();
    this.images.close();
    this.root.remove();
  }
}
