// From pointer events to strokes: which tool, one finger or two, pen or its eraser end, and the view's own gestures.

const CLOSE_WITHIN_PX = 11;
const CORNER_EVERY_PX = 3;
const LASSO_LONGER_THAN_PX = 24;
const PEN_ERASER = 32;
const TOOLS = { brush: 1, eraser: 0, outline: 1, polygon: 1, cut: 0, wand: 1, ruler: 1 };

class Strokes {
  // `editor` gives: root, frame, plane, image, view, layers, activeLayer, mask, history, tool, diameter, isReady; and
  // takes: touched(rectangle), finished(), cancelled(), moved().
  constructor(stage, guides, editor) {
    const find = (selector) => editor.root.querySelector(selector);
    this.stage = stage;
    this.guides = guides;
    this.editor = editor;
    this.pinch = new Pinch(editor.view);
    this.stroke = null;
    this.panFrom = null;
    this.cursor = null;
    this.corners = [];
    this.lasso = null;
    this.isPanKeyDown = false;
    // Whether steps are under way that will change the mask; no other stroke may, meanwhile.
    this.isBusy = false;
    const bubble = find(".bubble");
    this.wand = new Wand({ preview: find(".preview"), bubble, tolerance: find('[data-input="tolerance"]') }, editor);
    this.ruler = new Ruler({ lines: editor.root.querySelectorAll(".aids .line"), card: find(".measures") }, editor);
    const handles = [...editor.root.querySelectorAll(".handle")];
    this.warp = new Warp({ path: find(".aids .warp"), handles, bar: find(".warp-bar") }, editor);
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.up(event));
    stage.addEventListener("pointercancel", (event) => this.up(event));
    stage.addEventListener("pointerleave", () => this.leave());
    stage.addEventListener("dblclick", (event) => this.doubleClick(event));
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  get isPolygon() {
    return this.editor.tool === "polygon" || this.editor.tool === "cut";
  }

  down(event) {
    const place = placeOn(this.stage, event);
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.pinch.down(event, place);
    if (this.pinch.isActive) {
      this.cancelStroke();
      return;
    }
    this.cursor = place;
    if (event.button === 1 || (event.button === 0 && this.isPanKeyDown)) this.panFrom = place;
    else if (!this.isBusy) this.begin(event, place);
    this.showGuides();
  }

  begin(event, place) {
    const { tool, isReady, view } = this.editor;
    if (this.warp.isOn) {
      if (!this.warp.begin(event, place)) this.panFrom = place;
      return;
    }
    if (tool === "ruler" && event.button === 0) this.ruler.begin(event, place);
    if (tool === "ruler" || !isReady || this.stroke || this.wand.press) return;
    const isEraserEnd = event.pointerType === "pen" && (event.button === 5 || (event.buttons & PEN_ERASER) !== 0);
    const isRight = event.button === 2;
    const value = isEraserEnd || isRight || event.altKey ? 0 : TOOLS[tool];
    if (this.isPolygon && !isEraserEnd && !isRight) this.beginCorner(event, place);
    else if (tool === "outline" && !isEraserEnd) this.beginOutline(event, place, value);
    else if (tool === "wand" && !isEraserEnd) this.wand.begin(event, place, value);
    else {
      const at = view.toImage(place.x, place.y);
      this.stroke = { id: event.pointerId, value, at };
      this.paintTo(at);
    }
  }

  paintTo(at) {
    const { mask, diameter } = this.editor;
    const touched = paintStroke(mask, this.stroke.at, at, diameter, this.stroke.value);
    this.stroke.at = at;
    this.editor.touched(touched);
  }

