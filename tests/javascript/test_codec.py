"""The run-length code of the editor's JavaScript agrees with the Python that stores and checks its masks."""

from base64 import b64decode, b64encode
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from colpo_core.images.mask_files import read_mask_file
from colpo_core.images.masks import decode_rle, encode_rle, mask_png
from tests.javascript.conftest import Run

N_MASKS = 1000
# Runs of these lengths stand on either side of where a run takes one byte more.
EDGES = (1, 2, 127, 128, 129, 16383, 16384, 16385, 2097151, 2097152, 2097153)
SIZES = ((1, 1), (1, 977), (983, 1), (480, 640), (1984, 2976), (1979, 2971))
TO_TEXT = """
  const textOf = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  const pixelsOf = (bits, size) => {
    const bytes = bytesFromBase64(bits);
    const pixels = new Uint8Array(size);
    for (let i = 0; i < size; i++) pixels[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
    return pixels;
  };
  const bitsOf = (pixels) => {
    const bytes = new Uint8Array(Math.ceil(pixels.length / 8));
    for (let i = 0; i < pixels.length; i++) bytes[i >> 3] |= pixels[i] << (7 - (i & 7));
    return textOf(bytes);
  };
"""


def bits_of(mask: NDArray[np.bool_]) -> str:
    return b64encode(np.packbits(mask).tobytes()).decode()


def disc(height: int, width: int, at: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - at[0], y - at[1]) < radius


def certain_masks() -> Iterator[NDArray[np.bool_]]:
    """Every border of the code, and sizes from one pixel to a photograph's: empty, full, and a disc."""
    for run in EDGES:
        for first in (False, True):
            mask = np.full((1, run + 1), first)
            mask[0, -1] = not first
            yield mask
    for height, width in SIZES:
        yield np.zeros((height, width), np.bool_)
        yield np.ones((height, width), np.bool_)
        yield disc(height, width, (width / 2, height / 2), min(height, width) / 3)
    yield np.random.default_rng(1).random((1984, 2976)) < 0.001


def random_masks(n_masks: int) -> Iterator[NDArray[np.bool_]]:
    """Noise, lattices, frames, gaps and blobs of odd sizes."""
    rng = np.random.default_rng(7)
    for number in range(n_masks):
        longest = 500 if number % 20 == 0 else 80
        height, width = (int(side) for side in rng.integers(1, longest, 2))
        kind = number % 8
        mask = rng.random((height, width)) < (0.0, 1.0, 0.02, 0.5, 0.98, 0.0, 0.0, 0.0)[kind]
        if kind == 5:
            mask[:: int(rng.integers(1, 4)), :: int(rng.integers(1, 4))] = True
        if kind == 6:
            mask[[0, -1]], mask[:, [0, -1]] = True, True
        if kind == 7:
            for x, y, radius in rng.random((3, 3)) * (width, height, min(height, width) / 2):
                mask |= disc(height, width, (x, y), radius)
        yield mask


def test_a_thousand_masks_come_out_as_they_were_painted(run_javascript: Run) -> None:
    """Painted pixels, the editor's code, the server's mask, the exported PNG read again, the editor's pixels."""
    certain = list(certain_masks())
    masks = certain + list(random_masks(N_MASKS - len(certain)))
    painted = [{"bits": bits_of(mask), "size": mask.size} for mask in masks]
    body = "return given.map(({ bits, size }) => textOf(encodeRle(pixelsOf(bits, size))));"
    codes = run_javascript(TO_TEXT + body, painted)
    exported = []
    for mask, text in zip(masks, codes, strict=True):
        height_px, width_px = mask.shape
        stored = decode_rle(b64decode(text), height_px=height_px, width_px=width_px)
        read = read_mask_file(mask_png(stored), height_px=height_px, width_px=width_px)
        assert np.array_equal(read, mask)
        assert b64decode(text) == encode_rle(read)
        exported.append({"code": text, "size": mask.size})
    body = "return given.map(({ code, size }) => bitsOf(decodeRle(bytesFromBase64(code), size)));"
    assert run_javascript(TO_TEXT + body, exported) == [mask["bits"] for mask in painted]


def test_one_mask_becomes_another_pixel_for_pixel(run_javascript: Run) -> None:
    """A step back, or a mask that is loaded, writes only what differs; the rectangle that it names holds all of it."""
    rng = np.random.default_rng(11)
    given = []
    for mask in random_masks(300):
        before = mask ^ (rng.random(mask.shape) < rng.choice([0.0, 0.01, 0.5, 1.0]))
        given.append({"before": bits_of(before), "code": b64encode(encode_rle(mask)).decode(), "shape": mask.shape})
    body = """
      return given.map(({ before, code, shape: [height, width] }) => {
        const mask = { pixels: pixelsOf(before, height * width), width, height };
        const touched = applyRle(mask, bytesFromBase64(code));
        return { bits: bitsOf(mask.pixels), touched };
      });
    """
    for step, told in zip(given, run_javascript(TO_TEXT + body, given), strict=True):
        height, width = step["shape"]
        after = decode_rle(b64decode(step["code"]), height_px=height, width_px=width)
        before = np.unpackbits(np.frombuffer(b64decode(step["before"]), np.uint8))[: after.size].reshape(height, width)
        assert told["bits"] == bits_of(after)
        differs = before.astype(np.bool_) ^ after
        if not differs.any():
            assert told["touched"] is None
            continue
        box = told["touched"]
        differs[box["y0"] : box["y1"], box["x0"] : box["x1"]] = False
        assert not differs.any()
