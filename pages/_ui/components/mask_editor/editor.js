// The mask editor: paints each finding on a layer of the image's own size, and saves every stroke by itself.

const PIXELS_SHOW_FROM = 4;
const LAYERS_BESIDE_PX = 184;
const LOAD_AGAIN_MS = 2500;
const SUBMIT_WITHIN_MS = 30000;
// What a person set stays from one image to the next.
const HABITS = { tool: "brush", diameter: null };

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
    this.note = find('[data-input="note"]');
    this.size = find('[data-input="size"]');
    this.canvas = new MaskCanvas(find(".mask"));
    this.view = new View(4, 3);
    this.tool = HABITS.tool;
    this.diameter = 24;
    this.layers = [];
    this.activeLayer = null;
    this.documentKey = null;
    this.isSubmitting = false;
    this.toldActive = new Set();
    this.strokes = new Strokes(this.stage, new Guides(find(".guides"), find(".ring")), this);
    this.panel = new LayerPanel(find(".layers"), this);
    this.conflict = new ConflictQuestion(find(".question"), this);
    this.clock = new PaintingClock(this.frame);
    this.actions = actionsOf(this);
    this.keys = new Keys(this.frame, this.actions);
    this.connectionDialog = new ConnectionDialog();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.whenSaversTell = () => this.stateSoon();
    LISTENERS.add(this.whenSaversTell);
    this.frame.maskEditor = this;
    this.listen();
  }

  // ---- what the page asks for

  update(data, tell) {
    this.tell = tell;
    this.stage.style.height = `clamp(320px, calc(100vh - ${data.around_px}px - var(--layers-row)), 1200px)`;
    this.stage.style.maxHeight = `max(320px, ${(data.height_px / data.width_px) * 115}cqw)`;
    const key = data.layers.map((layer) => layer.document_id).join(" ");
    const before = this.data;
    this.data = data;
    if (key !== this.documentKey) this.open(key);
    else {
      if (data.load !== before.load) this.loadAgain(key);
      if (data.answer !== before.answer) this.answered();
      if (JSON.stringify(data.references) !== JSON.stringify(before.references)) this.panel.showReferences(data.references);
      this.followActive(before);
    }
    this.root.querySelector('[data-act="submit"]').textContent = data.submit_text;
    this.resize();
    this.showState();
  }

  async open(key) {
    this.leaveDocument();
    const { data } = this;
    const { width_px: width, height_px: height } = data;
    this.documentKey = key;
    this.note.value = "";
    Object.assign(this.view, { imageWidth: width, imageHeight: height, isFitted: true });
    this.layers = data.layers.map((given, index) => new Layer(given, index, { width, height }));
    for (const layer of this.layers) layer.saver.layer = this.inheritanceOf(layer);
    this.canvas.open(width, height, this.layers);
    this.panel.build(this.layers, data.references);
    this.activeLayer = this.layerOf(data.active) ?? this.layers[0];
    this.canvas.active = this.activeLayer;
    this.setDiameter(HABITS.diameter ?? Math.max(6, Math.round(Math.min(width, height) / 20)));
    this.setTool(this.tool);
    showLook(this);
    this.say("Loading…");
    this.showState();
    this.loadImage(key);
    await sweep(/-p(\d+)-/.exec(key)[1]);
    if (key !== this.documentKey) return;
    const [first, ...others] = [this.activeLayer, ...this.layers.filter((layer) => layer !== this.activeLayer)];
    await this.load(first, key);
    for (const layer of others) this.load(layer, key);
  }

  // The mask that closed tabs have left of a layer's document comes in as a step of its own.
  inheritanceOf(layer) {
    return {
      mayTake: () => layer.isLoaded && this.layers.includes(layer) && !this.strokes.stroke && !this.isSubmitting,
      taken: (stored, mine) => {
        layer.history.push(stored);
        layer.history.push(mine);
        this.touched(layer.show());
        this.showState();
      },
    };
  }

  async loadImage(key) {
    const { image, data } = this;
    if (image.getAttribute("src") !== data.image_url) image.src = data.image_url;
    try {
      await image.decode();
    } catch (error) {
      if (key === this.documentKey) this.say("The image could not be loaded. Reload the page, or sign in again.");
      return;
    }
    if (key !== this.documentKey) return;
    this.plane.hidden = false;
    this.resize();
    this.showState();
  }

  async load(layer, key) {
    await this.untilLoaded(layer, key, async () => {
      const loaded = await layer.saver.load();
      if (key === this.documentKey) this.touched(layer.begin(loaded));
    });
  }

  // The server has changed masks of this image: each comes in as one more step, and Undo goes back to what was here.
  async loadAgain(key) {
    for (const layer of this.layers) {
      await this.untilLoaded(layer, key, async () => {
        if (!(await layer.saver.whenSaved())) return;
        const stored = await layer.saver.fetchStored();
        if (key !== this.documentKey || layer.saver.isDirty || stored.seq === layer.saver.seq) return;
        layer.saver.start(stored.seq);
        this.touched(layer.goOn(stored));
      });
    }
  }

  async untilLoaded(layer, key, deed) {
    layer.isWaiting = true;
    while (key === this.documentKey) {
      try {
        await deed();
        break;
      } catch (problem) {
        if (!problem.kind) throw problem;
        if (key !== this.documentKey) return;
        this.loadProblem = problem;
        this.showState();
        if (problem.kind === "refused") {
          if (layer === this.activeLayer) this.say(problem.sentence);
          return;
        }
        await new Promise((done) => setTimeout(done, LOAD_AGAIN_MS));
      }
    }
    layer.isWaiting = false;
    this.loadProblem = null;
    if (key === this.documentKey) this.showState();
  }

  get isAsking() {
    return this.conflict.isOpen;
  }

  // Whether all is there that a tool needs, except that the layer may be hidden or locked.
  get isOpen() {
    const layer = this.activeLayer;
    return Boolean(layer?.isLoaded && !layer.isWaiting && !this.plane.hidden && !this.isAsking && !this.isSubmitting);
  }

  get isReady() {
    return this.isOpen && !this.activeLayer.isLocked && !this.activeLayer.isHidden;
  }

  get mask() {
    return this.activeLayer?.allocate() ?? { pixels: new Uint8Array(12), width: 4, height: 3 };
  }

  get history() {
    return this.activeLayer?.history ?? null;
  }

  layerOf(finding) {
    return this.layers.find((layer) => layer.finding === finding) ?? null;
  }

  leaveDocument() {
    this.strokes.cancelStroke();
    this.strokes.drop();
    this.conflict.close();
    for (const layer of this.layers) layer.saver.layer = null;
    this.layers = [];
    this.activeLayer = null;
    this.loadProblem = null;
    this.plane.hidden = true;
    this.isSubmitting = false;
    this.toldActive.clear();
    this.clock.reset();
    toggleHelp(this, false);
  }

  // ---- what the tools tell

  touched(rectangle) {
    if (rectangle) this.canvas.touched(rectangle);
  }

  finished() {
    const { activeLayer: layer } = this;
    if (layer.history.push(encodeRle(layer.allocate().pixels))) this.save(layer, 1);
    this.showState();
  }

  cancelled() {
    if (this.activeLayer?.isLoaded) this.touched(this.activeLayer.show());
  }

  moved() {
    this.place();
  }

  save(layer, strokes) {
    layer.saver.step(layer.history.current, { strokes, activeMs: this.clock.take() });
  }

  // ---- steps

  undo() {
    this.step("undo");
  }

  redo() {
    this.step("redo");
  }

  step(direction) {
    if (!this.isReady) return;
    if (direction === "undo" && this.strokes.takeCornerBack()) return;
    const { activeLayer: layer } = this;
    const before = layer.history.current;
    if (layer.history[direction]() === before) return;
    this.touched(layer.show());
    this.save(layer, 0);
    this.showState();
  }

  clear() {
    if (!this.isReady) return;
    this.strokes.drop();
    const { activeLayer: layer } = this;
    if (layer.history.push(layer.nothing)) {
      this.touched(layer.show());
      this.save(layer, 1);
    }
    this.showState();
  }

  // The page makes versions of exactly what is on the screen: everything is saved first.
  async submit() {
    if (!this.isReady || !this.layers.every((layer) => layer.isLoaded)) return;
    this.strokes.drop();
    const key = this.documentKey;
    const changed = this.layers.filter((layer) => layer.isChanged);
    const handed = changed.length ? changed : [this.activeLayer];
    this.isSubmitting = true;
    this.showState();
    const areSaved = await Promise.all(this.layers.map((layer) => layer.saver.whenSaved()));
    if (key !== this.documentKey) return;
    if (areSaved.every(Boolean)) {
      this.handed = new Map(handed.map((layer) => [layer, layer.history.current]));
      const documents = handed.map((layer) => ({ document_id: layer.documentId, seq: layer.saver.seq }));
      this.tell.trigger("submitted", { documents, note: this.note.value });
      this.answerTimer = setTimeout(() => this.release(), SUBMIT_WITHIN_MS);
    } else this.isSubmitting = false;
    this.showState();
  }

  answered() {
    const given = new Map(this.data.layers.map((layer) => [layer.document_id, layer.next_version]));
    for (const layer of this.layers) {
      const nextVersion = given.get(layer.documentId);
      if (nextVersion === layer.nextVersion) continue;
      layer.nextVersion = nextVersion;
      if (this.handed?.has(layer)) layer.submitted = this.handed.get(layer);
      this.note.value = "";
      // The note is done with: the next key, such as N, is not meant for it any more.
      if (this.note.matches(":focus")) this.stage.focus({ preventScroll: true });
    }
    this.handed = null;
    this.release();
  }

  release() {
    clearTimeout(this.answerTimer);
    this.isSubmitting = false;
    this.showState();
  }

  // ---- layers

  selectLayer(index) {
    const layer = this.layers[index];
    if (!layer || layer === this.activeLayer) return;
    this.strokes.cancelStroke();
    this.strokes.drop();
    this.activeLayer.release();
    this.activeLayer = layer;
    this.canvas.active = layer;
    this.canvas.redraw();
    this.showState();
    if (this.data.tells_active) {
      this.toldActive.add(layer.finding);
      this.tell.state("active", layer.finding);
    }
  }

  // The page may choose the layer too; but not what it only repeats of an earlier choice here.
  followActive(before) {
    const { active } = this.data;
    if (active === before.active) return;
    if (this.toldActive.has(active)) {
      if (active === this.activeLayer.finding) this.toldActive.clear();
    } else this.selectLayer(this.layers.indexOf(this.layerOf(active)));
  }

  toggleHidden(index) {
    this.toggle(index, "isHidden", HIDDEN_FINDINGS);
    this.canvas.redraw();
  }

  toggleLocked(index) {
    this.toggle(index, "isLocked", LOCKED_FINDINGS);
  }

  toggle(index, property, findings) {
    const layer = this.layers[index];
    if (!layer) return;
    if (layer === this.activeLayer) {
      this.strokes.cancelStroke();
      this.strokes.drop();
    }
    layer[property] = !layer[property];
    if (layer[property]) findings.add(layer.finding);
    else findings.delete(layer.finding);
    this.showState();
  }

  // ---- settings

  setTool(tool) {
    if (tool !== this.tool) this.strokes.drop();
    this.tool = tool;
    HABITS.tool = tool;
    for (const button of this.frame.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-checked", String(button.dataset.tool === tool));
    }
    this.strokes.showGuides();
  }

  get largestDiameter() {
    return Math.max(2, Math.min(this.view.imageWidth, this.view.imageHeight) / 2);
  }

  setDiameter(diameter) {
    const largest = this.largestDiameter;
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

  // ---- on the screen

  resize() {
    // The layers stand beside the image where that makes it no smaller, and above it otherwise.
    const { data, frame } = this;
    if (data) {
      const height = Math.min(1200, Math.max(320, innerHeight - data.around_px));
      const isWide = frame.clientWidth - LAYERS_BESIDE_PX >= (height * data.width_px) / data.height_px;
      frame.classList.toggle("beside", isWide);
    }
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
    this.canvas.scaleTo(view.scale);
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

  // Savers tell of many small changes; once a task is enough.
  stateSoon() {
    if (this.isStateDue) return;
    this.isStateDue = true;
    queueMicrotask(() => {
      this.isStateDue = false;
      this.showState();
    });
  }

  showState() {
    if (!this.activeLayer) return;
    this.conflict.update(this.layers);
    this.panel.update();
    showSaving(this);
    const { history } = this;
    if (this.activeLayer.isLoaded && !this.plane.hidden) this.say("");
    this.button("undo").disabled = !this.isReady || !history.canUndo;
    this.button("redo").disabled = !this.isReady || !history.canRedo;
    this.button("clear").disabled = !this.isReady;
    const submit = this.button("submit");
    submit.disabled = !this.isReady || !this.layers.every((layer) => layer.isLoaded);
    submit.title = this.layers.filter((layer) => layer.isChanged).map((layer) => layer.title).join(", ");
    this.stage.classList.toggle("waits", !this.isOpen && !this.isAsking);
    this.strokes.showGuides();
  }

  listen() {
    listenToButtons(this, this.actions);
    listenToLook(this);
    for (const card of this.root.querySelectorAll(".zoom, .help, .question")) {
      for (const name of ["pointerdown", "pointermove", "dblclick", "wheel"]) {
        card.addEventListener(name, (event) => event.stopPropagation());
      }
    }
    this.size.oninput = () => {
      this.setDiameter(1 + (Number(this.size.value) / 100) ** 2 * (this.largestDiameter - 1));
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
    LISTENERS.delete(this.whenSaversTell);
    this.keys.close();
    this.connectionDialog.close();
    this.clock.close();
    this.observer.disconnect();
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const tell = { trigger: setTriggerValue, state: setStateValue };
  return mounted(parentElement, (parent) => new MaskEditor(parent), (editor) => editor.update(data, tell));
}
