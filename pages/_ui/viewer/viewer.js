// An image with overlays: opacity, zoom and pan happen here, without asking the server for anything but the images.
// Points on the image are drawn over it at one size whatever the zoom; the page can ask for one to be placed.

const PIXELS_SHOW_FROM = 4;
const CLICK_PX = 4;
const BRIGHTNESS = { least: 50, most: 200, step: 10, plain: 100 };

class ImageViewer {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.innerHTML = TEMPLATE;
    parent.appendChild(this.root);
    this.frame = this.root.querySelector(".viewer");
    this.stage = this.root.querySelector(".stage");
    this.plane = this.root.querySelector(".plane");
    this.image = this.root.querySelector(".image");
    this.notice = this.root.querySelector(".notice");
    this.controls = this.root.querySelector(".layers");
    this.percent = this.root.querySelector(".percent");
    this.marks = this.root.querySelector(".marks");
    this.aim = this.root.querySelector(".aim");
    this.asks = this.root.querySelector(".asks");
    this.view = new View(4, 3);
    this.pinch = new Pinch(this.view);
    this.layers = new Map();
    this.dragFrom = null;
    this.pressedAt = null;
    this.brightness = BRIGHTNESS.plain;
    this.points = [];
    this.asked = "";
    this.aimAt = null;
    this.frame.imageViewer = this;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.listen();
  }

  update(data, tell) {
    this.tell = tell;
    this.stage.style.height = data.height;
    if (this.image.getAttribute("src") !== data.image_url) this.load(data.image_url, data.alt);
    const wanted = new Set(data.layers.map((layer) => layer.name));
    for (const [name, layer] of this.layers) {
      if (!wanted.has(name)) {
        layer.image.remove();
        layer.row.remove();
        this.layers.delete(name);
      }
    }
    for (const layer of data.layers) this.layer(layer);
    this.controls.hidden = data.layers.length === 0;
    this.showPoints(data.points ?? []);
    this.ask(data.asks_for ?? "");
    this.resize();
  }

  showPoints(points) {
    this.points = points.map((point) => {
      const mark = document.createElement("div");
      mark.className = "mark";
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", point.title);
      mark.style.setProperty("--mark", point.colour);
      mark.append(Object.assign(document.createElement("span"), { textContent: point.label }));
      return { ...point, mark };
    });
    this.marks.replaceChildren(...this.points.map((point) => point.mark));
  }

  // The page asks for a point: by a click, or with the arrow keys and Enter.
  ask(text) {
    const isNew = text !== this.asked;
    this.asked = text;
    this.asks.textContent = text && `${text} · click, or arrow keys and Enter; Esc leaves it`;
    this.asks.hidden = !text;
    this.aim.hidden = !text;
    this.stage.classList.toggle("places", Boolean(text));
    if (!isNew) return;
    this.aimAt = null;
    if (text) this.frame.focus({ preventScroll: true });
  }

  place({ x, y }) {
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
    const { x, y } = this.aimPlace();
    const { scale, imageWidth, imageHeight } = this.view;
    this.aimAt = {
      x: Math.min(imageWidth, Math.max(0, x + dx / scale)),
      y: Math.min(imageHeight, Math.max(0, y + dy / scale)),
    };
    const there = this.view.toScreen(this.aimAt.x, this.aimAt.y);
    const { stageWidth, stageHeight } = this.view;
    this.view.panBy(
      Math.min(0, stageWidth - 20 - there.x) + Math.max(0, 20 - there.x),
      Math.min(0, stageHeight - 20 - there.y) + Math.max(0, 20 - there.y),
    );
  }

  load(url, alt) {
    this.plane.hidden = true;
    this.marks.hidden = true;
    this.say("Loading the image…");
    this.image.onload = () => {
      this.view.imageWidth = this.image.naturalWidth;
      this.view.imageHeight = this.image.naturalHeight;
      this.view.isFitted = true;
      this.plane.hidden = false;
      this.marks.hidden = false;
      this.aimAt = null;
      this.say("");
      this.resize();
    };
    this.image.onerror = () => this.say("The image could not be loaded. Reload the page, or sign in again.");
    this.image.alt = alt;
    this.image.src = url;
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  // What the person set for a layer of this name stays, also when the next image comes.
  layer(wanted) {
    let layer = this.layers.get(wanted.name);
    if (!layer) {
      layer = this.makeLayer(wanted);
      this.layers.set(wanted.name, layer);
    }
    this.plane.appendChild(layer.image);
    this.controls.appendChild(layer.row);
    if (layer.image.getAttribute("src") !== wanted.url) {
      layer.row.classList.remove("failed");
      layer.image.src = wanted.url;
    }
    this.showLayer(layer);
  }

  makeLayer(wanted) {
    const image = document.createElement("img");
    image.className = "overlay";
    image.alt = "";
    image.draggable = false;
    const row = document.createElement("div");
    row.className = "layer";
    row.innerHTML = '<label><input type="checkbox"><span></span></label><input type="range" min="0" max="100" step="1">';
    const [shown, opacity] = row.querySelectorAll("input");
    row.querySelector("span").textContent = wanted.name;
    shown.checked = wanted.visible;
    opacity.value = String(Math.round(wanted.opacity * 100));
    opacity.setAttribute("aria-label", `Opacity of ${wanted.name}`);
    const layer = { image, row, shown, opacity };
    shown.onchange = () => this.showLayer(layer);
    opacity.oninput = () => {
      shown.checked = true;
      this.showLayer(layer);
    };
    image.onerror = () => row.classList.add("failed");
    return layer;
  }

  showLayer(layer) {
    layer.image.style.opacity = String(Number(layer.opacity.value) / 100);
    layer.image.style.visibility = layer.shown.checked ? "visible" : "hidden";
    layer.opacity.title = `${layer.opacity.value} %`;
  }

  resize() {
    this.view.resize(this.stage.clientWidth, this.stage.clientHeight);
    this.draw();
  }

  draw() {
    const { view, plane } = this;
    plane.style.width = `${view.imageWidth}px`;
    plane.style.height = `${view.imageHeight}px`;
    plane.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    plane.classList.toggle("pixels", view.scale >= PIXELS_SHOW_FROM);
    this.percent.textContent = `${Math.round(view.scale * 100)} %`;
    for (const { mark, x_px, y_px } of this.points) this.move(mark, { x: x_px, y: y_px });
    this.move(this.aim, this.aimPlace());
  }

  // The image alone: overlays keep their colours. What the person set stays when the next image comes.
  brighten(percent) {
    this.brightness = Math.min(BRIGHTNESS.most, Math.max(BRIGHTNESS.least, percent));
    this.image.style.filter = this.brightness === BRIGHTNESS.plain ? "" : `brightness(${this.brightness}%)`;
    this.frame.querySelector(".brightness").textContent = `${this.brightness} %`;
  }

  move(element, { x, y }) {
    const there = this.view.toScreen(x, y);
    element.style.transform = `translate(${there.x}px, ${there.y}px)`;
  }

  listen() {
    const { stage, frame } = this;
    stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.onDown(event));
    stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.onUp(event));
    stage.addEventListener("dblclick", (event) => {
      if (this.asked) return;
      const place = placeOn(stage, event);
      if (this.view.isFitted) this.view.zoomAt(place.x, place.y, 2 / Math.min(1, this.view.scale));
      else this.view.fit();
      this.draw();
    });
    frame.addEventListener("keydown", (event) => this.onKey(event));
    // The stage would capture the pointer, and the buttons over it would never be clicked.
    for (const name of ["pointerdown", "dblclick"]) {
      frame.querySelector(".zoom").addEventListener(name, (event) => event.stopPropagation());
    }
    const act = {
      in: () => this.view.zoomMiddle(1.25),
      out: () => this.view.zoomMiddle(0.8),
      fit: () => this.view.fit(),
      darker: () => this.brighten(this.brightness - BRIGHTNESS.step),
      brighter: () => this.brighten(this.brightness + BRIGHTNESS.step),
      plain: () => this.brighten(BRIGHTNESS.plain),
    };
    for (const button of frame.querySelectorAll("button[data-act]")) {
      button.onclick = () => {
        act[button.dataset.act]();
        this.draw();
      };
    }
  }

  // The wheel belongs to the page until the viewer was clicked.
  onWheel(event) {
    const hasFocus = this.frame.matches(":focus-within");
    if (!hasFocus && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const place = placeOn(this.stage, event);
    this.view.zoomAt(place.x, place.y, wheelFactor(event));
    this.draw();
  }

  onDown(event) {
    const place = placeOn(this.stage, event);
    this.stage.setPointerCapture(event.pointerId);
    this.frame.focus({ preventScroll: true });
    this.pinch.down(event, place);
    this.dragFrom = this.pinch.isActive ? null : place;
    this.pressedAt = this.dragFrom;
  }

  onMove(event) {
    const place = placeOn(this.stage, event);
    if (this.pressedAt && Math.hypot(place.x - this.pressedAt.x, place.y - this.pressedAt.y) > CLICK_PX) this.pressedAt = null;
    if (!this.pinch.move(event, place) && this.dragFrom) {
      this.view.panBy(place.x - this.dragFrom.x, place.y - this.dragFrom.y);
      this.dragFrom = place;
    } else if (!this.pinch.isActive) return;
    this.draw();
  }

  onUp(event) {
    this.pinch.up(event);
    this.dragFrom = null;
    const isClick = this.pressedAt !== null && event.type === "pointerup";
    this.pressedAt = null;
    if (!isClick || !this.asked) return;
    const { x, y } = placeOn(this.stage, event);
    this.place(this.view.toImage(x, y));
  }

  onKey(event) {
    const step = 40;
    const keys = {
      "+": () => this.view.zoomMiddle(1.25),
      "-": () => this.view.zoomMiddle(0.8),
      0: () => this.view.fit(),
      ArrowLeft: () => this.view.panBy(step, 0),
      ArrowRight: () => this.view.panBy(-step, 0),
      ArrowUp: () => this.view.panBy(0, step),
      ArrowDown: () => this.view.panBy(0, -step),
    };
    if (this.asked) {
      const far = event.shiftKey ? 1 : 8;
      Object.assign(keys, {
        ArrowLeft: () => this.moveAim(-far, 0),
        ArrowRight: () => this.moveAim(far, 0),
        ArrowUp: () => this.moveAim(0, -far),
        ArrowDown: () => this.moveAim(0, far),
        Escape: () => this.leave(),
      });
      // Enter on a button over the image presses that button.
      if (event.target === this.frame) keys.Enter = () => this.place(this.aimPlace());
    }
    const isSlider = event.target.type === "range";
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey || isSlider) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
    this.draw();
  }

  close() {
    this.observer.disconnect();
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mounted(parentElement, (parent) => new ImageViewer(parent), (viewer) => viewer.update(data, setTriggerValue));
}
