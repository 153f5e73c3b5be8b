// The ruler and the areas: what is measured, and in percent of what. Nothing of it is saved.
//
// 100 percent of a length is the cervix's width, which is its largest diameter, 100 percent of an area the cervix's area,
// both of the layer "cervix outline". Without it they are the image's width and the image's area.

import { element } from "../shared/dom.js";
import { measured } from "./measure.js";
import { inSlices } from "./slices.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { View } from "../shared/view.js" */
/** @import { MaskEditor } from "./editor.js" */
/** @import { Layer } from "./layer.js" */
/** @import { Sizes } from "./measure.js" */
/** @typedef {{ from: Point, to: Point }} Line In pixels of the image. */

const CERVIX = "cervix_outline";

export class Ruler {
  /**
   * @param {{ lines: Element[], card: HTMLElement }} parts The elements it shows itself with; `lines` are paths of an SVG.
   * @param {MaskEditor} editor
   */
  constructor(parts, editor) {
    this.parts = parts;
    this.editor = editor;
    /** @type {number | null} The pointer that draws. */
    this.id = null;
    /** @type {Line | null} */
    this.line = null;
    /** @type {(Uint8Array | undefined)[] | null} What was measured. */
    this.codes = null;
    /** @type {Layer | null} */
    this.active = null;
    /** @type {Sizes | null} */
    this.sizes = null;
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} position On the screen.
   */
  begin(event, position) {
    const at = this.editor.view.toImage(position.x, position.y);
    this.id = event.pointerId;
    this.line = { from: at, to: at };
  }

  /** @param {Point} position On the screen. */
  move(position) {
    if (this.line) this.line.to = this.editor.view.toImage(position.x, position.y);
  }

  drop() {
    this.id = null;
    this.line = null;
  }

  show() {
    const { parts, editor, line } = this;
    const isOn = editor.tool === "ruler" && Boolean(editor.activeLayer?.isLoaded);
    parts.card.hidden = !isOn;
    for (const path of parts.lines) path.setAttribute("d", isOn && line ? linePath(editor.view, line) : "");
    if (!isOn) {
      this.codes = null;
      return;
    }
    this.measure();
    this.write();
  }

  /** The areas, once for each state of the masks. */
  async measure() {
    const { editor } = this;
    const active = editor.activeLayer;
    const cervix = editor.layerOf(CERVIX);
    const codes = [active?.history?.current, cervix?.history?.current];
    if (this.codes?.every((code, i) => code === codes[i]) && this.active === active) return;
    Object.assign(this, { codes, active, sizes: null });
    const isWanted = () => this.codes === codes;
    const sizes = await inSlices(measured(editor.mask, cervix?.mask ?? null), isWanted);
    if (!sizes || !isWanted()) return;
    this.sizes = sizes;
    this.write();
  }

  write() {
    const { line, sizes, parts } = this;
    const rows = [line ? this.rowOfLine(line) : ["Line", "–", "drag on the image to measure"]];
    if (sizes) rows.push(...this.rowsOfAreas(sizes));
    parts.card.replaceChildren(
      ...rows.map((cells) => {
        const row = element("div");
        row.append(...cells.map((text) => element("span", { textContent: text })));
        return row;
      }),
    );
    if (!sizes || sizes.cervix) return;
    const textContent = "Paint the cervix outline (6) to measure in percent of the cervix.";
    parts.card.append(element("p", { textContent }));
  }

  /** @param {Line} line */
  rowOfLine(line) {
    const length = Math.hypot(line.to.x - line.from.x, line.to.y - line.from.y);
    const cervix = this.sizes?.cervix;
    const share = cervix
      ? `${percent(length / cervix.diameter)} of the cervix’s width`
      : `${percent(length / this.editor.mask.width)} of the image’s width`;
    return ["Line", `${Math.round(length)} px`, share];
  }

  /** @param {Sizes} sizes */
  rowsOfAreas({ area, cervix }) {
    const { width, height } = this.editor.mask;
    const isOfCervix = cervix && this.active?.finding !== CERVIX;
    const share = isOfCervix
      ? `covers ${percent(cervix.covered / cervix.area)} of the cervix`
      : `${percent(area / (width * height))} of the image`;
    const rows = [[this.active?.title ?? "Mask", inPixels(area), share]];
    if (cervix) rows.push(["Cervix", inPixels(cervix.area), `largest diameter ${Math.round(cervix.diameter)} px`]);
    return rows;
  }
}

/**
 * A line with a bar at each end, as the path of an SVG.
 * @param {View} view
 * @param {Line} line
 */
function linePath(view, { from, to }) {
  const a = view.toScreen(from.x, from.y);
  const b = view.toScreen(to.x, to.y);
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const x = (-(b.y - a.y) / length) * 6;
  const y = ((b.x - a.x) / length) * 6;
  /** @type {(end: Point) => string} */
  const bar = (end) => `M${end.x - x} ${end.y - y}L${end.x + x} ${end.y + y}`;
  return `M${a.x} ${a.y}L${b.x} ${b.y}${bar(a)}${bar(b)}`;
}

/** @param {number} area */
function inPixels(area) {
  return `${area.toLocaleString("en")} px`;
}

/** @param {number} share */
function percent(share) {
  const value = 100 * share;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