  move(event) {
    const place = placeOn(this.stage, event);
    if (this.pinch.move(event, place)) {
      this.cursor = null;
      this.editor.moved();
      return;
    }
    const id = event.pointerId;
    this.cursor = event.pointerType === "touch" ? null : place;
    if (this.panFrom) {
      this.editor.view.panBy(place.x - this.panFrom.x, place.y - this.panFrom.y);
      this.panFrom = place;
      this.editor.moved();
    } else if (this.stroke?.id === id) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [event]) {
        const at = placeOn(this.stage, step);
        this.paintTo(this.editor.view.toImage(at.x, at.y));
      }
    } else if (this.lasso?.id === id) this.dragCorner(place);
    else if (this.warp.grip?.id === id) this.warp.move(place);
    else if (this.wand.isHeldBy(id)) this.wand.move(place);
    else if (this.ruler.id === id) this.ruler.move(place);
    this.showGuides();
  }

  up(event) {
    const id = event.pointerId;
    this.pinch.up(event);
    this.panFrom = null;
    if (this.stroke?.id === id) {
      this.stroke = null;
      this.editor.finished();
    }
    if (this.lasso?.id === id) this.endLasso();
    if (this.warp.grip?.id === id) this.warp.grip = null;
    if (this.wand.isHeldBy(id)) this.wand.end((steps) => this.reshape(steps));
    if (this.ruler.id === id) this.ruler.id = null;
    this.showGuides();
  }

  // While the key is held, dragging moves the image.
  pan(isOn) {
    this.isPanKeyDown = isOn;
    this.showGuides();
  }

  leave() {
    if (this.stroke || this.panFrom) return;
    this.cursor = null;
    this.showGuides();
  }

  // With Shift the browser may turn the wheel sideways.
  wheel(event) {
    event.preventDefault();
    const place = placeOn(this.stage, event);
    if (event.altKey || event.shiftKey) this.resize((event.deltaY || event.deltaX) < 0 ? 1 : -1);
    else {
      this.editor.view.zoomAt(place.x, place.y, wheelFactor(event));
      this.editor.moved();
    }
    this.showGuides();
  }

  // A larger (1) or smaller (-1) brush, or tolerance of the wand.
  resize(direction) {
    if (this.editor.tool === "wand") this.wand.step(direction);
    else this.editor.resizeBrush(direction);
  }

  // ---- outlines

  // A click sets a corner; a drag draws the outline by hand, and one that is the whole outline closes by itself.
  beginCorner(event, place) {
    if (this.corners.length >= 3 && this.isAtFirst(place)) {
      this.closePolygon();
      return;
    }
    const isWhole = this.corners.length === 0;
    this.lasso = { id: event.pointerId, isWhole, value: TOOLS[this.editor.tool], length: 0, last: place };
    this.corners.push(this.editor.view.toImage(place.x, place.y));
  }

  // An outline by hand closes wherever it ends.
  beginOutline(event, place, value) {
    this.lasso = { id: event.pointerId, isWhole: true, isByHand: true, value, length: 0, last: place };
    this.corners = [this.editor.view.toImage(place.x, place.y)];
  }

  dragCorner(place) {
    const step = Math.hypot(place.x - this.lasso.last.x, place.y - this.lasso.last.y);
    if (step < CORNER_EVERY_PX) return;
    this.lasso.length += step;
    this.lasso.last = place;
    this.corners.push(this.editor.view.toImage(place.x, place.y));
  }

  endLasso() {
    const { isWhole, isByHand, length, value } = this.lasso;
    this.lasso = null;
    if (isWhole && length > LASSO_LONGER_THAN_PX) this.closePolygon(value);
    else if (isByHand) this.drop();
  }

  isAtFirst(place) {
    const first = this.editor.view.toScreen(this.corners[0].x, this.corners[0].y);
    return Math.hypot(place.x - first.x, place.y - first.y) <= CLOSE_WITHIN_PX;
  }

  doubleClick(event) {
    event.preventDefault();
    if (this.isPolygon && this.corners.length >= 3) this.closePolygon();
  }

  closePolygon(value = TOOLS[this.editor.tool]) {
    const { corners } = this;
    this.drop();
    if (corners.length < 3 || !this.editor.isReady || this.isBusy) return;
    this.editor.touched(fillPolygon(this.editor.mask, corners, value));
    this.editor.finished();
  }

  // Takes back the last corner; returns whether there was one.
  takeCornerBack() {
    const had = this.corners.pop() !== undefined;
    this.lasso = null;
    this.showGuides();
    return had;
  }

  // ---- one undo step by a function of the mask

  // `stepsOf` makes steps of a mask, as those in region.js, whose patch then is put into it.
  async reshape(stepsOf) {
    const { editor } = this;
    if (!editor.isReady || this.isBusy) return;
    const { mask } = editor;
    const code = editor.history.current;
    const isStill = () => editor.mask === mask && editor.isReady && editor.history.current === code;
    this.isBusy = true;
    try {
      const patch = await inSlices(stepsOf(mask), isStill);
      await breath();
      if (!patch || !isStill()) return;
      applyPatch(mask, patch);
      editor.touched(patch);
      editor.finished();
    } finally {
      this.isBusy = false;
      this.showGuides();
    }
  }

  startWarp() {
    this.drop();
    if (!this.editor.isReady || this.isBusy) return;
    this.warp.start();
    this.showGuides();
  }

  applyWarp() {
    const stepsOf = this.warp.taken();
    this.showGuides();
    return stepsOf && this.reshape(stepsOf);
  }

  // ---- dropping, and what is shown

  // Drops what is in the making, whichever tool makes it; returns whether there was something.
  drop() {
    const had = this.corners.length > 0 || this.warp.isOn || this.wand.press !== null || this.ruler.line !== null;
    this.corners = [];
    this.lasso = null;
    this.warp.drop();
    this.wand.drop();
    this.ruler.drop();
    this.showGuides();
    return had;
  }

  // A second finger means that the first one did not want to paint. A warp goes on: it may need a closer look.
  cancelStroke() {
    this.panFrom = null;
    this.warp.grip = null;
    if (this.lasso) {
      this.corners = [];
      this.lasso = null;
    }
    this.wand.drop();
    this.ruler.id = null;
    if (this.stroke) {
      this.stroke = null;
      this.editor.cancelled();
    }
    this.cursor = null;
    this.showGuides();
  }

  showGuides() {
    const { view, diameter, tool, frame } = this.editor;
    const isPanning = this.isPanKeyDown || this.panFrom !== null;
    const isBrush = (tool === "brush" || tool === "eraser") && !isPanning && !this.warp.isOn;
    frame.dataset.tool = tool;
    this.guides.showBrush(isBrush ? this.cursor : null, diameter * view.scale, (this.stroke?.value ?? TOOLS[tool]) === 0);
    this.guides.showPolygon(this.corners, view, this.lasso ? null : this.cursor);
    this.wand.follow();
    this.ruler.show();
    this.warp.show();
    this.stage.classList.toggle("pans", isPanning);
    this.stage.classList.toggle("draws", !isBrush);
    this.stage.classList.toggle("underway", this.corners.length > 0);
    this.stage.classList.toggle("cuts", (this.lasso?.value ?? TOOLS[tool]) === 0);
    showStart(this.editor);
  }
}
