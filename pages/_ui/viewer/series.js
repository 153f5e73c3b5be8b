// Images of one case side by side. What one shows, the others show: the place is told as a share of the image's width and
// height, and the zoom in terms of the fitted image, so that the images may differ in size.

const SERIES_PIXELS_SHOW_FROM = 4;
const KEY_STEP_PX = 40;

class Pane {
  constructor(series, item) {
    this.series = series;
    this.id = item.id;
    this.root = document.createElement("div");
    this.root.className = "pane";
    this.root.innerHTML = '<div class="plane"><img draggable="false" alt=""></div><span class="title"></span><div class="twin" hidden></div><div class="notice"></div>';
    [this.plane, this.image] = [this.root.querySelector(".plane"), this.root.querySelector("img")];
    [this.twin, this.notice] = [this.root.querySelector(".twin"), this.root.querySelector(".notice")];
    this.view = new View(4, 3);
    this.pinch = new Pinch(this.view);
    this.dragFrom = null;
    this.isLoaded = false;
    // How this image lies against the shared place: set while unlinked, kept when linked again.
    this.shift = { x: 0, y: 0, zoom: 1 };
    this.listen();
  }

  update(item, maxHeight) {
    this.root.style.maxHeight = maxHeight;
    this.root.querySelector(".title").textContent = item.title;
    this.image.alt = item.title;
    if (this.image.getAttribute("src") === item.url) return;
    this.isLoaded = false;
    this.plane.hidden = true;
    this.notice.textContent = "Loading the image…";
    this.image.onload = () => {
      this.view.imageWidth = this.image.naturalWidth;
      this.view.imageHeight = this.image.naturalHeight;
      this.isLoaded = true;
      this.plane.hidden = false;
      this.notice.textContent = "";
      this.series.resize();
    };
    this.image.onerror = () => (this.notice.textContent = "The image could not be loaded. Reload the page, or sign in again.");
    this.image.src = item.url;
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

  draw() {
    const { view, plane } = this;
    plane.style.width = `${view.imageWidth}px`;
    plane.style.height = `${view.imageHeight}px`;
    plane.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    plane.classList.toggle("pixels", view.scale >= SERIES_PIXELS_SHOW_FROM);
  }

  listen() {
    const { root, series } = this;
    root.addEventListener("wheel", (event) => series.onWheel(event, this), { passive: false });
    root.addEventListener("dblclick", (event) => {
      const place = placeOn(root, event);
      if (!series.isFitted) return series.fit();
      this.view.zoomAt(place.x, place.y, 3);
      series.moved(this);
    });
    root.addEventListener("pointerdown", (event) => {
      const place = placeOn(root, event);
      root.setPointerCapture(event.pointerId);
      series.frame.focus({ preventScroll: true });
      series.active = this;
      this.pinch.down(event, place);
      this.dragFrom = this.pinch.isActive ? null : place;
    });
    root.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      root.addEventListener(name, (event) => {
        this.pinch.up(event);
        this.dragFrom = null;
      });
    }
    root.addEventListener("pointerleave", () => series.pointAt(null));
  }

  onMove(event) {
    const place = placeOn(this.root, event);
    if (!this.pinch.move(event, place) && this.dragFrom) {
      this.view.panBy(place.x - this.dragFrom.x, place.y - this.dragFrom.y);
      this.dragFrom = place;
    } else if (!this.pinch.isActive) return this.series.pointAt(this, place);
    this.series.moved(this);
  }
}

