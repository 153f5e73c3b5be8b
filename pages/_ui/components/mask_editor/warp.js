// A mask moved and warped by hand: started from another image whose view was not quite the same, it is fitted to this one
// by four corners. What the corners do to the mask is a homography; each pixel takes the nearest one of the old mask.

const HANDLE_WITHIN_PX = 16;
const OUTLINE_CELLS = 400;
const MOST_EDGES = 6000;
const LEAST_TURN = 1e-3;

// The 3 x 3 matrix, row by row, that takes four points to four others. No three points of either may lie on a line.
function homographyOf(from, to) {
  const rows = [];
  for (let i = 0; i < 4; i++) {
    const { x, y } = from[i];
    const { x: u, y: v } = to[i];
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  }
  return [...solved(rows), 1];
}

// Gauss-Jordan with the largest pivot; each row ends with its right-hand side.
function solved(rows) {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let best = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[best][column])) best = i;
    [rows[column], rows[best]] = [rows[best], rows[column]];
    const pivot = rows[column];
    for (let i = 0; i < n; i++) {
      if (i === column) continue;
      const factor = rows[i][column] / pivot[column];
      for (let j = column; j <= n; j++) rows[i][j] -= factor * pivot[j];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

function through(h, x, y) {
  const w = h[6] * x + h[7] * y + h[8];
  return { x: (h[0] * x + h[1] * y + h[2]) / w, y: (h[3] * x + h[4] * y + h[5]) / w };
}

function cornersOf({ x0, y0, x1, y1 }) {
  return [{ x: x0, y: y0 }, { x: x1, y: y0 }, { x: x1, y: y1 }, { x: x0, y: y1 }];
}

function boxOf(points) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

// Whether the corners go around clockwise (y points down) without a dent: only then can a homography take a box there.
function isConvex(corners) {
  return corners.every((b, i) => {
    const a = corners[(i + 3) % 4];
    const c = corners[(i + 1) % 4];
    return (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > LEAST_TURN;
  });
}

function isWithin(corners, point) {
  return corners.every((a, i) => {
    const b = corners[(i + 1) % 4];
    return (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) >= 0;
  });
}

// The patch of the mask whose bounds' corners `from` have been taken to `to`; see region.js. What leaves the image is lost.
function* warped(mask, from, to) {
  const { width, height } = mask;
  const target = boxOf(to);
  const box = union(boxOf(from), {
    x0: Math.max(0, Math.floor(target.x0)),
    y0: Math.max(0, Math.floor(target.y0)),
    x1: Math.min(width, Math.ceil(target.x1)),
    y1: Math.min(height, Math.ceil(target.y1)),
  });
  const back = homographyOf(to, from);
  return yield* perPixel(box, width, (i, x, y) => {
    const w = back[6] * (x + 0.5) + back[7] * (y + 0.5) + back[8];
    const column = Math.floor((back[0] * (x + 0.5) + back[1] * (y + 0.5) + back[2]) / w);
    const row = Math.floor((back[3] * (x + 0.5) + back[4] * (y + 0.5) + back[5]) / w);
    return column >= 0 && column < width && row >= 0 && row < height ? mask.pixels[row * width + column] : 0;
  });
}

// The mask's outline as segments [x, y, x, y], from square cells that are as coarse as the mask is large.
function outlineOf(mask, box) {
  let step = Math.max(1, Math.ceil(Math.max(box.x1 - box.x0, box.y1 - box.y0) / OUTLINE_CELLS));
  let edges = edgesOf(mask, box, step);
  while (edges.length > MOST_EDGES) {
    step *= 2;
    edges = edgesOf(mask, box, step);
  }
  return edges;
}

function edgesOf({ pixels, width }, box, step) {
  const columns = Math.ceil((box.x1 - box.x0) / step);
  const rows = Math.ceil((box.y1 - box.y0) / step);
  const at = (u, v) => {
    if (u < 0 || v < 0 || u >= columns || v >= rows) return 0;
    const x = Math.min(box.x1 - 1, box.x0 + u * step + (step >> 1));
    const y = Math.min(box.y1 - 1, box.y0 + v * step + (step >> 1));
    return pixels[y * width + x];
  };
  const edges = [];
  for (let v = 0; v <= rows; v++) {
    for (let u = 0; u <= columns; u++) {
      const here = at(u, v);
      const x = box.x0 + u * step;
      const y = box.y0 + v * step;
      if (here !== at(u - 1, v)) edges.push([x, y, x, y + step]);
      if (here !== at(u, v - 1)) edges.push([x, y, x + step, y]);
    }
  }
  return edges;
}

class Warp {
  // `parts` are the elements it shows itself with: path, handles (four buttons) and bar.
  constructor(parts, editor) {
    this.parts = parts;
    this.editor = editor;
    this.mask = null;
    this.grip = null;
  }

  get isOn() {
    return this.mask !== null;
  }

  // An empty mask has nothing to warp.
  start() {
    const box = boundsOf(this.editor.mask);
    if (!box) return;
    this.mask = this.editor.mask;
    this.pixels = this.mask.pixels;
    this.from = cornersOf(box);
    this.to = cornersOf(box);
    this.edges = outlineOf(this.mask, box);
    this.show();
  }

  drop() {
    this.mask = null;
    this.grip = null;
    this.show();
  }

  // The steps of region.js for what has been fitted, or null where nothing was moved.
  taken() {
    const { from, to } = this;
    const isMoved = to.some((corner, i) => corner.x !== from[i].x || corner.y !== from[i].y);
    this.drop();
    return isMoved ? (mask) => warped(mask, from, to) : null;
  }

  // Takes hold of a corner, or of the whole. Returns whether there was something to hold.
  begin(event, place) {
    const { view } = this.editor;
    const distances = this.to.map((corner) => {
      const there = view.toScreen(corner.x, corner.y);
      return Math.hypot(there.x - place.x, there.y - place.y);
    });
    const nearest = distances.indexOf(Math.min(...distances));
    const at = view.toImage(place.x, place.y);
    let corner = null;
    if (distances[nearest] <= HANDLE_WITHIN_PX) corner = nearest;
    else if (!isWithin(this.to, at)) return false;
    this.grip = { id: event.pointerId, corner, at };
    if (corner !== null) this.parts.handles[corner].focus({ preventScroll: true });
    return true;
  }

  move(place) {
    const at = this.editor.view.toImage(place.x, place.y);
    if (this.shift(this.grip.corner, at.x - this.grip.at.x, at.y - this.grip.at.y)) this.grip.at = at;
  }

  // By arrow keys: the corner that has the focus, or the whole.
  nudge(focused, dx, dy) {
    const corner = this.parts.handles.indexOf(focused);
    this.shift(corner < 0 ? null : corner, dx, dy);
  }

  // Returns whether the corners can stand so.
  shift(which, dx, dy) {
    const to = this.to.map(({ x, y }, i) => (which === null || which === i ? { x: x + dx, y: y + dy } : { x, y }));
    if (!isConvex(to)) return false;
    this.to = to;
    this.show();
    return true;
  }

  show() {
    const { path, handles, bar } = this.parts;
    if (this.isOn && (this.editor.mask !== this.mask || this.mask.pixels !== this.pixels)) this.mask = null;
    bar.hidden = !this.isOn;
    this.editor.plane.classList.toggle("warps", this.isOn);
    for (const handle of handles) handle.hidden = !this.isOn;
    if (!this.isOn) {
      path.setAttribute("d", "");
      return;
    }
    const { view } = this.editor;
    const h = homographyOf(this.from, this.to);
    const onScreen = (x, y) => {
      const at = through(h, x, y);
      return `${(at.x * view.scale + view.x).toFixed(1)} ${(at.y * view.scale + view.y).toFixed(1)}`;
    };
    path.setAttribute("d", this.edges.map(([x, y, u, v]) => `M${onScreen(x, y)}L${onScreen(u, v)}`).join(""));
    this.to.forEach((corner, i) => {
      const at = view.toScreen(corner.x, corner.y);
      handles[i].style.transform = `translate(${at.x}px, ${at.y}px)`;
    });
  }
}
