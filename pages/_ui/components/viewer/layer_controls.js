// How the layers are shown, and the rows in which a person sets it. What was set for a layer of a name stays, also when the
// next image comes.

import { element, part } from "../shared/dom.js";

/** @import { Frame } from "./frames.js" */
/** @import { LayerData, Overlay } from "./overlay.js" */
/** @import { Viewer } from "./viewer.js" */
/**
 * How the layers of a name are shown; opacity and threshold are 0 to 1.
 * @typedef {object} LayerSetting
 * @property {LayerData} layer
 * @property {boolean} isShown
 * @property {number} opacity
 * @property {number} threshold
 * @property {boolean} isOutline
 * @property {boolean} [wasShown] Before all were hidden.
 * @property {HTMLElement} row
 */
/** @typedef {Partial<Pick<LayerSetting, "isShown" | "opacity" | "threshold" | "isOutline">>} Changes */

const ROW = [
  '<label><input type="checkbox"><i class="swatch"></i><span class="name"></span></label>',
  '<input class="opacity" type="range" min="0" max="100" step="1">',
  '<button type="button" class="outline" title="Outline (C)">◯</button>',
  '<label class="from"><span></span><input class="threshold" type="range" min="0" max="99" step="1"></label>',
].join("");
const KEYED_LAYERS = 9;

export class LayerControls {
  /**
   * @param {HTMLElement} root
   * @param {Viewer} viewer
   */
  constructor(root, viewer) {
    this.root = root;
    this.viewer = viewer;
    /** @type {Map<string, LayerSetting>} By the layers' names, in their order. */
    this.settings = new Map();
    /** @type {string | null} Name of the one that keys set. */
    this.chosen = null;
    this.areHidden = false;
  }

  /** @param {Frame[]} frames */
  update(frames) {
    /** @type {Map<string, LayerData>} */
    const layers = new Map();
    for (const layer of frames.flatMap((frame) => frame.layers)) {
      if (!layers.has(layer.name)) layers.set(layer.name, layer);
    }
    this.settings = new Map([...layers].map(([name, layer]) => [name, this.settingOf(layer)]));
    const settings = [...this.settings.values()];
    this.root.replaceChildren(...settings.map((setting) => setting.row));
    this.root.hidden = settings.length === 0;
    if (this.chosen === null || !this.settings.has(this.chosen)) this.chosen = settings[0]?.layer.name ?? null;
    for (const setting of settings) this.showRow(setting);
  }

  /**
   * What was set for a layer's name, or else as the page gives it.
   * @param {LayerData} layer
   * @returns {LayerSetting}
   */
  settingOf(layer) {
    const known = this.settings.get(layer.name);
    if (known) return Object.assign(known, { layer });
    const setting = {
      layer,
      isShown: layer.visible,
      opacity: layer.opacity,
      threshold: layer.threshold ?? 0,
      isOutline: layer.is_outline,
      row: element("div", { className: "layer", innerHTML: ROW }),
    };
    this.listenToRow(setting);
    return setting;
  }

  /** @param {LayerSetting} setting */
  listenToRow(setting) {
    const { row } = setting;
    const { name, kind } = setting.layer;
    const { checkbox, opacity, outline, threshold } = controlsOf(row);
    row.classList.toggle("map", kind === "map");
    part(row, ".name").textContent = name;
    opacity.setAttribute("aria-label", `Opacity of ${name}`);
    outline.setAttribute("aria-label", `Outline of ${name}`);
    threshold.setAttribute("aria-label", `Threshold of ${name}`);
    outline.hidden = kind === "map";
    part(row, ".from").hidden = kind !== "field";
    part(row, ".swatch").hidden = kind === "map";
    checkbox.onchange = () => this.set(setting, { isShown: checkbox.checked });
    opacity.oninput = () => this.set(setting, { opacity: Number(opacity.value) / 100, isShown: true });
    threshold.oninput = () => this.set(setting, { threshold: Number(threshold.value) / 100, isShown: true });
    outline.onclick = () => this.set(setting, { isOutline: !setting.isOutline, isShown: true });
  }

  /**
   * @param {LayerSetting} setting
   * @param {Changes} changes
   */
  set(setting, changes) {
    Object.assign(setting, changes);
    this.chosen = setting.layer.name;
    this.areHidden = false;
    for (const other of this.settings.values()) this.showRow(other);
    if (setting.isShown) this.viewer.loadLayer(setting.layer.name);
    this.viewer.draw();
  }

  /** @param {LayerSetting} setting */
  showRow({ row, layer, isShown, opacity, threshold, isOutline }) {
    const hasTools = this.viewer.data.has_tools;
    const controls = controlsOf(row);
    controls.checkbox.checked = isShown;
    controls.opacity.value = String(Math.round(opacity * 100));
    controls.opacity.title = `${Math.round(opacity * 100)} %`;
    controls.threshold.value = String(Math.round(threshold * 100));
    part(row, ".from span").textContent = `shown from ${Math.round(threshold * 100)} %`;
    controls.outline.setAttribute("aria-pressed", String(isOutline));
    row.classList.toggle("chosen", hasTools && layer.name === this.chosen);
    const number = [...this.settings.keys()].indexOf(layer.name) + 1;
    part(row, ".name").title = hasTools && number <= KEYED_LAYERS ? `${layer.name} (${number})` : layer.name;
  }

  /**
   * What came of the layers: their colours, and which could not be loaded.
   * @param {Overlay[]} overlays Those in the panes.
   */
  markRows(overlays) {
    for (const { row, layer } of this.settings.values()) {
      const ofLayer = overlays.filter((overlay) => overlay.layer.name === layer.name);
      const hasFailed = ofLayer.some((overlay) => overlay.image.state === "failed");
      row.classList.toggle("failed", hasFailed);
      const colour = ofLayer.map((overlay) => overlay.colour).find(Boolean);
      if (colour) row.style.setProperty("--layer", colour);
    }
  }

  /** @param {Overlay} overlay */
  isShown(overlay) {
    return Boolean(this.settings.get(overlay.layer.name)?.isShown);
  }

  /** @param {(setting: LayerSetting) => Changes} changesOf */
  setChosen(changesOf) {
    const setting = this.chosen === null ? undefined : this.settings.get(this.chosen);
    if (setting) this.set(setting, changesOf(setting));
  }

  /**
   * Show or hide the layer of a key.
   * @param {number} number From 1.
   * @returns {(() => void) | undefined} None where there is no such layer.
   */
  toggleOf(number) {
    const setting = number <= KEYED_LAYERS ? [...this.settings.values()][number - 1] : undefined;
    return setting && (() => this.set(setting, { isShown: !setting.isShown }));
  }

  /** Hide all, or show again those that were shown before. */
  toggleAll() {
    this.areHidden = !this.areHidden;
    for (const setting of this.settings.values()) {
      if (this.areHidden) Object.assign(setting, { wasShown: setting.isShown, isShown: false });
      else setting.isShown = setting.wasShown ?? setting.isShown;
      this.showRow(setting);
    }
    this.viewer.draw();
  }
}

/** @param {HTMLElement} row */
function controlsOf(row) {
  return {
    checkbox: part(row, "input", HTMLInputElement),
    opacity: part(row, ".opacity", HTMLInputElement),
    outline: part(row, ".outline", HTMLButtonElement),
    threshold: part(row, ".threshold", HTMLInputElement),
  };
}
