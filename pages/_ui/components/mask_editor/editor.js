// The mask editor: paints each finding on a layer of the image's own size, and saves every stroke by itself.

import { part, parts, rootOf } from "../shared/dom.js";
import { clamp } from "../shared/geometry.js";
import { View } from "../shared/view.js";
import { actionsOf, listenToButtons, toggleHelp } from "./actions.js";
import { encodeRle } from "./codec.js";
import { ConflictQuestion } from "./conflict.js";
import { ConnectionDialog } from "./connection_dialog.js";
import { DocumentLoading } from "./document_loading.js";
import { Keys } from "./keys.js";
import { Layer } from "./layer.js";
import { LayerPanel } from "./layer_panel.js";
import { listenToLook, showLook } from "./look.js";
import { MaskCanvas } from "./mask_canvas.js";
import { PaintingClock } from "./painting_clock.js";
import { listenToSavers } from "./savers.js";
import { fitStage, placeImage, showState } from "./screen.js";
import { Strokes } from "./strokes.js";
import { Submission } from "./submission.js";

/** @import { Rectangle } from "../shared/geometry.js" */
/** @import { Mask } from "./mask.js" */
/** @import { EditorData, Tell } from "./page_data.js" */
/** @import { Tool } from "./strokes.js" */

/** What a person sets stays from one image to the next. */
const habits = { tool: /** @type {Tool} */ ("brush"), diameter: /** @type {number | null} */ (null) };

export class MaskEditor {
  /** @type {EditorData} Given with the first update, which follows upon the making. */
  data;
  /** @type {Tell} Likewise. */
  tell;

  /**
   * @param {Node} parent
   * @param {string} template
   */
  constructor(parent, template) {
    this.root = rootOf(parent, template);
    this.frame = part(this.root, ".editor");
    this.stage = part(this.root, ".stage");
    this.plane = part(this.root, ".plane");
    this.image = part(this.root, ".image", HTMLImageElement);
    this.notice = part(this.root, ".notice");
    this.note = part(this.root, '[data-input="note"]', HTMLInputElement);
    this.size = part(this.root, '[data-input="size"]', HTMLInputElement);
    this.canvas = new MaskCanvas(part(this.root, ".mask", HTMLCanvasElement));
    this.view = new View(4, 3);
    this.tool = habits.tool;
    this.diameter = 24;
    /** @type {Layer[]} */
    this.layers = [];
    /** @type {Layer | null} */
    this.activeLayer = null;
    /** @type {string | null} Of the documents that are open. */
    this.documentKey = null;
    /** @type {Set<string>} Findings that the page was told of, and may tell back. */
    this.toldActive = new Set();
    this.isStateDue = false;
    this.strokes = new Strokes(this);
    this.panel = new LayerPanel(part(this.root, ".layers"), this);
    this.conflict = new ConflictQuestion(part(this.root, ".question"), this);
    this.loading = new DocumentLoading(this);
    this.submission = new Submission(this);
    this.clock = new PaintingClock(this.frame);
    this.actions = actionsOf(this);
    this.keys = new Keys(this.frame, this.actions);
    this.connectionDialog = new ConnectionDialog();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.ignoreSavers = listenToSavers(() => this.stateSoon());
    Object.assign(this.frame, { maskEditor: this });
    this.listen();
  }

  // ---- what the page asks for

  /**
   * @param {EditorData} data
   * @param {Tell} tell
   */
  update(data, tell) {
    this.tell = tell;
    this.stage.style.height = `clamp(320px, calc(100vh - ${data.around_px}px - var(--layers-row)), 1200px)`;
    this.stage.style.maxHeight = `max(320px, ${(data.height_px / data.width_px) * 115}cqw)`;
    const key = data.layers.map((layer) => layer.document_id).join(" ");
    const before = this.data;
    this.data = data;
    if (key !== this.documentKey) this.open(key);
    else {
      if (data.load !== before.load) this.loading.loadAgain(key);
      if (data.answer !== before.answer) this.submission.answered();
      const isSame = JSON.stringify(data.references) === JSON.stringify(before.references);
      if (!isSame) this.panel.showReferences(data.references);
      this.followActive(before);
    }
    this.button("submit").textContent = data.submit_text;
    this.resize();
    this.showState();
  }

