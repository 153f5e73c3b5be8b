// The findings of one image, each a layer with a mask, a history and a document of its own; and the panel that picks,
// hides and locks them.

const HIDDEN_FINDINGS = new Set();
const LOCKED_FINDINGS = new Set();
const ICONS = {
  eye: '<path d="M12 5C6.5 5 2.6 9.7 1.5 12c1.1 2.3 5 7 10.5 7s9.4-4.7 10.5-7C21.4 9.7 17.5 5 12 5zm0 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9zm0-2.3a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z"/>',
  eyeShut: '<path d="M3.3 2 2 3.3l4.2 4.2C3.7 9 2.1 11 1.5 12c1.1 2.3 5 7 10.5 7 1.7 0 3.2-.4 4.5-1.1l4.2 4.2 1.3-1.3zM12 16.5a4.5 4.5 0 0 1-4.1-6.4l2 2a2.2 2.2 0 0 0 2 2l2 2a4.5 4.5 0 0 1-1.9.4zM12 5c-1.4 0-2.7.3-3.8.8l2.1 2.1a4.5 4.5 0 0 1 5.8 5.8l3 3a15 15 0 0 0 3.4-4.7C21.4 9.7 17.5 5 12 5z"/>',
  lock: '<path d="M12 2a5 5 0 0 0-5 5v3H5.5v11h13V10H17V7a5 5 0 0 0-5-5zm-2.7 8V7a2.7 2.7 0 0 1 5.4 0v3z"/>',
  lockOpen: '<path d="M12 2a5 5 0 0 0-5 5h2.3a2.7 2.7 0 0 1 5.4 0v3H5.5v11h13V10H17V7a5 5 0 0 0-5-5z"/>',
};

class Layer {
  constructor(given, index, { width, height }) {
    const { finding, title, colour } = given;
    Object.assign(this, { finding, title, colour, width, height });
    this.name = given.name;
    this.key = String(index + 1);
    this.isOutline = given.is_outline;
    this.documentId = given.document_id;
    this.nextVersion = given.next_version;
    this.isHidden = HIDDEN_FINDINGS.has(finding);
    this.isLocked = LOCKED_FINDINGS.has(finding);
    this.nothing = codeOfNothing(width * height);
    this.saver = Saver.of(given.document_id);
    // Null until there is something in it: six masks of a large photograph would take 35 MB.
    this.mask = null;
    this.history = null;
    // The code of the newest version (of nothing, where there is none), or null where it is not known.
    this.submitted = null;
  }

  get isLoaded() {
    return this.history !== null;
  }

  get isEmpty() {
    return this.history === null || sameBytes(this.history.current, this.nothing);
  }

  get isChanged() {
    return this.isLoaded && (this.submitted === null || !sameBytes(this.submitted, this.history.current));
  }

  // The mask to paint on.
  allocate() {
    const { width, height } = this;
    this.mask ??= { pixels: new Uint8Array(width * height), width, height };
    return this.mask;
  }

  release() {
    if (this.isEmpty) this.mask = null;
  }

  // What the server holds becomes the first step, and what was not saved yet the second.
  begin({ code, mine, changed, versionNumber }) {
    this.note(code, changed, versionNumber);
    this.history = new History(code);
    if (mine) this.history.push(mine);
    return this.show();
  }

  // What the server holds now becomes one more step.
  goOn({ code, changed, versionNumber }) {
    this.note(code, changed, versionNumber);
    this.history.push(code);
    return this.show();
  }

  note(code, changed, versionNumber) {
    if (!changed) this.submitted = code;
    else this.submitted = (versionNumber ?? this.nextVersion - 1) ? null : this.nothing;
  }

  // Make the mask what the history says; returns the rectangle that changed, or null.
  show() {
    if (!this.mask && this.isEmpty) return null;
    return applyRle(this.allocate(), this.history.current);
  }
}

class LayerPanel {
  constructor(place, editor) {
    this.place = place;
    this.editor = editor;
    this.rows = [];
    this.references = [];
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", "Layers");
    this.hint = element("div", { className: "hint", hidden: true });
    this.hint.setAttribute("role", "status");
    editor.stage.append(this.hint);
  }

  build(layers, references) {
    const list = element("div", { className: "list" });
    list.setAttribute("role", "radiogroup");
    list.setAttribute("aria-label", "Finding to paint");
    this.rows = layers.map((layer, index) => this.rowOf(layer, index));
    list.append(...this.rows.map((row) => row.place));
    this.place.replaceChildren(list);
    this.showReferences(references);
  }

  rowOf(layer, index) {
    const place = element("div", { className: "layer" });
    place.style.setProperty("--colour", layer.colour);
    const pick = this.button("pick", () => this.editor.selectLayer(index));
    pick.setAttribute("role", "radio");
    pick.append(
      element("kbd", { textContent: layer.key }), element("i", { className: "swatch" }),
      element("span", { textContent: layer.name }), element("i", { className: "dot" }),
    );
    const eye = this.button("eye", () => this.editor.toggleHidden(index));
    const lock = this.button("lock", () => this.editor.toggleLocked(index));
    const tools = element("div", { className: "tools" });
    tools.append(eye, lock);
    place.append(pick, tools);
    return { layer, place, pick, eye, lock };
  }

  // A click leaves the keys to the stage, as those of the other buttons do.
  button(className, deed) {
    const button = element("button", { type: "button", className });
    button.addEventListener("click", (event) => {
      deed();
      if (event.detail > 0) this.editor.stage.focus({ preventScroll: true });
    });
    return button;
  }

  update() {
    for (const { layer, place, pick, eye, lock } of this.rows) {
      const isActive = layer === this.editor.activeLayer;
      const state = layer.isChanged ? "not submitted" : layer.isEmpty ? "" : "submitted";
      place.classList.toggle("active", isActive);
      place.classList.toggle("hidden", layer.isHidden);
      place.classList.toggle("set", layer.isHidden || layer.isLocked);
      place.dataset.holds = layer.isEmpty && !layer.isChanged ? "" : state;
      pick.setAttribute("aria-checked", String(isActive));
      name(pick, state ? `${layer.title}, ${state}` : layer.title, `${layer.title} (${layer.key})${state && `: ${state}`}`);
      press(eye, layer.isHidden, layer.isHidden ? "eyeShut" : "eye", `Hide ${layer.title}`);
      press(lock, layer.isLocked, layer.isLocked ? "lock" : "lockOpen", `Lock ${layer.title}`);
    }
    const active = this.editor.activeLayer;
    const isBarred = Boolean(active?.isLocked || active?.isHidden);
    this.hint.hidden = !isBarred || this.editor.isAsking;
    if (isBarred) {
      this.hint.textContent = active.isLocked
        ? `${active.title} is locked. Open its lock to paint.`
        : `${active.title} is hidden. Show it to paint.`;
    }
    this.editor.stage.classList.toggle("barred", isBarred);
  }

  // Masks to look at, such as another annotator's: images in the plane, under what is painted.
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
      this.place.append(row);
      return { image, row };
    });
  }
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function name(button, label, title) {
  button.setAttribute("aria-label", label);
  button.title = title;
}

function press(button, isOn, icon, label) {
  if (button.dataset.icon !== icon) {
    button.dataset.icon = icon;
    button.innerHTML = `<svg viewBox="0 0 24 24">${ICONS[icon]}</svg>`;
  }
  button.setAttribute("aria-pressed", String(isOn));
  name(button, label, label);
}
