// The mask editor: paints on a mask of the image's own size and saves every stroke by itself.

const EDITORS = new WeakMap();
const PIXELS_SHOW_FROM = 4;
const LOAD_AGAIN_MS = 2500;
// What a person set stays from one image to the next.
const HABITS = { tool: "brush", diameter: null, opacity: 70 };

class MaskEditor {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.innerHTML = TEMPLATE;
    parent.appendChild(this.root);
    const find = (selector) => this.root.querySelector(selector);
    this.frame = find(".editor");
    this.stage = find(".stage");
    this.plane = find(".plane");
    this.image = find(".image");
    this.notice = find(".notice");
    this.question = find(".question");
    this.help = find(".help");
    this.note = find('[data-input="note"]');
    this.opacity = find('[data-input="opacity"]');
    this.size = find('[data-input="size"]');
    this.canvas = new MaskCanvas(find(".mask"));
    this.view = new View(4, 3);
    this.tool = HABITS.tool;
    this.diameter = 24;
    this.mask = { pixels: new Uint8Array(12), width: 4, height: 3 };
    this.documentKey = null;
    this.isLoaded = false;
    this.isSubmitting = false;
    this.strokes = new Strokes(this.stage, new Guides(find(".guides"), find(".ring")), this);
    this.keys = new Keys(this.frame, this.actions());
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.frame.maskEditor = this;
    this.listen();
  }

  // ---- what the page asks for

  update(data, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    this.stage.style.height = `clamp(320px, calc(100vh - ${data.around_px}px), 1200px)`;
    this.stage.style.maxHeight = `max(320px, ${(data.height_px / data.width_px) * 115}cqw)`;
    const key = `${data.document_id} ${data.load}`;
    if (key !== this.documentKey) this.open(key, data);
    else if (data.answer !== this.data.answer) this.answered(data);
    this.data = data;
    this.button("submit").title = `Keeps this mask as version ${data.next_version}`;
    this.resize();
  }

  async open(key, data) {
    this.leaveDocument();
    this.documentKey = key;
    this.data = data;
    this.note.value = "";
    this.isSubmitting = false;
    this.saver = Saver.of(data.document_id, data.save_url);
    this.saver.listener = () => this.showState();
    Object.assign(this.view, { imageWidth: data.width_px, imageHeight: data.height_px, isFitted: true });
    this.mask = { pixels: new Uint8Array(data.width_px * data.height_px), width: data.width_px, height: data.height_px };
    this.canvas.resize(this.mask);
    this.setDiameter(HABITS.diameter ?? Math.max(6, Math.round(Math.min(data.width_px, data.height_px) / 20)));
    this.setOpacity(HABITS.opacity);
    this.setTool(this.tool);
    this.say("Loading…");
    await Promise.all([this.loadImage(key), this.loadMask(key)]);
  }

  loadImage(key) {
    return new Promise((done) => {
      this.image.onload = () => {
        this.resize();
        done();
      };
      this.image.onerror = () => {
        if (key === this.documentKey) this.say("The image could not be loaded. Reload the page, or sign in again.");
      };
      if (this.image.getAttribute("src") === this.data.image_url && this.image.complete) done();
      else this.image.src = this.data.image_url;
    }).then(() => {
      if (key !== this.documentKey) return;
      this.plane.hidden = false;
      this.ready();
    });
  }

  async loadMask(key) {
    try {
      const loaded = await this.saver.load();
      if (key !== this.documentKey) return;
      this.history = new History(loaded.code);
      if (loaded.mine) this.history.push(loaded.mine);
      if (loaded.isConflict) this.history.undo();
      this.show(this.history.current);
      this.isLoaded = true;
      this.ready();
    } catch (problem) {
      if (key !== this.documentKey) return;
      const isFinal = problem.kind === "refused";
      if (isFinal) this.say(problem.sentence);
      else if (problem.kind === "sign-in") this.showState("sign-in");
      else this.say("The mask could not be loaded yet. Trying again…");
      if (!isFinal) this.reload = setTimeout(() => this.loadMask(key), LOAD_AGAIN_MS);
    }
  }

  ready() {
    if (!this.isLoaded || this.plane.hidden) return;
    this.say("");
    this.showState();
  }

  get isReady() {
    return this.isLoaded && !this.plane.hidden && this.question.hidden && !this.isSubmitting;
  }

  leaveDocument() {
    clearTimeout(this.reload);
    this.isLoaded = false;
    this.plane.hidden = true;
    this.question.hidden = true;
    this.help.hidden = true;
    this.strokes.dropPolygon();
    if (this.saver) this.saver.listener = () => {};
  }

  // ---- what the tools tell

  touched(rectangle) {
    if (rectangle) this.canvas.draw(this.mask, rectangle);
  }

  finished() {
    if (this.history.push(encodeRle(this.mask.pixels))) this.saver.stroke(this.history.current);
    this.showState();
  }

  cancelled() {
    this.show(this.history.current);
  }

  moved() {
    this.place();
  }

  // ---- steps

  show(code) {
    const before = this.mask.pixels;
    this.mask.pixels = decodeRle(code, this.mask.width * this.mask.height);
    this.touched(rowsThatDiffer(before, this.mask.pixels, this.mask.width));
  }

  step(direction) {
    if (!this.isReady) return;
    if (direction === "undo" && this.strokes.takeCornerBack()) return;
    const before = this.history.current;
    const code = this.history[direction]();
    if (code === before) return;
    this.show(code);
    this.saver.stroke(code);
    this.showState();
  }

  clear() {
    if (!this.isReady) return;
    this.strokes.dropPolygon();
    this.mask.pixels.fill(0);
    this.canvas.draw(this.mask, null);
    this.finished();
  }

  async loadNewer() {
    const key = this.documentKey;
    const button = this.button("loadNewer");
    button.disabled = true;
    try {
      const stored = await this.saver.fetchStored();
      if (key !== this.documentKey) return;
      this.saver.start(stored.seq);
      this.saver.forget();
      this.history.push(stored.code);
      this.show(this.history.current);
    } catch (problem) {
      this.question.querySelector("p").textContent =
        problem.sentence || "The newer state could not be loaded. Check the connection and try again.";
    } finally {
      button.disabled = false;
      this.showState();
    }
  }

  // The page makes a version of exactly what is on the screen: everything is saved first.
  async submit() {
    if (!this.isReady) return;
    this.strokes.dropPolygon();
    const key = this.documentKey;
    this.isSubmitting = true;
    this.showState();
    const isSaved = await this.saver.whenSaved();
    if (key !== this.documentKey) return;
    if (!isSaved) this.isSubmitting = false;
    else {
      this.setTriggerValue("submitted", {
        document_id: this.data.document_id,
        seq: this.saver.seq,
        note: this.note.value,
      });
    }
    this.showState();
  }

  answered(data) {
    this.isSubmitting = false;
    if (data.next_version !== this.data.next_version) this.note.value = "";
    this.showState();
  }

  // ---- settings

  setTool(tool) {
    if (tool !== this.tool) this.strokes.dropPolygon();
    this.tool = tool;
    HABITS.tool = tool;
    for (const button of this.frame.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-checked", String(button.dataset.tool === tool));
    }
    this.strokes.showGuides();
  }

  setDiameter(diameter) {
    const largest = Math.min(this.mask.width, this.mask.height) / 2;
    this.diameter = Math.round(Math.min(largest, Math.max(1, diameter)));
    this.size.value = String(Math.sqrt((this.diameter - 1) / (largest - 1)) * 100);
    this.root.querySelector('[data-output="size"]').textContent = `${this.diameter} px`;
    this.strokes.showGuides();
  }

  resizeBrush(direction) {
    const step = Math.max(1, Math.round(this.diameter * 0.15));
    this.setDiameter(this.diameter + direction * step);
    HABITS.diameter = this.diameter;
  }

  setOpacity(percent) {
    HABITS.opacity = percent;
    this.opacity.value = String(percent);
    this.canvas.canvas.style.opacity = String(percent / 100);
  }

  hide(isHidden) {
    this.canvas.canvas.style.visibility = isHidden ? "hidden" : "visible";
  }

  // ---- on the screen

  resize() {
    this.view.resize(this.stage.clientWidth, this.stage.clientHeight);
    this.place();
  }

  place() {
    const { view, plane } = this;
    plane.style.width = `${view.imageWidth}px`;
    plane.style.height = `${view.imageHeight}px`;
    plane.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    plane.classList.toggle("pixels", view.scale >= PIXELS_SHOW_FROM);
    plane.classList.toggle("enlarged", view.scale >= 1);
    this.root.querySelector(".percent").textContent = `${Math.round(view.scale * 100)} %`;
    this.strokes.showGuides();
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  button(act) {
    return this.root.querySelector(`[data-act="${act}"]`);
  }

  showState(forced) {
    const state = forced ?? (this.isLoaded ? this.saver.state : "loading");
    const kept = this.saver.strokesKept === 1 ? "1 stroke" : `${this.saver.strokesKept} strokes`;
    const words = {
      loading: "Loading…",
      saved: "Saved",
      saving: "Saving…",
      offline: `Offline: ${kept} kept here`,
      "sign-in": this.isLoaded ? `Signed out: ${kept} kept here.` : "Signed out.",
      conflict: "Changed elsewhere",
      refused: `Not saved. ${this.saver.sentence}`,
    };
    const place = this.root.querySelector(".state");
    place.dataset.state = state;
    place.querySelector("span").textContent = words[state];
    place.querySelector("a").hidden = state !== "sign-in";
    if (state === "conflict" && this.question.hidden) {
      this.question.querySelector("p").textContent = this.saver.sentence;
      this.strokes.cancelStroke();
    }
    this.question.hidden = state !== "conflict";
    this.button("undo").disabled = !this.isReady || !this.history.canUndo;
    this.button("redo").disabled = !this.isReady || !this.history.canRedo;
    this.button("clear").disabled = !this.isReady;
    this.button("submit").disabled = !this.isReady;
    this.stage.classList.toggle("waits", !this.isReady);
  }

  toggleHelp(isShown = this.help.hidden) {
    this.help.hidden = !isShown;
    this.button("help").setAttribute("aria-expanded", String(isShown));
  }

  actions() {
    const tool = (name) => () => this.setTool(name);
    const zoom = (factor) => () => {
      this.view.zoomMiddle(factor);
      this.place();
    };
    return {
      brush: tool("brush"), eraser: tool("eraser"), polygon: tool("polygon"), cut: tool("cut"),
      undo: () => this.step("undo"),
      redo: () => this.step("redo"),
      clear: () => this.clear(),
      smaller: () => this.resizeBrush(-1),
      larger: () => this.resizeBrush(1),
      zoomIn: zoom(1.25),
      zoomOut: zoom(0.8),
      fit: () => {
        this.view.fit();
        this.place();
      },
      hide: () => this.hide(true),
      show: () => this.hide(false),
      help: () => this.toggleHelp(),
      pan: () => this.pan(true),
      panEnd: () => this.pan(false),
      close: () => (this.strokes.corners.length ? this.strokes.closePolygon() : false),
      cornerBack: () => this.strokes.takeCornerBack(),
      escape: () => this.escape(),
      loadNewer: () => this.loadNewer(),
      submit: () => this.submit(),
    };
  }

  pan(isOn) {
    this.strokes.isPanKeyDown = isOn;
    this.strokes.showGuides();
  }

  escape() {
    if (this.strokes.corners.length) this.strokes.dropPolygon();
    else if (!this.help.hidden) this.toggleHelp(false);
    else return false;
    return true;
  }

  listen() {
    const actions = this.actions();
    for (const button of this.root.querySelectorAll("button")) {
      // The stage keeps the keys: a button that was clicked would otherwise take the space bar.
      button.addEventListener("click", (event) => {
        if (button.dataset.tool) this.setTool(button.dataset.tool);
        else actions[button.dataset.act]();
        if (event.detail > 0) this.stage.focus({ preventScroll: true });
      });
    }
    for (const card of this.root.querySelectorAll(".zoom, .help, .question")) {
      for (const name of ["pointerdown", "pointermove", "dblclick", "wheel"]) {
        card.addEventListener(name, (event) => event.stopPropagation());
      }
    }
    this.opacity.oninput = () => this.setOpacity(Number(this.opacity.value));
    this.size.oninput = () => {
      const largest = Math.min(this.mask.width, this.mask.height) / 2;
      this.setDiameter(1 + (Number(this.size.value) / 100) ** 2 * (largest - 1));
      HABITS.diameter = this.diameter;
    };
    this.note.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") this.submit();
    });
  }

  close() {
    this.leaveDocument();
    this.documentKey = null;
    this.keys.close();
    this.observer.disconnect();
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let editor = EDITORS.get(parentElement);
  if (!editor) {
    editor = new MaskEditor(parentElement);
    EDITORS.set(parentElement, editor);
  }
  editor.update(data, setTriggerValue);
  return () => {
    editor.close();
    EDITORS.delete(parentElement);
  };
}
