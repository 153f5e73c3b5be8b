// Painting with hard edges at the image's resolution: a pixel is in when its middle is in.
// Points are in pixels of the image; a mask is { pixels: Uint8Array, width, height }. Each function returns the
// rectangle that it touched, { x0, y0, x1, y1 } with the ends outside, or null.

function paintStroke(mask, from, to, diameter, value) {
  const radius = diameter / 2;
  const [a, b] = radius < 1 ? [middleOf(from), middleOf(to)] : [from, to];
  const corners = edgesOfStroke(a, b, radius);
  const y0 = Math.max(0, Math.ceil(Math.min(a.y, b.y) - radius - 0.5));
  const y1 = Math.min(mask.height - 1, Math.floor(Math.max(a.y, b.y) + radius - 0.5));
  let touched = null;
  for (let y = y0; y <= y1; y++) {
    const span = spanOfStroke(y + 0.5, a, b, radius, corners);
    const x0 = Math.max(0, Math.ceil(span.low - 0.5));
    const x1 = Math.min(mask.width - 1, Math.floor(span.high - 0.5));
    if (x0 > x1) continue;
    mask.pixels.fill(value, y * mask.width + x0, y * mask.width + x1 + 1);
    touched = union(touched, { x0, y0: y, x1: x1 + 1, y1: y + 1 });
  }
  return touched;
}

function middleOf(point) {
  return { x: Math.floor(point.x) + 0.5, y: Math.floor(point.y) + 0.5 };
}

// A stroke between two points is two discs and the rectangle between them; together they are convex, so every row of
// pixels holds one span.
function spanOfStroke(y, a, b, radius, corners) {
  const span = { low: Infinity, high: -Infinity };
  const reach = (low, high) => {
    span.low = Math.min(span.low, low);
    span.high = Math.max(span.high, high);
  };
  for (const end of [a, b]) {
    const half = Math.sqrt(radius * radius - (y - end.y) ** 2);
    if (half >= 0) reach(end.x - half, end.x + half);
  }
  for (let i = 0; i < corners.length; i++) {
    const p = corners[i];
    const q = corners[(i + 1) % corners.length];
    if (p.y === q.y || y < Math.min(p.y, q.y) || y > Math.max(p.y, q.y)) continue;
    const x = p.x + ((y - p.y) / (q.y - p.y)) * (q.x - p.x);
    reach(x, x);
  }
  return span;
}

function edgesOfStroke(a, b, radius) {
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  if (length === 0) return [];
  const x = (-(b.y - a.y) / length) * radius;
  const y = ((b.x - a.x) / length) * radius;
  return [
    { x: a.x + x, y: a.y + y },
    { x: b.x + x, y: b.y + y },
    { x: b.x - x, y: b.y - y },
    { x: a.x - x, y: a.y - y },
  ];
}

// Loops that overlap are filled as one area (non-zero winding), as a hand that crosses its own line means it.
function fillPolygon(mask, points, value) {
  let touched = null;
  if (points.length < 3) return touched;
  const ys = points.map((point) => point.y);
  const y0 = Math.max(0, Math.floor(Math.min(...ys)));
  const y1 = Math.min(mask.height - 1, Math.ceil(Math.max(...ys)));
  for (let y = y0; y <= y1; y++) {
    for (const span of spansOfPolygon(points, y + 0.5)) {
      const x0 = Math.max(0, Math.ceil(span.low - 0.5));
      const x1 = Math.min(mask.width, Math.ceil(span.high - 0.5));
      if (x0 >= x1) continue;
      mask.pixels.fill(value, y * mask.width + x0, y * mask.width + x1);
      touched = union(touched, { x0, y0: y, x1, y1: y + 1 });
    }
  }
  return touched;
}

function spansOfPolygon(points, y) {
  const crossings = [];
  for (let i = 0; i < points.length; i++) {
    const p = points[i];
    const q = points[(i + 1) % points.length];
    if (p.y <= y === q.y <= y) continue;
    crossings.push({ x: p.x + ((y - p.y) / (q.y - p.y)) * (q.x - p.x), turn: p.y < q.y ? 1 : -1 });
  }
  crossings.sort((a, b) => a.x - b.x);
  const spans = [];
  let winding = 0;
  let low = 0;
  for (const crossing of crossings) {
    if (winding === 0) low = crossing.x;
    winding += crossing.turn;
    if (winding === 0) spans.push({ low, high: crossing.x });
  }
  return spans;
}

function union(a, b) {
  if (!a || !b) return a || b;
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}