  /** @param {string} key */
  open(key) {
    this.leaveDocument();
    const { data } = this;
    const { width_px: width, height_px: height } = data;
    this.documentKey = key;
    this.note.value = "";
    Object.assign(this.view, { imageWidth: width, imageHeight: height, isFitted: true });
    this.layers = data.layers.map((given, index) => new Layer(given, index, { width, height }));
    for (const layer of this.layers) layer.saver.layer = this.loading.heirOf(layer);
    this.canvas.open(width, height, this.layers);
    this.panel.build(this.layers, data.references);
    this.activeLayer = this.layerOf(data.active) ?? this.layers[0];
    this.canvas.active = this.activeLayer;
    this.setDiameter(habits.diameter ?? Math.max(6, Math.round(Math.min(width, height) / 20)));
    this.setTool(this.tool);
    showLook(this);
    this.say("Loading…");
    this.showState();
    this.loading.open(key);
  }

  get isAsking() {
    return this.conflict.isOpen;
  }

  get isAllLoaded() {
    return this.layers.every((layer) => layer.isLoaded);
  }

  /** Whether all is there that a tool needs, except that the layer may be hidden or locked. */
  get isOpen() {
    const layer = this.activeLayer;
    const isThere = Boolean(layer?.isLoaded && !layer.isWaiting && !this.plane.hidden);
    return isThere && !this.isAsking && !this.submission.isUnderWay;
  }

  get isReady() {
    const layer = this.activeLayer;
    return layer !== null && this.isOpen && !layer.isLocked && !layer.isHidden;
  }

  /** @returns {Mask} That of the active layer, to paint on. */
  get mask() {
    return this.activeLayer?.allocate() ?? { pixels: new Uint8Array(12), width: 4, height: 3 };
  }

  get history() {
    return this.activeLayer?.history ?? null;
  }

  /** @param {string} finding */
  layerOf(finding) {
    return this.layers.find((layer) => layer.finding === finding) ?? null;
  }

  leaveDocument() {
    this.strokes.cancelStroke();
    this.strokes.drop();
    this.conflict.close();
    for (const layer of this.layers) layer.saver.layer = null;
    this.layers = [];
    this.activeLayer = null;
    this.loading.problem = null;
    this.plane.hidden = true;
    this.submission.isUnderWay = false;
    this.toldActive.clear();
    this.clock.reset();
    toggleHelp(this, false);
  }

  // ---- what the tools tell

  /** @param {Rectangle | null} rectangle */
  touched(rectangle) {
    if (rectangle) this.canvas.touched(rectangle);
  }

  finished() {
    const { activeLayer: layer } = this;
    if (layer?.history?.push(encodeRle(layer.allocate().pixels))) this.save(layer, 1);
    this.showState();
  }

  cancelled() {
    if (this.activeLayer?.isLoaded) this.touched(this.activeLayer.show());
  }

  moved() {
    placeImage(this);
  }

  /**
   * @param {Layer} layer
   * @param {number} strokes 1 for a stroke, 0 for a step back or forth.
   */
  save(layer, strokes) {
    if (layer.history) layer.saver.step(layer.history.current, { strokes, activeMs: this.clock.take() });
  }

  // ---- steps

  undo() {
    this.step("undo");
  }

  redo() {
    this.step("redo");
  }

  /** @param {"undo" | "redo"} direction */
  step(direction) {
    if (!this.isReady) return;
    if (direction === "undo" && this.strokes.takeCornerBack()) return;
    const { activeLayer: layer, history } = this;
    const before = history?.current;
    if (!layer || history?.[direction]() === before) return;
    this.touched(layer.show());
    this.save(layer, 0);
    this.showState();
  }

  clear() {
    if (!this.isReady) return;
    this.strokes.drop();
    const { activeLayer: layer } = this;
    if (layer?.history?.push(layer.nothing)) {
      this.touched(layer.show());
      this.save(layer, 1);
    }
    this.showState();
  }

  // ---- layers

