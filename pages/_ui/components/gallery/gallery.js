// Cases as thumbnails: a click opens one, its box or the space bar selects it, arrows go from one to the next.

class CaseGallery {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "gallery";
    this.root.setAttribute("role", "listbox");
    this.root.setAttribute("aria-multiselectable", "true");
    this.root.setAttribute("aria-label", "Cases");
    this.root.onkeydown = (event) => this.onKey(event);
    parent.appendChild(this.root);
    this.selected = new Set();
    this.drawn = "";
  }

  update(data, tell, keep) {
    this.tell = tell;
    this.keep = keep;
    // What is drawn already stays, so that the focus and the loaded thumbnails stay too; and so does what is selected
    // here, which an answer to an earlier click does not know yet.
    const drawn = JSON.stringify(data.items);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.selected = new Set(data.selected);
      this.root.replaceChildren(...data.items.map((item, place) => this.card(item, place === 0)));
    }
    this.mark();
  }

  card(item, isFirst) {
    const card = document.createElement("div");
    card.className = "card";
    card.dataset.id = item.id;
    card.tabIndex = isFirst ? 0 : -1;
    card.setAttribute("role", "option");
    card.setAttribute("aria-label", [item.title, ...item.lines, ...item.marks.map(([word]) => word)].join(", "));
    card.onclick = () => this.tell("opened", item.id);
    card.onfocus = () => this.moveTo(card, false);
    card.append(this.picture(item), this.words(item), this.box(item.id));
    return card;
  }

  picture(item) {
    if (!item.url) {
      const none = document.createElement("div");
      none.className = "none";
      none.textContent = "no image";
      return none;
    }
    const image = document.createElement("img");
    image.src = item.url;
    image.alt = "";
    image.loading = "lazy";
    image.decoding = "async";
    return image;
  }

  words(item) {
    const words = document.createElement("div");
    words.className = "words";
    const title = document.createElement("b");
    title.textContent = item.title;
    const marks = document.createElement("div");
    marks.className = "marks";
    for (const [word, colour] of item.marks) {
      const mark = document.createElement("span");
      mark.className = `mark ${colour}`;
      mark.textContent = word;
      marks.append(mark);
    }
    const lines = item.lines.map((text) => {
      const line = document.createElement("span");
      line.textContent = text;
      return line;
    });
    words.append(title, ...lines, marks);
    return words;
  }

  box(id) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.tabIndex = -1;
    box.setAttribute("aria-label", "Select");
    box.onclick = (event) => {
      event.stopPropagation();
      this.toggle(id);
    };
    return box;
  }

  toggle(id) {
    if (!this.selected.delete(id)) this.selected.add(id);
    this.mark();
    this.keep("selected", [...this.selected]);
  }

  mark() {
    for (const card of this.root.children) {
      const isSelected = this.selected.has(Number(card.dataset.id));
      card.classList.toggle("selected", isSelected);
      card.setAttribute("aria-selected", String(isSelected));
      card.querySelector("input").checked = isSelected;
    }
  }

  onKey(event) {
    const cards = [...this.root.children];
    const here = cards.indexOf(event.target.closest(".card"));
    if (here < 0) return;
    const columns = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length;
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

  moveTo(card, withFocus) {
    for (const other of this.root.children) other.tabIndex = other === card ? 0 : -1;
    if (withFocus) card.focus();
  }

  close() {
    this.root.remove();
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  return mounted(
    parentElement,
    (parent) => new CaseGallery(parent),
    (gallery) => gallery.update(data, setTriggerValue, setStateValue),
  );
}
