// Images of a case with layers: views, zoom, layers and thresholds change here, without asking the server for anything
// but the pictures. What one image shows the others show: a place is told as a share of the image's width and height,
// and the zoom in terms of the fitted image, so that images may differ in size.

const KEY_STEP_PX = 40;
const BRIGHTNESS = { least: 50, most: 200, step: 10, plain: 100 };
const FITTED = { x: 0.5, y: 0.5, zoom: 1 };
const NO_SHIFT = { x: 0, y: 0, zoom: 1 };
const KEYS = [
  ["+ − 0", "zoom in, out, fit"], ["arrows", "move"], ["W", "next view"], ["Shift ← →", "move the divider"],
  ["PgUp PgDn", "image before, after"], ["1 to 9", "layer on or off"], ["[ ]", "opacity of the chosen layer"],
  [", .", "its threshold"], ["C", "its outline or colour"], ["H", "hide all layers, show them again"],
  ["L", "link, unlink"], ["E", "save view"], ["F", "full screen"], ["?", "these keys"],
];

class Viewer {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.innerHTML = TEMPLATE;
    parent.appendChild(this.root);
    const part = (name) => this.root.querySelector(name);
    [this.frame, this.container, this.strip] = [".viewer", ".panes", ".strip"].map(part);
    [this.tools, this.controls, this.asks] = [".tools", ".layers", ".asks"].map(part);
    [this.against, this.percent, this.linkButton] = [".against select", ".percent", '[data-act="link"]'].map(part);
    this.frame.imageViewer = this;
    this.frames = [];
    this.pictures = new Map();
    this.settings = new Map();
    this.panes = [];
    this.shifts = new Map();
    this.place = { ...FITTED };
    this.isLinked = true;
    this.layout = null;
    this.currentId = null;
    this.partnerId = null;
    this.given = {};
    this.brightness = BRIGHTNESS.plain;
    this.chosen = null;
    this.areHidden = false;
    this.active = null;
    this.asked = "";
    this.aimAt = null;
    this.isDue = false;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.container);
    this.listen();
  }

  get view() {
    return this.panes[0].view;
  }

  get current() {
    return this.frames.find((frame) => frame.id === this.currentId) ?? this.frames[0];
  }

  get isLoaded() {
    return this.panes.every((pane) => pane.isLoaded);
  }

  update(data, tell) {
    this.tell = tell;
    this.data = data;
    const before = new Set(this.frames.map((frame) => frame.id));
    this.frames = data.frames.map((frame) => this.makeFrame(frame));
    this.dropPictures();
    if (!this.frames.some((frame) => before.has(frame.id))) {
      this.place = { ...FITTED };
      this.shifts.clear();
      this.aimAt = null;
    }
    if (data.current !== this.given.current || !this.frames.some((frame) => frame.id === this.currentId)) {
      this.currentId = data.current;
    }
    if (!this.frames.some((frame) => frame.id === this.partnerId)) this.partnerId = null;
    this.views = data.views;
    if (data.views.join() !== this.given.views?.join() || !this.views.includes(this.layout)) this.layout = this.views[0];
    this.given = { current: data.current, views: data.views };
    this.listLayers();
    this.fillStrip();
    this.fillTools();
    this.arrange();
    this.ask(data.asks_for ?? "");
    this.preload();
  }

  makeFrame(frame) {
    const overlays = frame.layers.map((layer) => new Overlay(layer, this.pictureOf(layer.url)));
    return { ...frame, picture: this.pictureOf(frame.url), overlays };
  }

  // What could not be loaded is tried again with the next update: the server may be back.
  pictureOf(url) {
    if (this.pictures.get(url)?.state === "failed") this.pictures.delete(url);
    if (!this.pictures.has(url)) this.pictures.set(url, new Picture(url, () => this.loaded()));
    return this.pictures.get(url);
  }

  dropPictures() {
    const wanted = new Set(this.frames.flatMap((frame) => [frame.url, ...frame.layers.map((layer) => layer.url)]));
    for (const [url, picture] of this.pictures) {
      if (wanted.has(url)) continue;
      picture.close();
      this.pictures.delete(url);
    }
  }

  loaded() {
    this.markRows();
    this.resize();
  }

  // What is seen comes first; then the rest, one after the other, so that a change never waits for the server.
  async preload() {
    const shown = this.panes.flatMap((pane) => pane.sheets);
    const now = shown.flatMap((sheet) => [sheet.frame.picture, ...sheet.frame.overlays.filter((one) => this.isShown(one)).map((one) => one.picture)]);
    await Promise.all(now.map((picture) => picture.load()));
    const rest = this.frames.flatMap((frame) => [frame.picture, ...frame.overlays.map((one) => one.picture)]);
    for (const picture of rest) {
      if (this.pictures.get(picture.url) === picture) await picture.load();
    }
  }

  isShown(overlay) {
    return Boolean(this.settings.get(overlay.layer.name)?.isShown);
  }

  // Which images stand in which panes.
  arrange() {
    const { current } = this;
    const partner = this.frames.find((frame) => frame.id === this.partnerId);
    const isTitled = this.frames.length > 1 || this.layout === "swipe" || this.layout === "two";
    const one = { frame: current, showsLayers: true, title: isTitled ? current.title : "" };
    const other = { frame: partner ?? current, showsLayers: Boolean(partner), title: partner?.title ?? "Without layers" };
    const shown = {
      one: () => [[one]],
      swipe: () => [[one, other]],
      two: () => [[one], [other]],
      all: () => this.frames.map((frame) => [{ frame, showsLayers: true, title: frame.title }]),
    }[this.layout]();
    while (this.panes.length < shown.length) this.panes.push(new Pane(this));
    this.panes.length = shown.length;
    for (const [i, pane] of this.panes.entries()) pane.put(shown[i]);
    this.container.replaceChildren(...this.panes.map((pane) => pane.root));
    this.container.className = `panes ${this.layout}`;
    if (!this.panes.includes(this.active?.pane)) this.active = { pane: this.panes[0], sheet: this.panes[0].sheet };
    for (const button of this.tools.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === this.layout));
    }
    for (const button of this.strip.children) button.setAttribute("aria-pressed", String(button.dataset.id === current.id));
    this.root.querySelector(".against").hidden = !["swipe", "two"].includes(this.layout);
    this.linkButton.hidden = this.layout === "one";
    // On several images the buttons would lie over the last one.
    const zoom = this.root.querySelector(".zoom");
    if (this.layout === "all" && this.data.has_tools) this.tools.prepend(zoom);
    else this.root.querySelector(".stage").append(zoom);
    this.strip.hidden = this.frames.length < 2 || this.layout === "all" || !this.data.has_tools;
    this.markRows();
    this.resize();
  }

  // All images side by side have frames as high as the tallest one needs, all alike.
  resize() {
    const isGrid = this.layout === "all";
    const ratios = this.panes.filter((pane) => pane.isLoaded).map(({ sheet }) => sheet.frame.picture.width / sheet.frame.picture.height);
    for (const pane of this.panes) {
      const { style } = pane.root;
      style.aspectRatio = isGrid ? String(ratios.length ? Math.min(...ratios) : 4 / 3) : "";
      style.maxHeight = isGrid ? this.stageHeight() : "";
      style.height = isGrid ? "" : this.stageHeight();
    }
    for (const pane of this.panes) pane.resize(pane.root.clientWidth, pane.root.clientHeight);
    this.lay();
  }

  stageHeight() {
    return this.isFull ? "calc(100vh - 190px)" : this.data.height;
  }

  get isFull() {
    return this.root.getRootNode().fullscreenElement === this.frame;
  }

  lay() {
    for (const pane of this.panes) {
      for (const sheet of pane.sheets) {
        const shift = this.shiftOf(sheet);
        sheet.show({ x: this.place.x + shift.x, y: this.place.y + shift.y, zoom: this.place.zoom * shift.zoom });
      }
    }
    this.draw();
  }

  shiftOf(sheet) {
    return this.shifts.get(sheet.frame.id) ?? NO_SHIFT;
  }

  // What one image has done, the others do; unlinked, it is shifted against them instead.
  moved(sheet) {
    const { x, y, zoom } = sheet.place();
    const isAlone = this.layout === "one";
    if (this.isLinked || isAlone) {
      const shift = this.shiftOf(sheet);
      this.place = { x: x - shift.x, y: y - shift.y, zoom: zoom / shift.zoom };
    } else this.shifts.set(sheet.frame.id, { x: x - this.place.x, y: y - this.place.y, zoom: zoom / this.place.zoom });
    this.lay();
  }

  get isFitted() {
    return this.shifts.size === 0 && Object.entries(FITTED).every(([name, value]) => this.place[name] === value);
  }

  fit() {
    this.place = { ...FITTED };
    this.shifts.clear();
    this.lay();
  }

  // Once a frame, however often something has changed.
  draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      for (const pane of this.panes) pane.draw();
      const [first] = this.panes;
      if (!first) return;
      this.percent.textContent = `${Math.round(first.view.scale * 100)} %`;
      first.move(first.aim, first.view.toScreen(this.aimPlace().x, this.aimPlace().y));
    });
  }

  // --- layers

  // What the person set for a layer of a name stays, also when the next image comes.
  listLayers() {
    const layers = new Map();
    for (const frame of this.frames) for (const layer of frame.layers) if (!layers.has(layer.name)) layers.set(layer.name, layer);
    for (const name of this.settings.keys()) if (!layers.has(name)) this.settings.delete(name);
    for (const [name, layer] of layers) {
      const known = this.settings.get(name);
      if (known) known.layer = layer;
      else this.settings.set(name, { layer, isShown: layer.visible, opacity: layer.opacity, threshold: layer.threshold ?? 0, isOutline: layer.is_outline });
    }
    for (const one of this.settings.values()) one.row ??= this.makeRow(one);
    const ordered = [...layers.keys()].map((name) => this.settings.get(name));
    this.settings = new Map(ordered.map((one) => [one.layer.name, one]));
    this.controls.replaceChildren(...ordered.map((one) => one.row));
    this.controls.hidden = ordered.length === 0;
    if (!this.settings.has(this.chosen)) this.chosen = ordered[0]?.layer.name ?? null;
    for (const one of ordered) this.showRow(one);
  }

  makeRow(one) {
    const { name, kind } = one.layer;
    const row = document.createElement("div");
    row.className = "layer";
    row.innerHTML =
      '<label><input type="checkbox"><i class="swatch"></i><span class="name"></span></label>' +
      '<input class="opacity" type="range" min="0" max="100" step="1"><button type="button" class="outline" title="Outline (C)">◯</button>' +
      '<label class="from"><span></span><input class="threshold" type="range" min="0" max="99" step="1"></label>';
    const part = (selector) => row.querySelector(selector);
    row.classList.toggle("map", kind === "map");
    part(".name").textContent = name;
    part(".opacity").setAttribute("aria-label", `Opacity of ${name}`);
    part(".outline").setAttribute("aria-label", `Outline of ${name}`);
    part(".threshold").setAttribute("aria-label", `Threshold of ${name}`);
    part(".outline").hidden = kind === "map";
    part(".from").hidden = kind !== "field";
    part(".swatch").hidden = kind === "map";
    part("input").onchange = (event) => this.set(one, { isShown: event.target.checked });
    part(".opacity").oninput = (event) => this.set(one, { opacity: Number(event.target.value) / 100, isShown: true });
    part(".threshold").oninput = (event) => this.set(one, { threshold: Number(event.target.value) / 100, isShown: true });
    part(".outline").onclick = () => this.set(one, { isOutline: !one.isOutline, isShown: true });
    return row;
  }

  set(one, changes) {
    Object.assign(one, changes);
    this.chosen = one.layer.name;
    this.areHidden = false;
    for (const other of this.settings.values()) this.showRow(other);
    if (one.isShown) this.loadLayer(one.layer.name);
    this.draw();
  }

  loadLayer(name) {
    for (const { sheets } of this.panes) {
      for (const { frame } of sheets) {
        for (const overlay of frame.overlays) if (overlay.layer.name === name) overlay.picture.load();
      }
    }
  }

  showRow({ row, layer, isShown, opacity, threshold, isOutline }) {
    const part = (selector) => row.querySelector(selector);
    part("input").checked = isShown;
    part(".opacity").value = String(Math.round(opacity * 100));
    part(".opacity").title = `${Math.round(opacity * 100)} %`;
    part(".threshold").value = String(Math.round(threshold * 100));
    part(".from span").textContent = `shown from ${Math.round(threshold * 100)} %`;
    part(".outline").setAttribute("aria-pressed", String(isOutline));
    row.classList.toggle("chosen", this.data.has_tools && layer.name === this.chosen);
    const place = [...this.settings.keys()].indexOf(layer.name) + 1;
    part(".name").title = this.data.has_tools && place <= 9 ? `${layer.name} (${place})` : layer.name;
  }

  // What came of the layers' pictures: their colours, and which could not be loaded.
  markRows() {
    const shown = this.panes.flatMap((pane) => pane.sheets.flatMap((sheet) => sheet.frame.overlays));
    for (const { row, layer } of this.settings.values()) {
      const ones = shown.filter((one) => one.layer.name === layer.name);
      row.classList.toggle("failed", ones.some((one) => one.picture.state === "failed"));
      const colour = ones.map((one) => one.colour).find(Boolean);
      if (colour) row.style.setProperty("--layer", colour);
    }
  }

  onChosen(deed) {
    const one = this.settings.get(this.chosen);
    if (one) deed(one);
  }

  hideLayers() {
    this.areHidden = !this.areHidden;
    for (const one of this.settings.values()) {
      if (this.areHidden) [one.wasShown, one.isShown] = [one.isShown, false];
      else one.isShown = one.wasShown ?? one.isShown;
      this.showRow(one);
    }
    this.draw();
  }

  // --- views

  fillStrip() {
    const text = JSON.stringify(this.frames.map(({ id, title, thumbnail_url }) => [id, title, thumbnail_url]));
    if (text === this.stripText) return;
    this.stripText = text;
    const buttons = this.frames.map((frame) => {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.dataset.id = frame.id;
      button.append(Object.assign(document.createElement("img"), { src: frame.thumbnail_url, alt: "", loading: "lazy" }), frame.title);
      button.onclick = () => this.go(frame.id);
      return button;
    });
    this.strip.replaceChildren(...buttons);
  }

  fillTools() {
    this.tools.hidden = !this.data.has_tools;
    for (const button of this.tools.querySelectorAll("[data-view]")) button.hidden = !this.views.includes(button.dataset.view);
    this.tools.querySelector(".views").hidden = this.views.length < 2;
    const options = [["", "without layers"], ...this.frames.map((frame) => [frame.id, frame.title])];
    this.against.replaceChildren(...options.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text })));
    this.against.value = this.partnerId ?? "";
  }

  go(id) {
    this.currentId = id;
    this.aimAt = null;
    this.arrange();
    this.preload();
  }

  turn(steps) {
    const place = this.frames.indexOf(this.current) + steps;
    if (place >= 0 && place < this.frames.length) this.go(this.frames[place].id);
  }

  look(layout) {
    this.layout = layout;
    this.arrange();
    this.preload();
  }

  compareWith(id) {
    this.partnerId = id || null;
    this.arrange();
    this.preload();
  }

  link(isLinked) {
    this.isLinked = isLinked;
    this.linkButton.setAttribute("aria-pressed", String(isLinked));
    this.linkButton.textContent = isLinked ? "Linked" : "Unlinked";
  }

  choose(pane, sheet) {
    this.active = { pane, sheet };
  }

  onActive(deed) {
    if (!this.active) return;
    deed(this.active.sheet.view);
    this.moved(this.active.sheet);
  }

  // The image alone: layers keep their colours. What the person set stays when the next image comes.
  brighten(percent) {
    this.brightness = Math.min(BRIGHTNESS.most, Math.max(BRIGHTNESS.least, percent));
    this.root.querySelector(".brightness").textContent = `${this.brightness} %`;
    this.draw();
  }

  async fillScreen() {
    if (this.isFull) await document.exitFullscreen();
    else await this.frame.requestFullscreen();
  }

  // Every pane as it stands, beside each other as on the screen.
  picture() {
    const dots = window.devicePixelRatio || 1;
    const box = this.container.getBoundingClientRect();
    const whole = canvasOf(Math.round(box.width * dots), Math.round(box.height * dots));
    const context = whole.getContext("2d");
    for (const pane of this.panes) {
      const { left, top } = pane.root.getBoundingClientRect();
      context.drawImage(pane.picture(), Math.round((left - box.left) * dots), Math.round((top - box.top) * dots));
    }
    return whole;
  }

  async save() {
    const file = await new Promise((resolve) => this.picture().toBlob(resolve, "image/png"));
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: this.data.file_name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  // A cross on the other images, where the pointer is on this one.
  pointAt(from, place) {
    for (const pane of this.panes) {
      const isShown = from !== null && pane !== from && pane.isLoaded;
      pane.twin.hidden = !isShown;
      if (!isShown) continue;
      const at = from.view.toImage(place.x, place.y);
      const [here, there] = [this.shiftOf(from.sheet), this.shiftOf(pane.sheet)];
      const x = at.x / from.view.imageWidth - here.x + there.x;
      const y = at.y / from.view.imageHeight - here.y + there.y;
      pane.move(pane.twin, pane.view.toScreen(x * pane.view.imageWidth, y * pane.view.imageHeight));
    }
  }

  // --- a point that the page asks for: by a click, or with the arrow keys and Enter

  ask(text) {
    const isNew = text !== this.asked;
    this.asked = text;
    this.asks.textContent = text && `${text} · click, or arrow keys and Enter; Esc leaves it`;
    this.asks.hidden = !text;
    for (const pane of this.panes) {
      pane.aim.hidden = !text || pane !== this.panes[0];
      pane.root.classList.toggle("places", Boolean(text));
    }
    if (!isNew) return;
    this.aimAt = null;
    if (text) this.frame.focus({ preventScroll: true });
  }

  put({ x, y }) {
    const { imageWidth, imageHeight } = this.view;
    if (x < 0 || y < 0 || x > imageWidth || y > imageHeight) return;
    this.ask("");
    this.tell("placed", { x, y });
  }

  leave() {
    this.ask("");
    this.tell("left", true);
  }

  aimPlace() {
    const { imageWidth, imageHeight } = this.view;
    return this.aimAt ?? { x: imageWidth / 2, y: imageHeight / 2 };
  }

  moveAim(dx, dy) {
    const { view } = this;
    const { x, y } = this.aimPlace();
    const { scale, imageWidth, imageHeight, stageWidth, stageHeight } = view;
    this.aimAt = {
      x: Math.min(imageWidth, Math.max(0, x + dx / scale)),
      y: Math.min(imageHeight, Math.max(0, y + dy / scale)),
    };
    const there = view.toScreen(this.aimAt.x, this.aimAt.y);
    view.panBy(
      Math.min(0, stageWidth - 20 - there.x) + Math.max(0, 20 - there.x),
      Math.min(0, stageHeight - 20 - there.y) + Math.max(0, 20 - there.y),
    );
    this.moved(this.panes[0].sheet);
  }

  // --- what the person does

  listen() {
    this.acts = {
      in: () => this.onActive((view) => view.zoomMiddle(1.25)),
      out: () => this.onActive((view) => view.zoomMiddle(0.8)),
      fit: () => this.fit(),
      darker: () => this.brighten(this.brightness - BRIGHTNESS.step),
      brighter: () => this.brighten(this.brightness + BRIGHTNESS.step),
      plain: () => this.brighten(BRIGHTNESS.plain),
      link: () => this.link(!this.isLinked),
      export: () => this.save(),
      full: () => this.fillScreen(),
      keys: () => this.showKeys(),
    };
    for (const button of this.frame.querySelectorAll("button[data-act]")) button.onclick = this.acts[button.dataset.act];
    for (const button of this.frame.querySelectorAll("button[data-view]")) button.onclick = () => this.look(button.dataset.view);
    this.against.onchange = () => this.compareWith(this.against.value);
    this.frame.addEventListener("keydown", (event) => this.onKey(event));
    this.frame.addEventListener("fullscreenchange", () => this.resize());
    this.root.querySelector(".keys").innerHTML = KEYS.map(([key, what]) => `<span><kbd>${key}</kbd> ${what}</span>`).join("");
  }

  showKeys() {
    const keys = this.root.querySelector(".keys");
    keys.hidden = !keys.hidden;
    this.root.querySelector('[data-act="keys"]').setAttribute("aria-expanded", String(!keys.hidden));
  }

  // The wheel belongs to the page until an image was clicked.
  onWheel(event, pane) {
    if (!this.frame.matches(":focus-within") && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const place = placeOn(pane.root, event);
    const sheet = pane.sheetAt(place);
    sheet.view.zoomAt(place.x, place.y, wheelFactor(event));
    this.moved(sheet);
  }

  onDoubleClick(event, pane) {
    if (this.asked) return;
    if (!this.isFitted) return this.fit();
    const place = placeOn(pane.root, event);
    const sheet = pane.sheetAt(place);
    sheet.view.zoomAt(place.x, place.y, Math.max(2.5, 2 / sheet.view.scale));
    this.moved(sheet);
  }

  onClick(place, pane) {
    if (this.asked && pane === this.panes[0]) this.put(pane.view.toImage(place.x, place.y));
  }

  onKey(event) {
    const isField = event.target.type === "range" || event.target.tagName === "SELECT";
    const deed = this.deedOf(event);
    if (!deed || event.ctrlKey || event.metaKey || event.altKey || isField) return;
    event.preventDefault();
    event.stopPropagation();
    deed();
  }

  deedOf(event) {
    const { key, shiftKey } = event;
    const pan = (x, y) => () => this.onActive((view) => view.panBy(x * KEY_STEP_PX, y * KEY_STEP_PX));
    const keys = { "+": this.acts.in, "=": this.acts.in, "-": this.acts.out, 0: this.acts.fit };
    Object.assign(keys, { ArrowLeft: pan(1, 0), ArrowRight: pan(-1, 0), ArrowUp: pan(0, 1), ArrowDown: pan(0, -1) });
    if (this.data.has_tools) Object.assign(keys, this.toolKeys(shiftKey));
    if (this.asked) Object.assign(keys, this.askKeys(event));
    return keys[key.length === 1 ? key.toLowerCase() : key];
  }

  toolKeys(isShift) {
    const keys = { e: this.acts.export, f: this.acts.full, "?": this.acts.keys };
    if (this.views.length > 1) keys.w = () => this.look(this.views[(this.views.indexOf(this.layout) + 1) % this.views.length]);
    if (this.layout !== "one") keys.l = this.acts.link;
    if (this.frames.length > 1) Object.assign(keys, { PageUp: () => this.turn(-1), PageDown: () => this.turn(1) });
    if (this.layout === "swipe" && isShift) {
      const [pane] = this.panes;
      Object.assign(keys, { ArrowLeft: () => pane.splitAt(pane.split - 0.05), ArrowRight: () => pane.splitAt(pane.split + 0.05) });
    }
    const names = [...this.settings.keys()];
    for (const [i, name] of names.slice(0, 9).entries()) {
      keys[i + 1] = () => this.set(this.settings.get(name), { isShown: !this.settings.get(name).isShown });
    }
    if (names.length === 0) return keys;
    const near = (value) => Math.round(Math.min(1, Math.max(0, value)) * 100) / 100;
    const opacity = (step) => () => this.onChosen((one) => this.set(one, { opacity: near(one.opacity + step), isShown: true }));
    const threshold = (step) => () => this.onChosen((one) => this.set(one, { threshold: Math.min(0.99, near(one.threshold + step)) }));
    return Object.assign(keys, {
      "[": opacity(-0.1), "]": opacity(0.1), ",": threshold(-0.05), ".": threshold(0.05),
      c: () => this.onChosen((one) => this.set(one, { isOutline: !one.isOutline, isShown: true })),
      h: () => this.hideLayers(),
    });
  }

  askKeys(event) {
    const far = event.shiftKey ? 1 : 8;
    const keys = {
      ArrowLeft: () => this.moveAim(-far, 0),
      ArrowRight: () => this.moveAim(far, 0),
      ArrowUp: () => this.moveAim(0, -far),
      ArrowDown: () => this.moveAim(0, far),
      Escape: () => this.leave(),
    };
    // Enter on a button over the image presses that button.
    if (event.target === this.frame) keys.Enter = () => this.put(this.aimPlace());
    return keys;
  }

  close() {
    this.observer.disconnect();
    for (const picture of this.pictures.values()) picture.close();
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mounted(parentElement, (parent) => new Viewer(parent), (viewer) => viewer.update(data, setTriggerValue));
}