class Series {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.innerHTML = TEMPLATE;
    parent.appendChild(this.root);
    this.frame = this.root.querySelector(".series");
    this.frame.imageSeries = this;
    this.container = this.root.querySelector(".panes");
    this.linkButton = this.root.querySelector('[data-act="link"]');
    this.panes = [];
    this.active = null;
    this.isLinked = true;
    this.isFitted = true;
    this.place = { x: 0.5, y: 0.5, zoom: 1 };
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.container);
    this.listen();
  }

  update(data) {
    const known = new Map(this.panes.map((pane) => [pane.id, pane]));
    this.panes = data.items.map((item) => known.get(item.id) ?? new Pane(this, item));
    for (const [i, pane] of this.panes.entries()) pane.update(data.items[i], data.max_height);
    this.container.replaceChildren(...this.panes.map((pane) => pane.root));
    if (!this.panes.includes(this.active)) this.active = this.panes[0] ?? null;
    this.resize();
  }

  // The frames are as high as the tallest image needs, all alike.
  resize() {
    const ratios = this.panes.filter((pane) => pane.isLoaded).map(({ view }) => view.imageWidth / view.imageHeight);
    for (const { view, root } of this.panes) {
      root.style.aspectRatio = String(ratios.length ? Math.min(...ratios) : 4 / 3);
      view.stageWidth = Math.max(1, root.clientWidth);
      view.stageHeight = Math.max(1, root.clientHeight);
    }
    this.draw();
  }

  // What one image has done, the others do; unlinked, it is shifted against them instead.
  moved(pane) {
    const { x, y, zoom } = pane.place();
    if (this.isLinked) {
      this.place = { x: x - pane.shift.x, y: y - pane.shift.y, zoom: zoom / pane.shift.zoom };
      this.isFitted = false;
    } else pane.shift = { x: x - this.place.x, y: y - this.place.y, zoom: zoom / this.place.zoom };
    this.draw();
  }

  fit() {
    this.place = { x: 0.5, y: 0.5, zoom: 1 };
    this.isFitted = true;
    for (const pane of this.panes) pane.shift = { x: 0, y: 0, zoom: 1 };
    this.draw();
  }

  link(isLinked) {
    this.isLinked = isLinked;
    this.linkButton.setAttribute("aria-pressed", String(isLinked));
    this.linkButton.textContent = isLinked ? "Linked" : "Unlinked";
  }

  draw() {
    for (const pane of this.panes) {
      const { x, y, zoom } = this.place;
      pane.show({ x: x + pane.shift.x, y: y + pane.shift.y, zoom: zoom * pane.shift.zoom });
      pane.draw();
    }
    this.root.querySelector(".percent").textContent = `${Math.round(this.place.zoom * 100)} %`;
  }

  // A cross on the other images, where the pointer is on this one.
  pointAt(from, place) {
    for (const pane of this.panes) {
      const isShown = from !== null && pane !== from && pane.isLoaded;
      pane.twin.hidden = !isShown;
      if (!isShown) continue;
      const at = from.view.toImage(place.x, place.y);
      const x = at.x / from.view.imageWidth - from.shift.x + pane.shift.x;
      const y = at.y / from.view.imageHeight - from.shift.y + pane.shift.y;
      const there = pane.view.toScreen(x * pane.view.imageWidth, y * pane.view.imageHeight);
      pane.twin.style.transform = `translate(${there.x}px, ${there.y}px)`;
    }
  }

  // The wheel belongs to the page until an image was clicked.
  onWheel(event, pane) {
    if (!this.frame.matches(":focus-within") && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const place = placeOn(pane.root, event);
    pane.view.zoomAt(place.x, place.y, wheelFactor(event));
    this.moved(pane);
  }

  onActive(deed) {
    if (!this.active) return;
    deed(this.active.view);
    this.moved(this.active);
  }

  listen() {
    const acts = {
      in: () => this.onActive((view) => view.zoomMiddle(1.25)),
      out: () => this.onActive((view) => view.zoomMiddle(0.8)),
      fit: () => this.fit(),
      link: () => this.link(!this.isLinked),
    };
    for (const button of this.root.querySelectorAll("button[data-act]")) button.onclick = acts[button.dataset.act];
    const pan = (x, y) => () => this.onActive((view) => view.panBy(x * KEY_STEP_PX, y * KEY_STEP_PX));
    const keys = { "+": acts.in, "-": acts.out, 0: acts.fit, l: acts.link, L: acts.link };
    Object.assign(keys, { ArrowLeft: pan(1, 0), ArrowRight: pan(-1, 0), ArrowUp: pan(0, 1), ArrowDown: pan(0, -1) });
    this.frame.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    });
  }

  close() {
    this.observer.disconnect();
    this.root.remove();
  }
}

export default function ({ data, parentElement }) {
  return mounted(parentElement, (parent) => new Series(parent), (series) => series.update(data));
}
