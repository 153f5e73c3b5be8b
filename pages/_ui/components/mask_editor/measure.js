// The ruler and the areas: what is measured, and in percent of what. Nothing of it is saved.
//
// 100 percent of a length is the cervix's width, which is its largest diameter, 100 percent of an area the cervix's area, both of the layer
// "cervix outline" (a ring counts as filled). Without it they are the image's width and the image's area.

const CERVIX = "cervix_outline";

// The largest distance between two corners of pixels of the mask, in pixels; 0 where it is empty.
function largestDiameter(mask) {
  const hull = hullOf(mask);
  let largest = 0;
  for (const a of hull) for (const b of hull) largest = Math.max(largest, Math.hypot(a.x - b.x, a.y - b.y));
  return largest;
}

// The corners of the mask's convex hull. In a row only its first and its last pixel can reach it.
function hullOf(mask) {
  const box = boundsOf(mask);
  if (!box) return [];
  const { pixels, width } = mask;
  const left = [];
  const right = [];
  for (let y = box.y0; y < box.y1; y++) {
    const row = pixels.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first < 0) continue;
    const end = row.lastIndexOf(1) + 1;
    for (const edge of [y, y + 1]) {
      addToChain(left, { x: first, y: edge }, 1);
      addToChain(right, { x: end, y: edge }, -1);
    }
  }
  return [...left, ...right];
}

// Points come from the top down; those that the new one leaves inside go. `side` is 1 for the left chain.
function addToChain(chain, point, side) {
  while (chain.length >= 2) {
    const [a, b] = chain.slice(-2);
    if (side * ((b.x - a.x) * (point.y - b.y) - (b.y - a.y) * (point.x - b.x)) < 0) break;
    chain.pop();
  }
  chain.push(point);
}

// In steps: { area, cervix: { area, diameter, covered } or null where no cervix is painted }, all in pixels of the image.
// `covered` is what the mask covers of the cervix.
function* measured(mask, cervixMask) {
  const filled = cervixMask && (yield* holesFilled(cervixMask));
  if (!filled) return { area: yield* count(mask.pixels), cervix: null };
  const { width } = mask;
  const inside = { pixels: new Uint8Array(mask.pixels.length), width, height: mask.height };
  applyPatch(inside, filled);
  const cervix = { area: yield* count(inside.pixels), diameter: largestDiameter(inside), covered: 0 };
  yield;
  const area = yield* count(mask.pixels);
  for (let i = 0; i < inside.pixels.length; i++) inside.pixels[i] &= mask.pixels[i];
  yield;
  cervix.covered = yield* count(inside.pixels);
  return { area, cervix };
}

function* count(pixels) {
  const band = 1 << 20;
  let sum = 0;
  for (let start = 0; start < pixels.length; start += band) {
    const end = Math.min(pixels.length, start + band);
    for (let i = start; i < end; i++) sum += pixels[i];
    yield;
  }
  return sum;
}

class Ruler {
  // `parts` are the elements it shows itself with: lines (paths of an SVG) and card.
  constructor(parts, editor) {
    this.parts = parts;
    this.editor = editor;
    this.id = null;
    this.line = null;
    this.codes = null;
    this.sizes = null;
  }

  begin(event, place) {
    const at = this.editor.view.toImage(place.x, place.y);
    this.id = event.pointerId;
    this.line = { from: at, to: at };
  }

  move(place) {
    this.line.to = this.editor.view.toImage(place.x, place.y);
  }

  drop() {
    this.id = null;
    this.line = null;
  }

  show() {
    const { parts, editor, line } = this;
    const isOn = editor.tool === "ruler" && Boolean(editor.activeLayer?.isLoaded);
    parts.card.hidden = !isOn;
    for (const path of parts.lines) path.setAttribute("d", isOn && line ? linePath(editor.view, line) : "");
    if (!isOn) {
      this.codes = null;
      return;
    }
    this.measure();
    this.write();
  }

  // The areas, once for each state of the masks.
  async measure() {
    const { editor } = this;
    const active = editor.activeLayer;
    const cervix = editor.layerOf(CERVIX);
    const codes = [active.history.current, cervix?.history?.current];
    if (this.codes?.every((code, i) => code === codes[i]) && this.active === active) return;
    Object.assign(this, { codes, active, sizes: null });
    const isStill = () => this.codes === codes;
    const sizes = await inSlices(measured(editor.mask, cervix?.mask ?? null), isStill);
    if (!sizes || !isStill()) return;
    this.sizes = sizes;
    this.write();
  }

  write() {
    const { line, sizes, editor, parts } = this;
    const { width, height } = editor.mask;
    const cervix = sizes?.cervix;
    const rows = [];
    if (line) {
      const length = Math.hypot(line.to.x - line.from.x, line.to.y - line.from.y);
      const share = cervix
        ? `${percent(length / cervix.diameter)} of the cervix’s width`
        : `${percent(length / width)} of the image’s width`;
      rows.push(["Line", `${Math.round(length)} px`, share]);
    } else rows.push(["Line", "–", "drag on the image to measure"]);
    if (sizes) {
      const { title, finding } = this.active;
      const isCervix = finding === CERVIX;
      const share = cervix && !isCervix
        ? `covers ${percent(cervix.covered / cervix.area)} of the cervix`
        : `${percent(sizes.area / (width * height))} of the image`;
      rows.push([title ?? "Mask", `${sizes.area.toLocaleString("en")} px`, share]);
      if (cervix) rows.push(["Cervix", `${cervix.area.toLocaleString("en")} px`, `largest diameter ${Math.round(cervix.diameter)} px`]);
    }
    parts.card.replaceChildren(...rows.map((cells) => {
      const row = document.createElement("div");
      row.append(...cells.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
      return row;
    }));
    if (sizes && !cervix) {
      parts.card.append(Object.assign(document.createElement("p"), {
        textContent: "Paint the cervix outline (6) to measure in percent of the cervix.",
      }));
    }
  }
}

function linePath(view, { from, to }) {
  const a = view.toScreen(from.x, from.y);
  const b = view.toScreen(to.x, to.y);
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const x = (-(b.y - a.y) / length) * 6;
  const y = ((b.x - a.x) / length) * 6;
  const bar = (end) => `M${end.x - x} ${end.y - y}L${end.x + x} ${end.y + y}`;
  return `M${a.x} ${a.y}L${b.x} ${b.y}${bar(a)}${bar(b)}`;
}

function percent(share) {
  const value = 100 * share;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
