"""Masks on their way to the browser's modules and back, and some to try them with."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

HELPERS = """
const maskOf = ({ digits, width }) =>
  ({ pixels: Uint8Array.from(digits, Number), width, height: digits.length / width });
const patched = (mask, steps) => {
  const before = mask.pixels.slice();
  const patch = atOnce(steps);
  if (!before.every((value, i) => value === mask.pixels[i])) throw new Error("the mask itself was changed");
  if (patch) applyPatch(mask, patch);
  return mask.pixels.join("");
};
"""
"""JavaScript: `maskOf` what `sent` gives, and `patched`, a mask with the patch that steps make of it."""


def sent(mask: Mask) -> dict[str, object]:
    return {"digits": "".join("01"[int(value)] for value in mask.ravel()), "width": mask.shape[1]}


def received(digits: str, like: Mask) -> Mask:
    return (np.frombuffer(digits.encode(), np.uint8) == ord("1")).reshape(like.shape)


def masks(seed: int, n_masks: int) -> Iterator[Mask]:
    """Blobs, noise of every density, empty and full ones, of sizes from one pixel on."""
    rng = np.random.default_rng(seed)
    for number in range(n_masks):
        height, width = (int(side) for side in rng.integers(1, 48, 2))
        noise = rng.random((height, width))
        if number % 3:
            noise = ndimage.gaussian_filter(noise, float(rng.uniform(0.5, 3)))
        yield noise <= np.quantile(noise, (0.0, 0.3, 0.5, 0.7, 0.95, 1.0)[number % 6]) - (number % 6 == 0)


def bounds_of(mask: Mask) -> dict[str, int]:
    """The smallest rectangle around what a mask marks, ends outside."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return {"x0": int(columns[0]), "y0": int(rows[0]), "x1": int(columns[-1]) + 1, "y1": int(rows[-1]) + 1}
