// The panel that picks, hides and locks the layers.

import { element } from "../shared/dom.js";

/** @import { MaskEditor } from "./editor.js" */
/** @import { Layer } from "./layer.js" */
/** @typedef {{ layer: Layer, root: HTMLElement, pick: HTMLElement, eye: HTMLElement, lock: HTMLElement }} Row */
/** @typedef {{ title: string, url: string, colour: string }} ReferenceData A mask to look at, as the page gives it. */

const ICONS = {
  eye: '<path d="M12 5C6.5 5 2.6 9.7 1.5 12c1.1 2.3 5 7 10.5 7s9.4-4.7 10.5-7C21.4 9.7 17.5 5 12 5zm0 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9zm0-2.3a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z"/>',
  eyeShut:
    '<path d="M3.3 2 2 3.3l4.2 4.2C3.7 9 2.1 11 1.5 12c1.1 2.3 5 7 10.5 7 1.7 0 3.2-.4 4.5-1.1l4.2 4.2 1.3-1.3zM12 16.5a4.5 4.5 0 0 1-4.1-6.4l2 2a2.2 2.2 0 0 0 2 2l2 2a4.5 4.5 0 0 1-1.9.4zM12 5c-1.4 0-2.7.3-3.8.8l2.1 2.1a4.5 4.5 0 0 1 5.8 5.8l3 3a15 15 0 0 0 3.4-4.7C21.4 9.7 17.5 5 12 5z"/>',
  lock: '<path d="M12 2a5 5 0 0 0-5 5v3H5.5v11h13V10H17V7a5 5 0 0 0-5-5zm-2.7 8V7a2.7 2.7 0 0 1 5.4 0v3z"/>',
  lockOpen: '<path d="M12 2a5 5 0 0 0-5 5h2.3a2.7 2.7 0 0 1 5.4 0v3H5.5v11h13V10H17V7a5 5 0 0 0-5-5z"/>',
};

export class LayerPanel {
  /**
   * @param {HTMLElement} root
   * @param {MaskEditor} editor
   */
  constructor(root, editor) {
    this.root = root;
    this.editor = editor;
    /** @type {Row[]} */
    this.rows = [];
    /** @type {{ image: HTMLElement, row: HTMLElement }[]} */
    this.references = [];
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Layers");
    this.hint = element("div", { className: "hint", hidden: true });
    this.hint.setAttribute("role", "status");
    editor.stage.append(this.hint);
  }

  /**
   * @param {Layer[]} layers
   * @param {ReferenceData[]} references
   */
  build(layers, references) {
    const list = element("div", { className: "list" });
    list.setAttribute("role", "radiogroup");
    list.setAttribute("aria-label", "Finding to paint");
    this.rows = layers.map((layer, index) => this.rowOf(layer, index));
    list.append(...this.rows.map((row) => row.root));
    this.root.replaceChildren(list);
    this.showReferences(references);
  }

  /**
   * @param {Layer} layer
   * @param {number} index
   * @returns {Row}
   */
  rowOf(layer, index) {
    const root = element("div", { className: "layer" });
    root.style.setProperty("--colour", layer.colour);
    const pick = this.button("pick", () => this.editor.selectLayer(index));
    pick.setAttribute("role", "radio");
    pick.append(
      element("kbd", { textContent: layer.key }),
      element("i", { className: "swatch" }),
      element("span", { textContent: layer.name }),
      element("i", { className: "dot" }),
    );
    const eye = this.button("eye", () => this.editor.toggleHidden(index));
    const lock = this.button("lock", () => this.editor.toggleLocked(index));
    const tools = element("div", { className: "tools" });
    tools.append(eye, lock);
    root.append(pick, tools);
    return { layer, root, pick, eye, lock };
  }

  /**
   * A button; a click leaves the keys to the stage, as those of the other buttons do.
   * @param {string} className
   * @param {() => void} act
   */
  button(className, act) {
    const button = element("button", { type: "button", className });
    button.addEventListener("click", (event) => {
      act();
      if (event.detail > 0) this.editor.stage.focus({ preventScroll: true });
    });
    return button;
  }

  update() {
    for (const { layer, root, pick, eye, lock } of this.rows) {
      const isActive = layer === this.editor.activeLayer;
      const state = layer.isChanged ? "not submitted" : layer.isEmpty ? "" : "submitted";
      root.classList.toggle("active", isActive);
      root.classList.toggle("hidden", layer.isHidden);
      root.classList.toggle("set", layer.isHidden || layer.isLocked);
      root.dataset.holds = layer.isEmpty && !layer.isChanged ? "" : state;
      pick.setAttribute("aria-checked", String(isActive));
      const { title, key } = layer;
      name(pick, state ? `${title}, ${state}` : title, state ? `${title} (${key}): ${state}` : `${title} (${key})`);
      press(eye, layer.isHidden, layer.isHidden ? "eyeShut" : "eye", `Hide ${layer.title}`);
      press(lock, layer.isLocked, layer.isLocked ? "lock" : "lockOpen", `Lock ${layer.title}`);
    }
    const active = this.editor.activeLayer;
    const isBarred = Boolean(active?.isLocked || active?.isHidden);
    this.hint.hidden = !isBarred || this.editor.isAsking;
    if (active && isBarred) {
      this.hint.textContent = active.isLocked
        ? `${active.title} is locked. Open its lock to paint.`
        : `${active.title} is hidden. Show it to paint.`;
    }
    this.editor.stage.classList.toggle("barred", isBarred);
  }

  /**
   * Masks to look at, such as another annotator's: images in the plane, under what is painted.
   * @param {ReferenceData[]} references
   */
  showReferences(references) {
    for (const { image, row } of this.references) {
      image.remove();
      row.remove();
    }
    this.references = references.map(({ title, url, colour }) => {
      const image = element("img", { className: "reference", src: url, alt: title, draggable: false });
      this.editor.canvas.canvas.before(image);
      const row = element("div", { className: "layer set read-only" });
      row.style.setProperty("--colour", colour);
      const eye = this.button("eye", () => {
        image.hidden = !image.hidden;
        press(eye, image.hidden, image.hidden ? "eyeShut" : "eye", `Hide ${title}`);
      });
      press(eye, false, "eye", `Hide ${title}`);
      const label = element("div", { className: "pick", title });
      label.append(element("i", { className: "swatch" }), element("span", { textContent: title }));
      const tools = element("div", { className: "tools" });
      tools.append(eye);
      row.append(label, tools);
      this.root.append(row);
      return { image, row };
    });
  }
}

/**
 * @param {HTMLElement} button
 * @param {string} label For a screen reader.
 * @param {string} title
 */
function name(button, label, title) {
  button.setAttribute("aria-label", label);
  button.title = title;
}

/**
 * @param {HTMLElement} button
 * @param {boolean} isOn
 * @param {keyof typeof ICONS} icon
 * @param {string} label
 */
function press(button, isOn, icon, label) {
  if (button.dataset.icon !== icon) {
    button.dataset.icon = icon;
    button.innerHTML = `<svg viewBox="0 0 24 24">${ICONS[icon]}</svg>`;
  }
  button.setAttribute("aria-pressed", String(isOn));
  name(button, label, label);
}
