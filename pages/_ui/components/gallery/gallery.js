// Cases as thumbnails: a click opens one, its box or the space bar selects it, arrows go from one to the next.

import { element, part } from "../shared/dom.js";

/**
 * A case as the page gives it; see `GalleryItem` in gallery.py.
 * @typedef {{ id: number, url: string | null, title: string, lines: string[], marks: [string, string][] }} GalleryItem
 */
/** @typedef {{ items: GalleryItem[], selected: number[] }} GalleryData */
/** @typedef {(name: string, value: unknown) => void} Tell */

export class CaseGallery {
  /** @type {Tell} Given with the first update, which follows upon the making. */
  tell;
  /** @type {Tell} Likewise. */
  keep;

  /** @param {Node} parent */
  constructor(parent) {
    this.root = element("div", { className: "gallery" });
    this.root.setAttribute("role", "listbox");
    this.root.setAttribute("aria-multiselectable", "true");
    this.root.setAttribute("aria-label", "Cases");
    this.root.onkeydown = (event) => this.onKey(event);
    parent.appendChild(this.root);
    /** @type {Set<number>} */
    this.selected = new Set();
    this.drawn = "";
  }

  /**
   * @param {GalleryData} data
   * @param {Tell} tell Once.
   * @param {Tell} keep Until it is told otherwise.
   */
  update(data, tell, keep) {
    this.tell = tell;
    this.keep = keep;
    // What is drawn already stays, so that the focus and the loaded thumbnails stay too; and so does what is selected
    // here, which an answer to an earlier click does not know yet.
    const drawn = JSON.stringify(data.items);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.selected = new Set(data.selected);
      this.root.replaceChildren(...data.items.map((item, i) => this.card(item, i === 0)));
    }
    this.mark();
  }

  /**
   * @param {GalleryItem} item
   * @param {boolean} isFirst
   */
  card(item, isFirst) {
    const card = element("div", { className: "card", tabIndex: isFirst ? 0 : -1 });
    card.dataset.id = String(item.id);
    card.setAttribute("role", "option");
    card.setAttribute("aria-label", [item.title, ...item.lines, ...item.marks.map(([word]) => word)].join(", "));
    card.onclick = () => this.tell("opened", item.id);
    card.onfocus = () => this.moveTo(card, false);
    card.append(this.thumbnail(item), this.words(item), this.box(item.id));
    return card;
  }

  /** @param {GalleryItem} item */
  thumbnail({ url }) {
    if (!url) return element("div", { className: "none", textContent: "no image" });
    return element("img", { src: url, alt: "", loading: "lazy", decoding: "async" });
  }

  /** @param {GalleryItem} item */
  words(item) {
    const words = element("div", { className: "words" });
    const marks = element("div", { className: "marks" });
    marks.append(
      ...item.marks.map(([word, colour]) => element("span", { className: `mark ${colour}`, textContent: word })),
    );
    const lines = item.lines.map((text) => element("span", { textContent: text }));
    words.append(element("b", { textContent: item.title }), ...lines, marks);
    return words;
  }

  /** @param {number} id */
  box(id) {
    const box = element("input", { type: "checkbox", tabIndex: -1 });
    box.setAttribute("aria-label", "Select");
    box.onclick = (event) => {
      event.stopPropagation();
      this.toggle(id);
    };
    return box;
  }

  get cards() {
    return /** @type {HTMLElement[]} */ ([...this.root.children]);
  }

  /** @param {number} id */
  toggle(id) {
    if (!this.selected.delete(id)) this.selected.add(id);
    this.mark();
    this.keep("selected", [...this.selected]);
  }

  mark() {
    for (const card of this.cards) {
      const isSelected = this.selected.has(Number(card.dataset.id));
      card.classList.toggle("selected", isSelected);
      card.setAttribute("aria-selected", String(isSelected));
      part(card, "input", HTMLInputElement).checked = isSelected;
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { cards } = this;
    const here = cards.findIndex((card) => card.contains(/** @type {Node} */ (event.target)));
    if (here < 0) return;
    const columns = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length;
    /** @type {Record<string, number>} */
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (event.key in steps) {
      const next = cards[here + steps[event.key]];
      if (next) this.moveTo(next, true);
    } else if (event.key === "Enter") this.tell("opened", Number(cards[here].dataset.id));
    else if (event.key === " ") this.toggle(Number(cards[here].dataset.id));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {HTMLElement} card
   * @param {boolean} withFocus
   */
  moveTo(card, withFocus) {
    for (const other of this.cards) other.tabIndex = other === card ? 0 : -1;
    if (withFocus) card.focus();
  }

  close() {
    this.root.remove();
  }
}
