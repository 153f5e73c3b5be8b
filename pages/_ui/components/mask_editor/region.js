// Whole regions of a mask: holes, specks, growing and shrinking by a pixel.
//
// A mask is { pixels: Uint8Array of 0 and 1, width, height }. The functions with a star work in steps, so that a large
// mask can be done in slices (inSlices) while the page stays awake; none changes the mask that it is given. They return
// a patch { x0, y0, x1, y1, pixels }: what a rectangle of the mask becomes, or null where there is nothing to do.

const SLICE_MS = 10;
const ROWS_A_STEP = 16;

// The smallest rectangle that holds the mask, ends outside, or null.
function boundsOf({ pixels, width }) {
  const first = pixels.indexOf(1);
  if (first < 0) return null;
  const y0 = Math.floor(first / width);
  const y1 = Math.floor(pixels.lastIndexOf(1) / width) + 1;
  let x0 = width;
  let x1 = 0;
  for (let y = y0; y < y1; y++) {
    const row = y * width;
    const left = pixels.subarray(row, row + x0).indexOf(1);
    if (left >= 0) x0 = left;
    const right = pixels.subarray(row + x1, row + width).lastIndexOf(1);
    if (right >= 0) x1 += right + 1;
  }
  return { x0, y0, x1, y1 };
}

// Background that the mask closes in becomes mask. Background that touches only by a corner is not joined, and what
// touches the edge of the image is open.
function* holesFilled(mask) {
  const box = boundsOf(mask);
  if (!box) return null;
  const areas = yield* areasOf(mask, box, 0, 0);
  const isOpen = new Uint8Array(areas.length);
  for (let i = 0; i < areas.length; i++) {
    const row = areas.row[i];
    if (areas.start[i] === box.x0 || areas.end[i] === box.x1 || row === box.y0 || row === box.y1 - 1) {
      isOpen[areas.root(i)] = 1;
    }
  }
  return yield* repaint(mask, box, areas, 1, (root) => !isOpen[root]);
}

// Areas of fewer than `nPixels` pixels go. Pixels that touch by a corner belong together.
function* specksRemoved(mask, nPixels) {
  const box = boundsOf(mask);
  if (!box) return null;
  const areas = yield* areasOf(mask, box, 1, 1);
  return yield* repaint(mask, box, areas, 0, (root) => areas.size[root] < nPixels);
}

// A pixel beside, above or below the mask becomes mask.
function* grown(mask) {
  const box = boundsOf(mask);
  if (!box) return null;
  const { pixels, width, height } = mask;
  const wider = {
    x0: Math.max(0, box.x0 - 1),
    y0: Math.max(0, box.y0 - 1),
    x1: Math.min(width, box.x1 + 1),
    y1: Math.min(height, box.y1 + 1),
  };
  return yield* perPixel(wider, width, (i, x, y) =>
    pixels[i] |
    (x > 0 ? pixels[i - 1] : 0) | (x < width - 1 ? pixels[i + 1] : 0) |
    (y > 0 ? pixels[i - width] : 0) | (y < height - 1 ? pixels[i + width] : 0),
  );
}

// A pixel with background beside, above or below it becomes background. Beyond the image lies no background: a lesion
// that runs out of the image keeps its pixels there.
function* shrunk(mask) {
  const box = boundsOf(mask);
  if (!box) return null;
  const { pixels, width, height } = mask;
  return yield* perPixel(box, width, (i, x, y) =>
    pixels[i] &
    (x > 0 ? pixels[i - 1] : 1) & (x < width - 1 ? pixels[i + 1] : 1) &
    (y > 0 ? pixels[i - width] : 1) & (y < height - 1 ? pixels[i + width] : 1),
  );
}

