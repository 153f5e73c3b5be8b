// Small images in a row; a click tells the page which.

const STRIPS = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let root = STRIPS.get(parentElement);
  if (!root) {
    root = document.createElement("div");
    root.className = "strip";
    parentElement.appendChild(root);
    STRIPS.set(parentElement, root);
  }
  root.replaceChildren(
    ...data.items.map((item) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = item.id === data.current ? "item current" : "item";
      button.setAttribute("aria-pressed", String(item.id === data.current));
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
      if (item.id !== data.current) button.onclick = () => setTriggerValue("chosen", item.id);
      return button;
    }),
  );
  return () => {
    root.remove();
    STRIPS.delete(parentElement);
  };
}
