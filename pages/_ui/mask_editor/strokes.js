// From pointer events to strokes: which tool, one finger or two, pen or its eraser end, and the view's own gestures.

const CLOSE_WITHIN_PX = 11;
const CORNER_EVERY_PX = 3;
const LASSO_LONGER_THAN_PX = 24;
const PEN_ERASER = 32;
const TOOLS = { brush: 1, eraser: 0, polygon: 1, cut: 0 };

class Strokes {
  // `editor` gives: mask, view, tool, diameter, isReady, and takes: touched(rect), finished(), cancelled(), moved().
  constructor(stage, guides, editor) {
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
    else if (this.editor.isReady) this.begin(event, place);
    this.showGuides();
  }

  begin(event, place) {
    const isEraserEnd = event.pointerType === "pen" && (event.button === 5 || (event.buttons & PEN_ERASER) !== 0);
    const isRight = event.button === 2;
    if (this.isPolygon && !isEraserEnd && !isRight) {
      this.beginCorner(event, place);
      return;
    }
    if (this.stroke) return;
    const value = isEraserEnd || isRight ? 0 : TOOLS[this.editor.tool];
    const at = this.editor.view.toImage(place.x, place.y);
    this.stroke = { id: event.pointerId, value, at };
    this.paintTo(at);
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
    this.cursor = event.pointerType === "touch" ? null : place;
    if (this.panFrom) {
      this.editor.view.panBy(place.x - this.panFrom.x, place.y - this.panFrom.y);
      this.panFrom = place;
      this.editor.moved();
    } else if (this.stroke?.id === event.pointerId) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [event]) {
        const at = placeOn(this.stage, step);
        this.paintTo(this.editor.view.toImage(at.x, at.y));
      }
    } else if (this.lasso?.id === event.pointerId) this.dragCorner(place);
    this.showGuides();
  }

  up(event) {
    this.pinch.up(event);
    this.panFrom = null;
    if (this.stroke?.id === event.pointerId) {
      this.stroke = null;
      this.editor.finished();
    }
    if (this.lasso?.id === event.pointerId) {
      const isWholeOutline = this.lasso.isFirst && this.lasso.length > LASSO_LONGER_THAN_PX;
      this.lasso = null;
      if (isWholeOutline) this.closePolygon();
    }
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

  wheel(event) {
    event.preventDefault();
    const place = placeOn(this.stage, event);
    if (event.altKey) this.editor.resizeBrush(event.deltaY < 0 ? 1 : -1);
    else {
      this.editor.view.zoomAt(place.x, place.y, wheelFactor(event));
      this.editor.moved();
    }
    this.showGuides();
  }

  // A click sets a corner; a drag draws the outline by hand, and one that is the whole outline closes by itself.
  beginCorner(event, place) {
    if (this.corners.length >= 3 && this.isAtFirst(place)) {
      this.closePolygon();
      return;
    }
    this.lasso = { id: event.pointerId, isFirst: this.corners.length === 0, length: 0, last: place };
    this.corners.push(this.editor.view.toImage(place.x, place.y));
  }

  dragCorner(place) {
    const step = Math.hypot(place.x - this.lasso.last.x, place.y - this.lasso.last.y);
    if (step < CORNER_EVERY_PX) return;
    this.lasso.length += step;
    this.lasso.last = place;
    this.corners.push(this.editor.view.toImage(place.x, place.y));
  }

  isAtFirst(place) {
    const first = this.editor.view.toScreen(this.corners[0].x, this.corners[0].y);
    return Math.hypot(place.x - first.x, place.y - first.y) <= CLOSE_WITHIN_PX;
  }

  doubleClick(event) {
    event.preventDefault();
    if (this.isPolygon && this.corners.length >= 3) this.closePolygon();
  }

  closePolygon() {
    const corners = this.corners;
    this.dropPolygon();
    if (corners.length < 3 || !this.isPolygon) return;
    this.editor.touched(fillPolygon(this.editor.mask, corners, TOOLS[this.editor.tool]));
    this.editor.finished();
  }

  dropPolygon() {
    this.corners = [];
    this.lasso = null;
    this.showGuides();
  }

  // Takes back the last corner; returns whether there was one.
  takeCornerBack() {
    const had = this.corners.pop() !== undefined;
    this.lasso = null;
    this.showGuides();
    return had;
  }

  // A second finger means that the first one did not want to paint.
  cancelStroke() {
    this.panFrom = null;
    if (this.lasso) this.dropPolygon();
    if (this.stroke) {
      this.stroke = null;
      this.editor.cancelled();
    }
    this.cursor = null;
    this.showGuides();
  }

  showGuides() {
    const { view, diameter, tool } = this.editor;
    const isBrush = !this.isPolygon && !this.isPanKeyDown;
    this.guides.showBrush(isBrush ? this.cursor : null, diameter * view.scale, tool === "eraser");
    this.guides.showPolygon(this.corners, view, this.lasso ? null : this.cursor);
    this.stage.classList.toggle("pans", this.isPanKeyDown || this.panFrom !== null);
    this.stage.classList.toggle("draws", this.isPolygon);
  }
}
