// Colours as a canvas holds them, red in the lowest byte (little-endian, as every browser's machine is).

// The last pair that was mixed: few pairs occur, and each in long runs.
const mixed = { under: 0, top: 0, colour: 0 };

/**
 * @param {string} colour `#rrggbb`
 * @param {number} alpha 0 to 255.
 */
export function packed(colour, alpha) {
  const value = Number.parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/**
 * One ink over another.
 * @param {number} under
 * @param {number} top
 */
export function over(under, top) {
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
