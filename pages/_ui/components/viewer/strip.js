// Small images in a row; a click tells the page which.

import { element } from "../shared/dom.js";
import { mount } from "../shared/mounting.js";

/** @import { StreamlitComponent } from "../shared/mounting.js" */
/** @typedef {{ id: number, url: string, caption: string, mark: string }} StripItem See `StripItem` in strip.py. */
/** @typedef {{ items: StripItem[], current: number | null }} StripData */
/** @typedef {(name: string, value: unknown) => void} Tell */

class ImageStrip {
  /** @param {Node} parent */
  constructor(parent) {
    this.root = element("div", { className: "strip" });
    parent.appendChild(this.root);
  }

  /**
   * @param {StripData} data
   * @param {Tell} tell
   */
  update(data, tell) {
    this.root.replaceChildren(...data.items.map((item) => this.button(item, item.id === data.current, tell)));
  }

  /**
   * @param {StripItem} item
   * @param {boolean} isCurrent
   * @param {Tell} tell
   */
  button(item, isCurrent, tell) {
    const button = element("button", { type: "button", className: isCurrent ? "item current" : "item" });
    button.setAttribute("aria-pressed", String(isCurrent));
    button.setAttribute("aria-label", [item.caption, item.mark].filter(Boolean).join(", "));
    const image = element("img", { src: item.url, alt: "", loading: "lazy" });
    button.append(image, element("span", { className: "caption", textContent: item.caption }));
    if (item.mark) button.append(element("span", { className: "mark", textContent: item.mark }));
    if (!isCurrent) button.onclick = () => tell("chosen", item.id);
    return button;
  }

  close() {
    this.root.remove();
  }
}

/** @param {StreamlitComponent<StripData>} component */
export default function show({ data, parentElement, setTriggerValue }) {
  return mount(
    parentElement,
    (parent) => new ImageStrip(parent),
    (strip) => strip.update(data, setTriggerValue),
  );
}