  /** @param {number} index */
  selectLayer(index) {
    const layer = this.layers[index];
    if (!layer || layer === this.activeLayer) return;
    this.strokes.cancelStroke();
    this.strokes.drop();
    this.activeLayer?.release();
    this.activeLayer = layer;
    this.canvas.active = layer;
    this.canvas.redraw();
    this.showState();
    if (this.data.tells_active) {
      this.toldActive.add(layer.finding);
      this.tell.state("active", layer.finding);
    }
  }

  /**
   * The page may choose the layer too; but not what it only repeats of an earlier choice here.
   * @param {EditorData} before
   */
  followActive(before) {
    const { active } = this.data;
    if (active === before.active) return;
    if (this.toldActive.has(active)) {
      if (active === this.activeLayer?.finding) this.toldActive.clear();
      return;
    }
    const layer = this.layerOf(active);
    if (layer) this.selectLayer(this.layers.indexOf(layer));
  }

  /** @param {number} index */
  toggleHidden(index) {
    this.toggle(this.layers[index], "toggleHidden");
    this.canvas.redraw();
  }

  /** @param {number} index */
  toggleLocked(index) {
    this.toggle(this.layers[index], "toggleLocked");
  }

  /**
   * @param {Layer | undefined} layer
   * @param {"toggleHidden" | "toggleLocked"} toggle
   */
  toggle(layer, toggle) {
    if (!layer) return;
    if (layer === this.activeLayer) {
      this.strokes.cancelStroke();
      this.strokes.drop();
    }
    layer[toggle]();
    this.showState();
  }

  // ---- settings

  /** @param {Tool} tool */
  setTool(tool) {
    if (tool !== this.tool) this.strokes.drop();
    this.tool = tool;
    habits.tool = tool;
    for (const button of parts(this.frame, "[data-tool]", HTMLElement)) {
      button.setAttribute("aria-checked", String(button.dataset.tool === tool));
    }
    this.strokes.showGuides();
  }

  get largestDiameter() {
    return Math.max(2, Math.min(this.view.imageWidth, this.view.imageHeight) / 2);
  }

  /** @param {number} diameter In pixels of the image. */
  setDiameter(diameter) {
    const largest = this.largestDiameter;
    this.diameter = Math.round(clamp(diameter, 1, largest));
    this.size.value = String(Math.sqrt((this.diameter - 1) / (largest - 1)) * 100);
    part(this.root, '[data-output="size"]').textContent = `${this.diameter} px`;
    this.strokes.showGuides();
  }

  /** @param {number} direction 1 for a larger one, -1 for a smaller one. */
  resizeBrush(direction) {
    const step = Math.max(1, Math.round(this.diameter * 0.15));
    this.setDiameter(this.diameter + direction * step);
    habits.diameter = this.diameter;
  }

  // ---- on the screen

  resize() {
    fitStage(this);
    placeImage(this);
  }

  /** @param {string} text */
  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  /** @param {string} act */
  button(act) {
    return part(this.root, `[data-act="${act}"]`, HTMLButtonElement);
  }

  /** Savers tell of many small changes; once a task is enough. */
  stateSoon() {
    if (this.isStateDue) return;
    this.isStateDue = true;
    queueMicrotask(() => {
      this.isStateDue = false;
      this.showState();
    });
  }

  showState() {
    showState(this);
  }

  listen() {
    listenToButtons(this, this.actions);
    listenToLook(this);
    for (const card of parts(this.root, ".zoom, .help, .question", HTMLElement)) {
      for (const name of ["pointerdown", "pointermove", "dblclick", "wheel"]) {
        card.addEventListener(name, (event) => event.stopPropagation());
      }
    }
    this.size.oninput = () => {
      this.setDiameter(1 + (Number(this.size.value) / 100) ** 2 * (this.largestDiameter - 1));
      habits.diameter = this.diameter;
    };
    this.note.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") this.submission.submit();
    });
  }

  close() {
    this.leaveDocument();
    this.documentKey = null;
    this.ignoreSavers();
    this.keys.close();
    this.connectionDialog.close();
    this.clock.close();
    this.observer.disconnect();
    this.root.remove();
  }
}
