// Two masks of one layer, neither of which may be lost: both are shown on the image, and the person decides.
//
// Each choice is a step in the history, with the other side one step back: nothing is overwritten that Undo would not
// bring again.

const CHOICES = [
  { choice: "newer", title: "Take the newer one", small: "Undo brings yours again." },
  { choice: "mine", title: "Put mine on top", small: "Undo brings the newer." },
  { choice: "both", title: "Join both", small: "All that either marks." },
];

class ConflictQuestion {
  constructor(place, editor) {
    this.place = place;
    this.editor = editor;
    this.layer = null;
    this.stored = null;
    this.hasMadeRoom = false;
    place.setAttribute("aria-label", "The mask was changed elsewhere");
  }

  get isOpen() {
    return this.layer !== null;
  }

  // Ask about the first layer that needs it, or about none. Asked anew where the other side has changed meanwhile.
  update(layers) {
    const layer = layers.find((one) => one.isLoaded && one.saver.state === "conflict") ?? null;
    if (layer === this.layer && (layer === null || layer.saver.stored === this.stored)) return;
    this.layer = layer;
    this.stored = layer?.saver.stored ?? null;
    if (layer) this.ask();
    else this.close();
  }

  close() {
    Object.assign(this, { layer: null, stored: null });
    this.place.hidden = true;
    this.place.replaceChildren();
    if (this.editor.canvas.compared) this.editor.canvas.compare(null);
    if (!this.hasMadeRoom) return;
    this.hasMadeRoom = false;
    this.editor.view.fit();
    this.editor.moved();
  }

  ask() {
    const { layer, editor } = this;
    editor.strokes.cancelStroke();
    editor.strokes.drop();
    editor.selectLayer(editor.layers.indexOf(layer));
    const nPixels = layer.width * layer.height;
    const counts = editor.canvas.compare(
      decodeRle(layer.saver.newest, nPixels), decodeRle(this.stored.code, nPixels),
    );
    const legend = element("div", { className: "legend" });
    for (const [kind, text] of [["mine", "only mine"], ["other", "only the newer one"], ["both", "both"]]) {
      const line = element("span", { textContent: `${text}: ${counts[kind].toLocaleString("en")} px` });
      const swatch = element("i", {});
      swatch.style.setProperty("--colour", COMPARED[kind]);
      line.prepend(swatch);
      legend.append(line);
    }
    const choices = element("div", { className: "choices" });
    choices.append(...CHOICES.map((given) => this.button(given)));
    this.place.replaceChildren(
      element("h3", { textContent: `${layer.title}: changed elsewhere` }),
      element("p", { textContent: "Another tab or machine saved this mask while you painted. Both are shown." }),
      legend, choices,
    );
    this.place.hidden = false;
    this.makeRoom();
  }

  // Where the whole image is in view, it is shown above the question.
  makeRoom() {
    const { view, stage } = this.editor;
    if (!view.isFitted) return;
    const height = this.place.offsetTop - stage.clientTop;
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

  decide(choice) {
    const { layer, stored, editor } = this;
    const { saver, history } = layer;
    const mine = saver.newest;
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

function joined(mine, other, nPixels) {
  const pixels = decodeRle(mine, nPixels);
  const others = decodeRle(other, nPixels);
  for (let i = 0; i < nPixels; i++) pixels[i] |= others[i];
  return encodeRle(pixels);
}
