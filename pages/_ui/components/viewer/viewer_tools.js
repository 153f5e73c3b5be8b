// What stands below the images: a strip of small ones, the views, what to compare with, and whether images are linked.

import { element, part, parts } from "../shared/dom.js";

/** @import { Layout } from "./frames.js" */
/** @import { Viewer } from "./viewer.js" */

export class ViewerTools {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    const { root } = viewer;
    this.viewer = viewer;
    this.strip = part(root, ".strip");
    this.bar = part(root, ".tools");
    this.zoom = part(root, ".zoom");
    this.stage = part(root, ".stage");
    this.against = part(root, ".against select", HTMLSelectElement);
    this.againstLabel = part(root, ".against");
    this.linkButton = part(root, '[data-act="link"]');
    this.stripText = "";
    for (const button of this.viewButtons) {
      button.onclick = () => viewer.look(/** @type {Layout} */ (button.dataset.view));
    }
    this.against.onchange = () => viewer.compareWith(this.against.value);
  }

  get viewButtons() {
    return parts(this.bar, "button[data-view]", HTMLElement);
  }

  /** Take in what the page gives. */
  update() {
    const { frames, views, partnerId, data } = this.viewer;
    this.fillStrip();
    this.bar.hidden = !data.has_tools;
    for (const button of this.viewButtons) button.hidden = !views.some((view) => view === button.dataset.view);
    part(this.bar, ".views").hidden = views.length < 2;
    const options = frames.map((frame) => ({ value: frame.id, textContent: frame.title }));
    options.unshift({ value: "", textContent: "without layers" });
    this.against.replaceChildren(...options.map((option) => element("option", option)));
    this.against.value = partnerId ?? "";
  }

  fillStrip() {
    const { frames } = this.viewer;
    const text = JSON.stringify(frames.map(({ id, title, thumbnail_url }) => [id, title, thumbnail_url]));
    if (text === this.stripText) return;
    this.stripText = text;
    const buttons = frames.map(({ id, title, thumbnail_url }) => {
      const button = element("button", { type: "button", onclick: () => this.viewer.go(id) });
      button.dataset.id = id;
      button.append(element("img", { src: thumbnail_url, alt: "", loading: "lazy" }), title);
      return button;
    });
    this.strip.replaceChildren(...buttons);
  }

  /** Show what is chosen. */
  show() {
    const { layout, frames, current, data } = this.viewer;
    for (const button of this.viewButtons) {
      button.setAttribute("aria-pressed", String(button.dataset.view === layout));
    }
    for (const button of parts(this.strip, "button", HTMLElement)) {
      button.setAttribute("aria-pressed", String(button.dataset.id === current.id));
    }
    this.againstLabel.hidden = layout !== "swipe" && layout !== "two";
    this.linkButton.hidden = layout === "one";
    // On several images the buttons would lie over the last one.
    if (layout === "all" && data.has_tools) this.bar.prepend(this.zoom);
    else this.stage.append(this.zoom);
    this.strip.hidden = frames.length < 2 || layout === "all" || !data.has_tools;
  }

  /** @param {boolean} isLinked */
  showLink(isLinked) {
    this.linkButton.setAttribute("aria-pressed", String(isLinked));
    this.linkButton.textContent = isLinked ? "Linked" : "Unlinked";
  }
}
