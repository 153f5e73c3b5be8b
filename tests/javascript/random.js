// What is drawn by chance in the tests, the same in every run.

/** Numbers from 0 to 1, outside (mulberry32). */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A mask of one pixel to 40 x 40 of them, of every density. */
export function randomMask(random) {
  const [width, height] = [1 + Math.floor(random() * 40), 1 + Math.floor(random() * 40)];
  const density = [0, 0.03, 0.5, 0.97, 1][Math.floor(random() * 5)];
  return { pixels: Uint8Array.from({ length: width * height }, () => Number(random() < density)), width, height };
}
