// The magic wand: the connected region around a place whose colour is no further from the colour there than a tolerance.
//
// The colour of a pixel is the rounded mean of the 3 x 3 pixels around it (the outermost ones repeat beyond the image's
// edge), so that the grain of a photograph does not riddle the region. The distance of two colours is the CIE 1976 one: Euclidean
// in CIELAB (D65, 2 degrees); 2.3 is about what an eye just sees. Pixels are joined side by side and above each other.
//
// While the tolerance is dragged, the region is shown on a reduced image; when the button is let go it is found at the
// image's own resolution, in slices, and no further out than one pixel of the reduced image from what was shown.

const PREVIEW_SIDE_PX = 480;
const TOLERANCE = { least: 1, most: 60, perScreenPx: 0.15 };
const WAND = { tolerance: 12 };
// Amber where the region will be added, red where it will be taken away; as a canvas holds them, red in the lowest byte.
const WAND_ADDS = 0x9000c8ff;
const WAND_TAKES = 0x903c3cff;
const BAND_ROWS = 128;
const WHITE = [0.95047, 1, 1.08883];

const LINEAR = Float64Array.from({ length: 256 }, (_, value) =>
  value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
);

// The CIELAB colour of an sRGB one.
function labOf(r, g, b) {
  const [red, green, blue] = [LINEAR[r], LINEAR[g], LINEAR[b]];
  const x = labCurve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / WHITE[0]);
  const y = labCurve(0.2126729 * red + 0.7151522 * green + 0.072175 * blue);
  const z = labCurve((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / WHITE[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function labCurve(t) {
  return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
}

// The colour at a pixel as one number, 0xRRGGBB. `image` is { data: RGBA bytes, width, height }, and isMean where its
// pixels are means of many already.
function colourAt({ data, width, height, isMean }, x, y) {
  if (isMean) {
    const i = 4 * (y * width + x);
    return (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
  }
  const left = x > 0 ? -4 : 0;
  const right = x < width - 1 ? 4 : 0;
  let r = 4;
  let g = 4;
  let b = 4;
  for (let dy = -1; dy <= 1; dy++) {
    const i = 4 * (Math.min(height - 1, Math.max(0, y + dy)) * width + x);
    r += data[i + left] + data[i] + data[i + right];
    g += data[i + left + 1] + data[i + 1] + data[i + right + 1];
    b += data[i + left + 2] + data[i + 2] + data[i + right + 2];
  }
  return (Math.floor(r / 9) << 16) | (Math.floor(g / 9) << 8) | Math.floor(b / 9);
}

function colourDistance(here, from) {
  const [l, a, b] = labOf(here >> 16, (here >> 8) & 255, here & 255);
  return Math.hypot(l - from[0], a - from[1], b - from[2]);
}

// A test of whether the colour at (x, y) is within the tolerance of `colour` (0xRRGGBB). What it finds of a colour it
// keeps: a photograph has far fewer colours than pixels.
function nearness(image, colour, tolerance) {
  const known = new Uint8Array(1 << 24);
  const from = labOf(colour >> 16, (colour >> 8) & 255, colour & 255);
  return (x, y) => {
    const here = colourAt(image, x, y);
    if (!known[here]) known[here] = colourDistance(here, from) <= tolerance ? 2 : 1;
    return known[here] === 2;
  };
}

const UNKNOWN = 0;
const OUT = 1;
const WANTED = 2;
const FILLED = 3;

// The region of pixels with `isNear(x, y)` around a seed { x, y } (whole pixels), in steps of one span. Returns
// { states, touched }: a byte a pixel that is FILLED in the region, and the rectangle around it (null where it is empty).
function* regionAround({ width, height }, seed, isNear) {
  const states = new Uint8Array(width * height);
  const isWanted = (x, y) => {
    const i = y * width + x;
    if (states[i] === UNKNOWN) states[i] = isNear(x, y) ? WANTED : OUT;
    return states[i] === WANTED;
  };
  const waiting = isWanted(seed.x, seed.y) ? [seed.y * width + seed.x] : [];
  let touched = null;
  while (waiting.length) {
    const at = waiting.pop();
    if (states[at] !== WANTED) continue;
    yield;
    const y = Math.floor(at / width);
    let x0 = at % width;
    let x1 = x0 + 1;
    while (x0 > 0 && isWanted(x0 - 1, y)) x0--;
    while (x1 < width && isWanted(x1, y)) x1++;
    states.fill(FILLED, y * width + x0, y * width + x1);
    touched = union(touched, { x0, y0: y, x1, y1: y + 1 });
    for (const beside of [y - 1, y + 1]) {
      if (beside < 0 || beside >= height) continue;
      for (let x = x0, isAfterWanted = false; x < x1; x++) {
        const wanted = isWanted(x, beside);
        if (wanted && !isAfterWanted) waiting.push(beside * width + x);
        isAfterWanted = wanted;
      }
    }
  }
  return { states, touched };
}

// A test of whether (x, y) of the whole image lies in a region of the reduced one, or one pixel of that beside it.
function boundOf({ states, width, height }, scale) {
  return (x, y) => {
    const column = Math.min(width - 1, Math.floor(x * scale));
    const row = Math.min(height - 1, Math.floor(y * scale));
    for (let v = Math.max(0, row - 1); v <= Math.min(height - 1, row + 1); v++) {
      for (let u = Math.max(0, column - 1); u <= Math.min(width - 1, column + 1); u++) {
        if (states[v * width + u] === FILLED) return true;
      }
    }
    return false;
  };
}

// The patch (see region.js) of a region that is added to the mask (value 1) or taken from it (0).
function* regionPatch(mask, region, value) {
  const { states, touched } = region;
  if (!touched) return null;
  return yield* perPixel(touched, mask.width, (i) => (states[i] === FILLED ? value : mask.pixels[i]));
}

// The image's own pixels, whole and reduced, whatever look it is shown with. It is decoded beside the page's thread and
// read in bands.
async function readImage(url, isStill) {
  const answer = await fetch(url, { cache: "force-cache" });
  if (!answer.ok) throw new Error(`The image could not be read (${answer.status}).`);
  const bitmap = await createImageBitmap(await answer.blob());
  const { width, height } = bitmap;
  const scale = Math.min(1, PREVIEW_SIDE_PX / Math.max(width, height));
  const whole = await inSlices(pixelsOf(bitmap, width, height), isStill);
  const reduced = scale < 1 ? await inSlices(pixelsOf(bitmap, ...[width, height].map((side) => Math.ceil(side * scale)))) : whole;
  bitmap.close();
  return { whole, reduced: { ...reduced, isMean: scale < 1 }, scale };
}

function* pixelsOf(bitmap, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "medium";
  context.drawImage(bitmap, 0, 0, width, height);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y += BAND_ROWS) {
    yield;
    const rows = Math.min(BAND_ROWS, height - y);
    data.set(context.getImageData(0, y, width, rows).data, 4 * y * width);
  }
  return { data, width, height };
}

class Wand {
  // `parts` are the elements it shows itself with: preview (a canvas), bubble, and tolerance (a slider with its output).
  constructor(parts, editor) {
    this.parts = parts;
    this.editor = editor;
    this.source = null;
    this.isBlind = false;
    this.press = null;
    this.frame = 0;
    this.setTolerance(WAND.tolerance);
    parts.tolerance.oninput = () => this.setTolerance(Number(parts.tolerance.value));
  }

  setTolerance(tolerance) {
    WAND.tolerance = Math.round(Math.min(TOLERANCE.most, Math.max(TOLERANCE.least, tolerance)));
    this.parts.tolerance.value = String(WAND.tolerance);
    this.parts.tolerance.nextElementSibling.textContent = String(WAND.tolerance);
  }

  step(direction) {
    this.setTolerance(WAND.tolerance + direction);
    if (this.press) this.showSoon();
  }

  isHeldBy(pointerId) {
    return this.press !== null && this.press.id === pointerId && !this.press.isLetGo;
  }

  // The image is read as soon as the tool is chosen, so that the first press need not wait for it.
  follow() {
    const { tool, isReady, image } = this.editor;
    if (tool === "wand" && isReady && image.getAttribute("src") !== this.source) this.prepare();
  }

  // Resolves to what the wand sees of the image, or to null where that could not be read.
  prepare() {
    const source = this.editor.image.getAttribute("src");
    if (source !== this.source || this.isBlind) {
      this.source = source;
      this.isBlind = false;
      this.seen = readImage(source, () => this.source === source).catch((error) => {
        console.warn("The wand cannot see the image.", error);
        if (this.source === source) this.isBlind = true;
        return null;
      });
    }
    return this.seen;
  }

  // Returns whether there is something of the image under the pointer.
  begin(event, place, value) {
    const { view, mask } = this.editor;
    const at = view.toImage(place.x, place.y);
    const seed = { x: Math.floor(at.x), y: Math.floor(at.y) };
    if (seed.x < 0 || seed.y < 0 || seed.x >= mask.width || seed.y >= mask.height) return false;
    this.press = { id: event.pointerId, value, mask, seed, place, startX: place.x, startTolerance: WAND.tolerance };
    this.showSoon();
    return true;
  }

  move(place) {
    const { startX, startTolerance } = this.press;
    this.press.place = place;
    this.setTolerance(startTolerance + (place.x - startX) * TOLERANCE.perScreenPx);
    this.showSoon();
  }

  // Takes the region that was shown; `reshape` makes one undo step of the steps that it is given.
  async end(reshape) {
    const { press } = this;
    press.isLetGo = true;
    const seen = await this.look(press);
    if (seen && this.press === press && press.mask === this.editor.mask) {
      const bound = boundOf(this.found(press, seen), seen.scale);
      const near = nearness(seen.whole, press.colour, press.tolerance);
      await reshape(function* (mask) {
        const region = yield* regionAround(seen.whole, press.seed, (x, y) => bound(x, y) && near(x, y));
        return yield* regionPatch(mask, region, press.value);
      });
    }
    if (this.press === press) this.drop();
  }

  drop() {
    this.press = null;
    this.parts.preview.hidden = true;
    this.parts.bubble.hidden = true;
  }

  async look(press) {
    const seen = await this.prepare();
    if (!seen) {
      if (this.press === press) this.press = null;
      sayAt(this.parts.bubble, press.place, "The image could not be read. Check the connection and try again.");
      return null;
    }
    press.colour ??= colourAt(seen.whole, press.seed.x, press.seed.y);
    press.distances ??= new Float32Array(seen.reduced.width * seen.reduced.height).fill(-1);
    return seen;
  }

  // The region on the reduced image.
  found(press, { reduced, scale }) {
    const { width } = reduced;
    const { distances, colour } = press;
    const from = labOf(colour >> 16, (colour >> 8) & 255, colour & 255);
    const seed = { x: Math.floor(press.seed.x * scale), y: Math.floor(press.seed.y * scale) };
    press.tolerance = WAND.tolerance;
    distances[seed.y * width + seed.x] = 0;
    const steps = regionAround(reduced, seed, (x, y) => {
      const i = y * width + x;
      if (distances[i] < 0) distances[i] = colourDistance(colourAt(reduced, x, y), from);
      return distances[i] <= press.tolerance;
    });
    let step = steps.next();
    while (!step.done) step = steps.next();
    return { ...step.value, width, height: reduced.height };
  }

  showSoon() {
    const { press } = this;
    if (!this.frame) {
      this.frame = requestAnimationFrame(async () => {
        this.frame = 0;
        const seen = await this.look(press);
        if (seen && this.press && !this.press.isLetGo) this.show(this.press, seen);
      });
    }
  }

  show(press, seen) {
    const { preview, bubble } = this.parts;
    if (!press.distances) return;
    const { states, width, height } = this.found(press, seen);
    const shown = new ImageData(width, height);
    const colours = new Uint32Array(shown.data.buffer);
    const colour = press.value ? WAND_ADDS : WAND_TAKES;
    for (let i = 0; i < states.length; i++) if (states[i] === FILLED) colours[i] = colour;
    preview.width = width;
    preview.height = height;
    preview.getContext("2d").putImageData(shown, 0, 0);
    preview.hidden = false;
    sayAt(bubble, press.place, `Tolerance ${press.tolerance}`);
  }
}

// A few words beside the pointer.
function sayAt(bubble, place, text) {
  bubble.hidden = false;
  bubble.textContent = text;
  bubble.style.transform = `translate(${place.x + 18}px, ${place.y - 34}px)`;
}
