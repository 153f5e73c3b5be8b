// Two masks of one layer, neither of which may be lost: both are shown on the image, and the person decides.
//
// Each choice is a step in the history, with the other side one step back: nothing is overwritten that Undo would not
// bring again.

import { element } from "../shared/dom.js";
import { decodeRle, encodeRle, sameBytes } from "./codec.js";
import { COMPARED } from "./mask_canvas.js";

/** @import { MaskEditor } from "./editor.js" */
/** @import { Layer } from "./layer.js" */
/** @import { Stored } from "./mask_server.js" */
/** @typedef {"newer" | "mine" | "both"} Choice */

/** @type {{ choice: Choice, title: string, small: string }[]} */
const CHOICES = [
  { choice: "newer", title: "Take the newer one", small: "Undo brings yours again." },
  { choice: "mine", title: "Put mine on top", small: "Undo brings the newer." },
  { choice: "both", title: "Join both", small: "All that either marks." },
];

export class ConflictQuestion {
  /**
   * @param {HTMLElement} root
   * @param {MaskEditor} editor
   */
  constructor(root, editor) {
    this.root = root;
    this.editor = editor;
    /** @type {Layer | null} The one that is asked about. */
    this.layer = null;
    /** @type {Stored | null} Its other side. */
    this.stored = null;
    this.hasMadeRoom = false;
    root.setAttribute("aria-label", "The mask was changed elsewhere");
  }

  get isOpen() {
    return this.layer !== null;
  }

  /**
   * Ask about the first layer that needs it, or about none. Asked anew where the other side has changed meanwhile.
   * @param {Layer[]} layers
   */
  update(layers) {
    const layer = layers.find((each) => each.isLoaded && each.saver.state === "conflict") ?? null;
    if (layer === this.layer && (layer === null || layer.saver.stored === this.stored)) return;
    const { newest = null, stored = null } = layer?.saver ?? {};
    Object.assign(this, { layer, stored });
    if (layer && newest && stored) this.ask(layer, newest, stored);
    else this.close();
  }

  close() {
    Object.assign(this, { layer: null, stored: null });
    this.root.hidden = true;
    this.root.replaceChildren();
    if (this.editor.canvas.compared) this.editor.canvas.endComparison();
    if (!this.hasMadeRoom) return;
    this.hasMadeRoom = false;
    this.editor.view.fit();
    this.editor.moved();
  }

  /**
   * @param {Layer} layer
   * @param {Uint8Array} mine
   * @param {Stored} stored
   */
  ask(layer, mine, stored) {
    const { editor } = this;
    editor.strokes.cancelStroke();
    editor.strokes.drop();
    editor.selectLayer(editor.layers.indexOf(layer));
    const nPixels = layer.width * layer.height;
    const counts = editor.canvas.compare(decodeRle(mine, nPixels), decodeRle(stored.code, nPixels));
    const legend = element("div", { className: "legend" });
    const kinds = /** @type {const} */ ({ mine: "only mine", other: "only the newer one", both: "both" });
    for (const kind of /** @type {const} */ (["mine", "other", "both"])) {
      const line = element("span", { textContent: `${kinds[kind]}: ${counts[kind].toLocaleString("en")} px` });
      const swatch = element("i");
      swatch.style.setProperty("--colour", COMPARED[kind]);
      line.prepend(swatch);
      legend.append(line);
    }
    const choices = element("div", { className: "choices" });
    choices.append(...CHOICES.map((choice) => this.button(choice)));
    this.root.replaceChildren(
      element("h3", { textContent: `${layer.title}: changed elsewhere` }),
      element("p", { textContent: "Another tab or machine saved this mask while you painted. Both are shown." }),
      legend,
      choices,
    );
    this.root.hidden = false;
    this.makeRoom();
  }

  /** Where the whole image is in view, it is shown above the question. */
  makeRoom() {
    const { view, stage } = this.editor;
    if (!view.isFitted) return;
    const height = this.root.offsetTop - stage.clientTop;
    const scale = Math.min(view.stageWidth / view.imageWidth, height / view.imageHeight);
    if (!(scale > 0)) return;
    Object.assign(view, {
      scale,
      x: (view.stageWidth - view.imageWidth * scale) / 2,
      y: (height - view.imageHeight * scale) / 2,
      isFitted: false,
    });
    this.hasMadeRoom = true;
    this.editor.moved();
  }

  /** @param {{ choice: Choice, title: string, small: string }} given */
  button({ choice, title, small }) {
    const button = element("button", { type: "button" });
    button.append(element("b", { textContent: title }), element("small", { textContent: small }));
    button.setAttribute("aria-label", title);
    button.addEventListener("click", () => {
      this.decide(choice);
      this.editor.stage.focus({ preventScroll: true });
    });
    return button;
  }

  /** @param {Choice} choice */
  decide(choice) {
    const { layer, stored, editor } = this;
    const mine = layer?.saver.newest;
    if (!layer?.history || !stored || !mine) return;
    const { saver, history } = layer;
    history.push(mine);
    history.push(stored.code);
    if (choice === "mine") history.push(mine);
    if (choice === "both") history.push(joined(mine, stored.code, layer.width * layer.height));
    layer.note(stored.code, stored.changed, stored.versionNumber);
    this.close();
    const spent = saver.unsaved;
    saver.start(stored.seq);
    if (!sameBytes(history.current, stored.code)) saver.step(history.current, spent);
    editor.touched(layer.show());
    editor.showState();
  }
}

/**
 * The code of what either of two masks marks.
 * @param {Uint8Array} mine
 * @param {Uint8Array} other
 * @param {number} nPixels
 */
function joined(mine, other, nPixels) {
  const pixels = decodeRle(mine, nPixels);
  const others = decodeRle(other, nPixels);
  for (let i = 0; i < nPixels; i++) pixels[i] |= others[i];
  return encodeRle(pixels);
}