function* perPixel(box, width, valueAt) {
  const pixels = new Uint8Array((box.x1 - box.x0) * (box.y1 - box.y0));
  let at = 0;
  for (let y = box.y0; y < box.y1; y++) {
    if ((y - box.y0) % ROWS_A_STEP === 0) yield;
    const row = y * width;
    for (let x = box.x0; x < box.x1; x++) pixels[at++] = valueAt(row + x, x, y);
  }
  return { ...box, pixels };
}

// Runs of one value in a box, joined to areas: neighbours side by side and above each other, and with `reach` 1 those
// that touch by a corner too. A union-find over runs: each knows its row, start, end (outside) and parent.
class Areas {
  constructor() {
    this.length = 0;
    this.capacity = 1024;
    for (const name of ["row", "start", "end", "parent", "size"]) this[name] = new Int32Array(this.capacity);
  }

  add(row, start, end) {
    if (this.length === this.capacity) this.double();
    const i = this.length++;
    this.row[i] = row;
    this.start[i] = start;
    this.end[i] = end;
    this.size[i] = end - start;
    this.parent[i] = i;
  }

  double() {
    this.capacity *= 2;
    for (const name of ["row", "start", "end", "parent", "size"]) {
      const larger = new Int32Array(this.capacity);
      larger.set(this[name]);
      this[name] = larger;
    }
  }

  root(i) {
    const { parent } = this;
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  }

  join(i, j) {
    let a = this.root(i);
    let b = this.root(j);
    if (a === b) return;
    if (this.size[a] < this.size[b]) [a, b] = [b, a];
    this.parent[b] = a;
    this.size[a] += this.size[b];
  }
}

function* areasOf({ pixels, width }, box, value, reach) {
  const areas = new Areas();
  let above = 0;
  for (let y = box.y0; y < box.y1; y++) {
    if ((y - box.y0) % ROWS_A_STEP === 0) yield;
    const first = areas.length;
    const row = y * width;
    let x = box.x0;
    while (x < box.x1) {
      while (x < box.x1 && pixels[row + x] !== value) x++;
      const start = x;
      while (x < box.x1 && pixels[row + x] === value) x++;
      if (x > start) areas.add(y, start, x);
    }
    // Both rows' runs are in order: whichever ends first is done with.
    let i = above;
    let j = first;
    while (i < first && j < areas.length) {
      if (areas.start[i] < areas.end[j] + reach && areas.start[j] < areas.end[i] + reach) areas.join(i, j);
      if (areas.end[i] < areas.end[j]) i++;
      else j++;
    }
    above = first;
  }
  return areas;
}

function* repaint({ pixels, width }, box, areas, value, isWanted) {
  const boxWidth = box.x1 - box.x0;
  const painted = new Uint8Array(boxWidth * (box.y1 - box.y0));
  for (let y = box.y0; y < box.y1; y++) {
    painted.set(pixels.subarray(y * width + box.x0, y * width + box.x1), (y - box.y0) * boxWidth);
  }
  for (let i = 0; i < areas.length; i++) {
    if (i % 4096 === 0) yield;
    if (!isWanted(areas.root(i))) continue;
    const row = (areas.row[i] - box.y0) * boxWidth - box.x0;
    painted.fill(value, row + areas.start[i], row + areas.end[i]);
  }
  return { ...box, pixels: painted };
}

function applyPatch(mask, patch) {
  const patchWidth = patch.x1 - patch.x0;
  for (let y = patch.y0; y < patch.y1; y++) {
    const from = (y - patch.y0) * patchWidth;
    mask.pixels.set(patch.pixels.subarray(from, from + patchWidth), y * mask.width + patch.x0);
  }
}

// Runs steps in slices, so that nothing blocks for long. Resolves to what they return, or to null once `isStill` says
// that nobody waits for it any more.
async function inSlices(steps, isStill = () => true) {
  let until = performance.now() + SLICE_MS;
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() < until) continue;
    await breath();
    if (!isStill()) return null;
    until = performance.now() + SLICE_MS;
  }
}

// Lets the page do what waits, such as drawing a frame.
function breath() {
  return new Promise((awake) => setTimeout(awake));
}
