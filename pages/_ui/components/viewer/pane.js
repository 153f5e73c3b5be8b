// One or two images in one frame: alone, or with a divider that hides one and shows the other.

const PIXELS_SHOW_FROM = 4;
const CLICK_PX = 4;
const DIVIDER_REACH_PX = 14;

// An image with its layers at its place in a pane.
class Sheet {
  constructor() {
    this.view = new View(4, 3);
    this.pinch = new Pinch(this.view);
    this.frame = null;
    this.showsLayers = true;
  }

  get isLoaded() {
    return Boolean(this.frame?.picture.isLoaded);
  }

  put(frame, showsLayers) {
    this.frame = frame;
    this.showsLayers = showsLayers;
    this.measure();
  }

  measure() {
    if (!this.isLoaded) return;
    this.view.imageWidth = this.frame.picture.width;
    this.view.imageHeight = this.frame.picture.height;
  }

  // The middle of the pane as a share of the image, and the zoom as a multiple of the fitted size.
  place() {
    const { view } = this;
    const middle = view.toImage(view.stageWidth / 2, view.stageHeight / 2);
    return { x: middle.x / view.imageWidth, y: middle.y / view.imageHeight, zoom: view.scale / view.fitScale };
  }

  show(place) {
    const { view } = this;
    view.scale = place.zoom * view.fitScale;
    view.x = view.stageWidth / 2 - place.x * view.imageWidth * view.scale;
    view.y = view.stageHeight / 2 - place.y * view.imageHeight * view.scale;
    view.isFitted = false;
  }

  // `set` gives what the person has set for a layer of a name. `dots` is how many pixels a CSS pixel has.
  draw(base, over, dots, set) {
    if (!this.isLoaded) return;
    const { view, frame } = this;
    const scale = view.scale * dots;
    for (const context of [base, over]) {
      context.setTransform(scale, 0, 0, scale, view.x * dots, view.y * dots);
      context.imageSmoothingEnabled = view.scale < PIXELS_SHOW_FROM;
    }
    frame.picture.draw(base, scale);
    if (!this.showsLayers) return;
    const { width, height } = frame.picture;
    for (const overlay of frame.overlays) {
      const one = set(overlay.layer.name);
      if (!one?.isShown || !overlay.picture.isLoaded) continue;
      over.save();
      over.scale(width / overlay.picture.width, height / overlay.picture.height);
      // A field is smooth however large it is drawn: its cells are no pixels of the image.
      if (overlay.layer.kind !== "mask") over.imageSmoothingEnabled = true;
      overlay.draw(over, (scale * width) / overlay.picture.width, one);
      over.restore();
    }
  }
}

class Pane {
  constructor(viewer) {
    this.viewer = viewer;
    this.root = document.createElement("div");
    this.root.className = "pane";
    this.root.innerHTML =
      '<canvas class="base" role="img"></canvas><canvas class="over"></canvas><div class="marks"></div><div class="twin" hidden></div>' +
      '<div class="aim" hidden></div><span class="title" hidden></span><span class="title second" hidden></span>' +
      '<div class="divider" hidden><i>⇔</i></div><div class="notice" role="status"></div>';
    const part = (name) => this.root.querySelector(name);
    [this.base, this.over] = [part(".base"), part(".over")];
    [this.marks, this.twin, this.aim, this.divider, this.notice] = [".marks", ".twin", ".aim", ".divider", ".notice"].map(part);
    this.titles = [...this.root.querySelectorAll(".title")];
    this.sheets = [new Sheet()];
    this.points = [];
    this.split = 0.5;
    this.dragFrom = null;
    this.pressedAt = null;
    this.held = null;
    this.listen();
  }

  get sheet() {
    return this.sheets[0];
  }

  get view() {
    return this.sheet.view;
  }

  get isLoaded() {
    return this.sheets.every((sheet) => sheet.isLoaded);
  }

  get isSplit() {
    return this.sheets.length > 1;
  }

  // Which images, the first on the left of the divider: [{ frame, showsLayers, title }].
  put(shown) {
    const before = this.sheets;
    this.sheets = shown.map((one, i) => {
      const sheet = before[i] ?? new Sheet();
      sheet.put(one.frame, one.showsLayers);
      return sheet;
    });
    for (const [i, title] of this.titles.entries()) {
      title.textContent = shown[i]?.title ?? "";
      title.hidden = !title.textContent;
    }
    this.base.dataset.url = shown[0].frame.url;
    this.base.setAttribute("aria-label", shown.map((one) => one.frame.alt).join("; "));
    this.divider.hidden = !this.isSplit;
    if (shown[0].frame !== this.pointsOf) {
      this.pointsOf = shown[0].frame;
      this.showPoints(shown[0].frame.points);
    }
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

  resize(width, height) {
    const dots = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) {
      const [wide, high] = [Math.max(1, Math.round(width * dots)), Math.max(1, Math.round(height * dots))];
      if (canvas.width !== wide) canvas.width = wide;
      if (canvas.height !== high) canvas.height = high;
    }
    for (const sheet of this.sheets) {
      sheet.measure();
      sheet.view.stageWidth = Math.max(1, width);
      sheet.view.stageHeight = Math.max(1, height);
    }
  }

