// The masks as the person sees them: all visible layers composed on one canvas of the image's own size, which the
// browser moves and scales as a whole. Pixels at a margin are drawn stronger, so that the border shows at any opacity;
// the active layer lies on top and is drawn strongest.
//
// What changed is drawn once a frame, and a large change in bands over several frames, so that painting never waits
// for it.

const STRENGTHS = { active: { fill: 120, margin: 255 }, other: { fill: 48, margin: 225 } };
// A layer that only encloses others would tint all of them.
const OUTLINE_STRENGTHS = { active: { fill: 32, margin: 255 }, other: { fill: 6, margin: 225 } };
const COMPARED_STRENGTH = { fill: 120, margin: 255 };
const COMPARED = { mine: "#00e5ff", other: "#ffa000", both: "#ffffff" };
const WIDEST_MARGIN = 5;
const MARGIN_AFTER_MS = 150;
const PIXELS_A_BAND = 1 << 18;
const DRAW_WITHIN_MS = 8;

class MaskCanvas {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.layers = [];
    this.active = null;
    this.compared = null;
    this.isOutlineOnly = false;
    this.dirty = [];
    this.frame = 0;
    this.reach = 1;
  }

  open(width, height, layers) {
    Object.assign(this, { width, height, layers, compared: null, dirty: [] });
    this.canvas.width = width;
    this.canvas.height = height;
  }

  // A margin is one pixel of the screen wide, or one of the image where that is larger. Drawn anew when zooming ends.
  scaleTo(scale) {
    const reach = Math.min(WIDEST_MARGIN, Math.max(1, Math.round(1 / scale)));
    clearTimeout(this.marginTimer);
    if (reach === this.reach) return;
    this.marginTimer = setTimeout(() => {
      this.reach = reach;
      this.redraw();
    }, MARGIN_AFTER_MS);
  }

  get outlineOnly() {
    return this.isOutlineOnly;
  }

  set outlineOnly(isOn) {
    if (isOn === this.isOutlineOnly) return;
    this.isOutlineOnly = isOn;
    this.redraw();
  }

  get isUpToDate() {
    return this.dirty.length === 0;
  }

  // Show, instead of the layers, where two masks of one layer differ; null ends that. Returns the pixels of each kind.
  compare(mine, other) {
    const counts = { mine: 0, other: 0, both: 0 };
    if (mine === null) this.compared = null;
    else {
      const kinds = new Uint8Array(mine.length);
      const found = [0, 0, 0, 0];
      for (let i = 0; i < kinds.length; i++) found[(kinds[i] = mine[i] | (other[i] << 1))]++;
      [, counts.mine, counts.other, counts.both] = found;
      this.compared = { pixels: kinds, ...this.inks([COMPARED.mine, COMPARED.other, COMPARED.both], COMPARED_STRENGTH) };
    }
    this.redraw();
    return counts;
  }

  redraw() {
    if (this.width) this.touched({ x0: 0, y0: 0, x1: this.width, y1: this.height });
  }

  // A rectangle of a mask changed; the margins around it may have, too.
  touched({ x0, y0, x1, y1 }) {
    const { reach } = this;
    const rectangle = {
      x0: Math.max(0, x0 - reach),
      y0: Math.max(0, y0 - reach),
      x1: Math.min(this.width, x1 + reach),
      y1: Math.min(this.height, y1 + reach),
    };
    if (rectangle.x0 >= rectangle.x1 || rectangle.y0 >= rectangle.y1) return;
    const last = this.dirty.at(-1);
    const both = union(last ?? null, rectangle);
    if (last && areaOf(both) <= areaOf(last) + areaOf(rectangle)) this.dirty[this.dirty.length - 1] = both;
    else this.dirty.push(rectangle);
    if (!this.frame) this.frame = requestAnimationFrame(() => this.drawSome());
  }

  drawSome() {
    const until = performance.now() + DRAW_WITHIN_MS;
    this.frame = 0;
    while (this.dirty.length && performance.now() < until) {
      const whole = this.dirty.shift();
      const rows = Math.max(1, Math.floor(PIXELS_A_BAND / (whole.x1 - whole.x0)));
      const y1 = Math.min(whole.y1, whole.y0 + rows);
      if (y1 < whole.y1) this.dirty.unshift({ ...whole, y0: y1 });
      this.draw({ ...whole, y1 });
    }
    if (this.dirty.length) this.frame = requestAnimationFrame(() => this.drawSome());
  }

  draw(rectangle) {
    const { x0, y0, x1, y1 } = rectangle;
    const part = this.context.createImageData(x1 - x0, y1 - y0);
    const colours = new Uint32Array(part.data.buffer);
    for (const sheet of this.sheets()) this.lay(sheet, rectangle, colours);
    this.context.putImageData(part, x0, y0);
  }

  // What lies on the image, from the bottom up: for each value of a pixel the ink inside and at the margin.
  sheets() {
    if (this.compared) return [this.compared];
    const shown = this.layers.filter((layer) => layer.mask && !layer.isHidden && layer !== this.active);
    if (this.active?.mask && !this.active.isHidden) shown.push(this.active);
    return shown.map((layer) => {
      const strengths = layer.isOutline ? OUTLINE_STRENGTHS : STRENGTHS;
      const strength = strengths[layer === this.active ? "active" : "other"];
      return { pixels: layer.mask.pixels, ...this.inks([layer.colour], strength) };
    });
  }

  inks(colours, { fill, margin }) {
    return {
      fills: Uint32Array.from([0, ...colours.map((colour) => (this.isOutlineOnly ? 0 : packed(colour, fill)))]),
      margins: Uint32Array.from([0, ...colours.map((colour) => packed(colour, margin))]),
    };
  }

  lay({ pixels, fills, margins }, { x0, y0, x1, y1 }, colours) {
    const { width, height, reach } = this;
    let at = 0;
    for (let y = y0; y < y1; y++) {
      const isAtEdge = y < reach || y >= height - reach;
      for (let x = x0, i = y * width + x0; x < x1; x++, i++, at++) {
        const value = pixels[i];
        if (!value) continue;
        const isInside =
          !isAtEdge && x >= reach && x < width - reach &&
          pixels[i - 1] === value && pixels[i + 1] === value &&
          pixels[i - width] === value && pixels[i + width] === value &&
          pixels[i - reach] === value && pixels[i + reach] === value &&
          pixels[i - reach * width] === value && pixels[i + reach * width] === value;
        const ink = isInside ? fills[value] : margins[value];
        if (ink) colours[at] = colours[at] ? over(colours[at], ink) : ink;
      }
    }
  }
}

