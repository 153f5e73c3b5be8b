// Small images in a row; a click tells the page which.

class ImageStrip {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "strip";
    parent.appendChild(this.root);
  }

  update(data, tell) {
    this.root.replaceChildren(...data.items.map((item) => this.button(item, item.id === data.current, tell)));
  }

  button(item, isCurrent, tell) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = isCurrent ? "item current" : "item";
    button.setAttribute("aria-pressed", String(isCurrent));
    button.setAttribute("aria-label", [item.caption, item.mark].filter(Boolean).join(", "));
    const image = document.createElement("img");
    image.src = item.url;
    image.alt = "";
    image.loading = "lazy";
    const caption = document.createElement("span");
    caption.className = "caption";
    caption.textContent = item.caption;
    button.append(image, caption);
    if (item.mark) {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = item.mark;
      button.append(mark);
    }
    if (!isCurrent) button.onclick = () => tell("chosen", item.id);
    return button;
  }

  close() {
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mounted(parentElement, (parent) => new ImageStrip(parent), (strip) => strip.update(data, setTriggerValue));
}