  draw() {
    const states = this.sheets.map((sheet) => sheet.frame?.picture.state);
    this.say(
      states.includes("failed")
        ? "The image could not be loaded. Reload the page, or sign in again."
        : this.isLoaded ? "" : "Loading the image…",
    );
    this.paint(this.base, this.over);
    this.base.style.filter = this.viewer.brightness === 100 ? "" : `brightness(${this.viewer.brightness}%)`;
    this.marks.hidden = !this.sheet.isLoaded;
    for (const { mark, x_px, y_px } of this.points) this.move(mark, this.view.toScreen(x_px, y_px));
    this.divider.style.transform = `translateX(${this.split * this.view.stageWidth}px)`;
  }

  paint(base, over) {
    const dots = window.devicePixelRatio || 1;
    const contexts = [base, over].map((canvas) => canvas.getContext("2d"));
    for (const context of contexts) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, base.width, base.height);
    }
    const middle = this.isSplit ? Math.round(this.split * base.width) : base.width;
    for (const [i, sheet] of this.sheets.entries()) {
      for (const context of contexts) {
        context.save();
        context.beginPath();
        context.rect(i === 0 ? 0 : middle, 0, i === 0 ? middle : base.width - middle, base.height);
        context.clip();
      }
      sheet.draw(...contexts, dots, (name) => this.viewer.settings.get(name));
      for (const context of contexts) context.restore();
    }
  }

  // What is seen, as one picture: the image at its brightness, and the layers over it.
  picture() {
    const [base, over] = [canvasOf(this.base.width, this.base.height), canvasOf(this.base.width, this.base.height)];
    this.paint(base, over);
    const context = base.getContext("2d");
    if (this.viewer.brightness !== 100) brighten(context, this.viewer.brightness / 100);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(over, 0, 0);
    const dots = window.devicePixelRatio || 1;
    for (const point of this.points) drawMark(context, point, this.view.toScreen(point.x_px, point.y_px), dots);
    return base;
  }

  move(element, { x, y }) {
    element.style.transform = `translate(${x}px, ${y}px)`;
  }

  say(text) {
    if (this.notice.textContent !== text) this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  // The image under a place: with a divider, that on its side.
  sheetAt(place) {
    return this.isSplit && place.x > this.split * this.view.stageWidth ? this.sheets[1] : this.sheet;
  }

  splitAt(share) {
    this.split = Math.min(1, Math.max(0, share));
    this.viewer.draw();
  }

  listen() {
    const { root, viewer } = this;
    root.addEventListener("wheel", (event) => viewer.onWheel(event, this), { passive: false });
    root.addEventListener("dblclick", (event) => viewer.onDoubleClick(event, this));
    root.addEventListener("pointerdown", (event) => this.onDown(event));
    root.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, (event) => this.onUp(event));
    root.addEventListener("pointerleave", () => viewer.pointAt(null));
  }

  onDown(event) {
    const place = placeOn(this.root, event);
    this.root.setPointerCapture(event.pointerId);
    this.viewer.frame.focus({ preventScroll: true });
    const isOnDivider = this.isSplit && Math.abs(place.x - this.split * this.view.stageWidth) <= DIVIDER_REACH_PX;
    this.held = isOnDivider ? "divider" : this.sheetAt(place);
    this.viewer.choose(this, isOnDivider ? this.sheet : this.held);
    if (isOnDivider) return;
    this.held.pinch.down(event, place);
    this.dragFrom = this.held.pinch.isActive ? null : place;
    this.pressedAt = this.dragFrom;
  }

  onMove(event) {
    const place = placeOn(this.root, event);
    if (this.held === "divider") return this.splitAt(place.x / this.view.stageWidth);
    if (this.held === null) return this.viewer.pointAt(this, place);
    if (this.pressedAt && Math.hypot(place.x - this.pressedAt.x, place.y - this.pressedAt.y) > CLICK_PX) this.pressedAt = null;
    const { view, pinch } = this.held;
    if (!pinch.move(event, place) && this.dragFrom) {
      view.panBy(place.x - this.dragFrom.x, place.y - this.dragFrom.y);
      this.dragFrom = place;
    } else if (!pinch.isActive) return;
    this.viewer.moved(this.held);
  }

  onUp(event) {
    const { held } = this;
    if (held !== null && held !== "divider") held.pinch.up(event);
    this.dragFrom = null;
    if (!held?.pinch?.isActive) this.held = null;
    const isClick = this.pressedAt !== null && event.type === "pointerup";
    this.pressedAt = null;
    if (isClick) this.viewer.onClick(placeOn(this.root, event), this);
  }
}

// The same as the stylesheet's `brightness`, for what is written into a file.
function brighten(context, factor) {
  const { width, height } = context.canvas;
  const pixels = context.getImageData(0, 0, width, height);
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    for (let part = 0; part < 3; part++) data[i + part] = data[i + part] * factor;
  }
  context.putImageData(pixels, 0, 0);
}

function drawMark(context, { label, colour }, { x, y }, dots) {
  context.setTransform(dots, 0, 0, dots, x * dots, y * dots);
  context.lineWidth = 2;
  context.strokeStyle = "#fff";
  context.fillStyle = colour;
  context.beginPath();
  context.arc(0, 0, 5, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.font = "600 12px sans-serif";
  const width = context.measureText(label).width + 12;
  context.beginPath();
  context.roundRect(7, -24, width, 18, 9);
  context.fill();
  context.stroke();
  context.fillStyle = "#fff";
  context.fillText(label, 13, -11);
  context.setTransform(1, 0, 0, 1, 0, 0);
}