// Colours as a canvas holds them, red in the lowest byte (little-endian, as every browser's machine is).
function packed(colour, alpha) {
  const value = parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

// One ink over another. Few pairs occur, and each in long runs.
function over(under, top) {
  if (under === mixed.under && top === mixed.top) return mixed.colour;
  const topAlpha = (top >>> 24) / 255;
  const underAlpha = ((under >>> 24) / 255) * (1 - topAlpha);
  const alpha = topAlpha + underAlpha;
  let colour = Math.round(alpha * 255) << 24;
  for (const shift of [0, 8, 16]) {
    const channel = (((top >> shift) & 0xff) * topAlpha + ((under >> shift) & 0xff) * underAlpha) / alpha;
    colour |= Math.round(channel) << shift;
  }
  Object.assign(mixed, { under, top, colour: colour >>> 0 });
  return mixed.colour;
}

const mixed = { under: 0, top: 0, colour: 0 };

function areaOf({ x0, y0, x1, y1 }) {
  return (x1 - x0) * (y1 - y0);
}

// What is drawn over the image and is no part of the mask: the brush's outline and a polygon in the making.
class Guides {
  constructor(svg, brush) {
    this.brush = brush;
    this.line = svg.querySelector("polyline");
    this.first = svg.querySelector("circle");
  }

  showBrush(place, diameter, isEraser) {
    this.brush.hidden = !place;
    if (!place) return;
    const size = Math.max(2, diameter);
    Object.assign(this.brush.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${place.x - size / 2}px, ${place.y - size / 2}px)`,
    });
    this.brush.classList.toggle("eraser", isEraser);
  }

  showPolygon(points, view, cursor) {
    const corners = points.map((point) => view.toScreen(point.x, point.y));
    const path = cursor && corners.length ? [...corners, cursor] : corners;
    this.line.setAttribute("points", path.map((point) => `${point.x},${point.y}`).join(" "));
    this.first.setAttribute("visibility", corners.length ? "visible" : "hidden");
    if (corners.length) {
      this.first.setAttribute("cx", corners[0].x);
      this.first.setAttribute("cy", corners[0].y);
    }
  }
}
