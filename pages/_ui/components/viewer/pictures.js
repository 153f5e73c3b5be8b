// What is drawn: pictures in several sizes, so that a small view of a large image costs little, and layers over them.

const OUTLINE_GRID_PX = 1024;
const LEAST_STEP_PX = 256;
const COLOUR_GRID_PX = 64;

// A picture from the server. It is asked for once, and its halves are made beside the page's own work.
class Picture {
  constructor(url, changed) {
    this.url = url;
    this.changed = changed;
    this.state = "waiting";
    this.steps = [];
    this.image = new Image();
    this.image.draggable = false;
  }

  get isLoaded() {
    return this.state === "loaded";
  }

  get width() {
    return this.image.naturalWidth;
  }

  get height() {
    return this.image.naturalHeight;
  }

  load() {
    this.loading ??= this.fetch();
    return this.loading;
  }

  async fetch() {
    this.image.src = this.url;
    try {
      await this.image.decode();
      if (this.state === "closed") return;
      this.steps = [this.image];
      this.state = "loaded";
      this.changed();
      await this.makeSteps();
    } catch {
      if (this.state === "waiting") this.state = "failed";
    }
    if (this.state !== "closed") this.changed();
  }

  async makeSteps() {
    let { width, height } = this;
    const first = await createImageBitmap(this.image);
    if (this.state === "closed") return first.close();
    this.steps = [first];
    while (Math.max(width, height) > 2 * LEAST_STEP_PX) {
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      const half = await createImageBitmap(this.steps.at(-1), { resizeWidth: width, resizeHeight: height, resizeQuality: "medium" });
      if (this.state === "closed") return half.close();
      this.steps.push(half);
    }
  }

  // The smallest one that has a pixel for every pixel of the screen.
  stepFor(scale) {
    let found = this.steps[0];
    for (const step of this.steps) if (step.width >= this.width * scale) found = step;
    return found;
  }

  draw(context, scale) {
    if (this.isLoaded) context.drawImage(this.stepFor(scale), 0, 0, this.width, this.height);
  }

  // How the picture covers its frame, as numbers on a grid that is coarse enough to be followed at once.
  grid() {
    if (this.grid_) return this.grid_;
    const share = Math.min(1, OUTLINE_GRID_PX / Math.max(this.width, this.height));
    const canvas = canvasOf(Math.max(1, Math.round(this.width * share)), Math.max(1, Math.round(this.height * share)));
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.stepFor(share), 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    this.grid_ = { width: canvas.width, height: canvas.height, data };
    return this.grid_;
  }

  close() {
    this.state = "closed";
    for (const step of this.steps) step.close?.();
    this.steps = [];
  }
}

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

// The line along which values on a grid pass a level, by marching squares with places between the cells' middles.
// Outside the grid everything counts as below, so that every line is closed. In cells, origin top left.
//
// A line goes from one side of a square to another, always with the higher values on the same hand, so that each side
// has one that follows it and the squares need no order. A side is told by a number: that above or left of a square.
function levelLine(values, width, height, level) {
  const wide = width + 2;
  const next = new Int32Array(2 * wide * (height + 2)).fill(-1);
  const [above, left] = [(i) => 2 * i, (i) => 2 * i + 1];
  for (let y = 0; y <= height; y++) {
    for (let x = 0, i = y * wide; x <= width; x++, i++) {
      const kind =
        (values[i] >= level ? 8 : 0) | (values[i + 1] >= level ? 4 : 0) | (values[i + wide + 1] >= level ? 2 : 0) | (values[i + wide] >= level ? 1 : 0);
      if (kind === 0 || kind === 15) continue;
      const sides = { top: above(i), right: left(i + 1), bottom: above(i + wide), left: left(i) };
      for (const [from, to] of LINES[kind]) next[sides[from]] = sides[to];
    }
  }
  return pathAlong(next, (side) => placeOnSide(side, values, width, height, level));
}

// Which sides of a square a line joins, by which of its corners (top left 8, top right 4, bottom right 2, bottom left 1)
// reach the level.
const LINES = {
  1: [["bottom", "left"]], 2: [["right", "bottom"]], 3: [["right", "left"]], 4: [["top", "right"]],
  5: [["top", "right"], ["bottom", "left"]], 6: [["top", "bottom"]], 7: [["top", "left"]], 8: [["left", "top"]],
  9: [["bottom", "top"]], 10: [["left", "top"], ["right", "bottom"]], 11: [["right", "top"]], 12: [["left", "right"]],
  13: [["bottom", "right"]], 14: [["left", "bottom"]],
};

function placeOnSide(side, values, width, height, level) {
  const wide = width + 2;
  const from = side >> 1;
  const isAbove = side % 2 === 0;
  const [low, high] = [values[from], values[from + (isAbove ? 1 : wide)]];
  const share = (level - low) / (high - low);
  const [x, y] = [(from % wide) - 0.5 + (isAbove ? share : 0), Math.floor(from / wide) - 0.5 + (isAbove ? 0 : share)];
  return [Math.min(width, Math.max(0, x)), Math.min(height, Math.max(0, y))];
}

