// The ruler and the areas: what is measured, and in percent of what. Nothing of it is saved.
//
// 100 percent of a length is the cervix's largest diameter, 100 percent of an area the cervix's area, both of the layer
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