function pathAlong(next, placeOf) {
  const path = new Path2D();
  for (let start = 0; start < next.length; start++) {
    if (next[start] < 0) continue;
    path.moveTo(...placeOf(start));
    for (let side = start, following = next[side]; following >= 0; following = next[side]) {
      next[side] = -1;
      side = following;
      if (side !== start) path.lineTo(...placeOf(side));
    }
    path.closePath();
  }
  return path;
}

// One channel of a grid with a rim of -1 around it.
function rimmed({ width, height, data }, channel) {
  const values = new Float32Array((width + 2) * (height + 2)).fill(-1);
  for (let y = 0; y < height; y++) {
    let [to, from] = [(y + 1) * (width + 2) + 1, y * width * 4 + channel];
    for (let x = 0; x < width; x++, to++, from += 4) values[to] = data[from];
  }
  return values;
}

// A layer of one image. A `mask` is filled or outlined, a `map` has its own colours, and a `field` holds a value for
// each place as grey, of which what reaches a threshold is coloured or outlined.
class Overlay {
  constructor(layer, picture) {
    this.layer = layer;
    this.picture = picture;
    this.lines = new Map();
    this.coloured = { threshold: null, canvas: null };
  }

  // Of its lines and of the square beside its name.
  get colour() {
    if (this.layer.kind === "field") return FIELD_LINE;
    if (this.layer.kind === "mask" && this.picture.isLoaded) this.colour_ ??= strongestColour(this.picture);
    return this.colour_;
  }

  draw(context, scale, set) {
    const { picture } = this;
    if (!picture.isLoaded) return;
    if (set.isOutline && this.layer.kind !== "map") return this.drawLine(context, scale, set);
    context.globalAlpha = set.opacity;
    if (this.layer.kind === "field") context.drawImage(this.colours(set.threshold), 0, 0, picture.width, picture.height);
    else picture.draw(context, scale);
    context.globalAlpha = 1;
  }

  drawLine(context, scale, set) {
    const { width, height } = this.picture.grid();
    const level = this.layer.kind === "field" ? Math.max(1, set.threshold * 255) : 127.5;
    if (!this.lines.has(level)) {
      this.values ??= rimmed(this.picture.grid(), this.layer.kind === "field" ? 0 : 3);
      this.lines.set(level, levelLine(this.values, width, height, level));
    }
    const cell = this.picture.width / width;
    context.save();
    context.scale(cell, this.picture.height / height);
    context.globalAlpha = set.opacity;
    context.lineJoin = "round";
    for (const [colour, wide] of [["rgb(0 0 0 / 55%)", 4], [this.colour, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = wide / (scale * cell);
      context.stroke(this.lines.get(level));
    }
    context.restore();
  }

  colours(threshold) {
    if (this.coloured.threshold === threshold) return this.coloured.canvas;
    const { width, height, data } = this.picture.grid();
    const canvas = this.coloured.canvas ?? canvasOf(width, height);
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let i = 0; i < data.length; i += 4) {
      const value = data[i];
      if (value === 0 || value < threshold * 255) continue;
      pixels.data.set(FIELD_COLOURS[value], i);
    }
    context.putImageData(pixels, 0, 0);
    this.coloured = { threshold, canvas };
    return canvas;
  }
}

// From blue over teal to a pale yellow: another scale than the maps', and lighter means more here too.
const FIELD_STOPS = [[38, 44, 130], [20, 120, 160], [0, 190, 170], [130, 225, 130], [250, 250, 170]];
const FIELD_COLOURS = Array.from({ length: 256 }, (_, value) => {
  const place = (value / 255) * (FIELD_STOPS.length - 1);
  const low = Math.min(FIELD_STOPS.length - 2, Math.floor(place));
  const mixed = FIELD_STOPS[low].map((part, i) => Math.round(part + (FIELD_STOPS[low + 1][i] - part) * (place - low)));
  return [...mixed, 235];
});

const FIELD_LINE = "#00d6c9";

// The colour that a mask is drawn in: that of its most opaque place.
function strongestColour(picture) {
  const canvas = canvasOf(COLOUR_GRID_PX, COLOUR_GRID_PX);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture.stepFor(0), 0, 0, COLOUR_GRID_PX, COLOUR_GRID_PX);
  const { data } = context.getImageData(0, 0, COLOUR_GRID_PX, COLOUR_GRID_PX);
  let most = 0;
  for (let i = 4; i < data.length; i += 4) if (data[i + 3] > data[most + 3]) most = i;
  return `rgb(${data[most]} ${data[most + 1]} ${data[most + 2]})`;
}
