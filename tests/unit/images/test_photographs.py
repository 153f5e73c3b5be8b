"""What can be no photograph is refused with its reason, and values of 12 of 16 bits are never taken unnoticed."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from colpo_core.errors import ImageRejected
from colpo_core.images.decoding import decode_image
from colpo_core.images.photographs import decode_photograph
from tests.support.image_files import ORIENTATION, file_of, png_chunk


def twelve_bits(*, colour: bool) -> np.ndarray:
    """A photograph as a camera of 12 bits keeps it: up to 4095."""
    shape = (64, 96, 3) if colour else (64, 96)
    return np.random.default_rng(3).integers(0, 4096, shape).astype(np.uint16)


def deep_png(pixels: np.ndarray, *, significant: int | None = None) -> bytes:
    """A PNG of 16 bits; with a chunk that says how many are used, where wanted."""
    colour = pixels.ndim == 3
    done, encoded = cv2.imencode(".png", pixels[:, :, ::-1] if colour else pixels)
    assert done
    content = encoded.tobytes()
    if significant is None:
        return content
    body = b"sBIT" + bytes([significant] * (3 if colour else 1))
    return content[:33] + png_chunk(body) + content[33:]


def deep_tiff(pixels: np.ndarray, *, highest: int | None = None) -> bytes:
    """A TIFF of 16 bits without compression; with its highest value, where wanted."""
    samples = 3 if pixels.ndim == 3 else 1
    height, width = pixels.shape[:2]
    data = pixels.astype("<u2").tobytes()
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1), (262, 3, 1, 2 if samples == 3 else 1),
        (277, 3, 1, samples), (278, 4, 1, height), (279, 4, 1, len(data)), (284, 3, 1, 1),
    ]  # fmt: skip
    n_tags = len(tags) + 2 + (highest is not None)
    extra_at = 8 + 2 + 12 * n_tags + 4
    extra = b"".join(struct.pack("<3H", *[16] * 3) if samples == 3 else b"" for _ in range(1))
    if highest is not None:
        highest_at = extra_at + len(extra)
        extra += struct.pack("<3H", *[highest] * 3) if samples == 3 else b""
        tags.append((281, 3, samples, highest_at if samples == 3 else highest))
    tags.append((258, 3, samples, extra_at if samples == 3 else 16))
    tags.append((273, 4, 1, extra_at + len(extra)))
    listed = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\x00" + struct.pack("<IH", 8, n_tags) + listed + b"\x00" * 4 + extra + data


@pytest.mark.parametrize("colour", [False, True])
def test_twelve_of_sixteen_bits_are_stretched_where_the_file_says_so(colour: bool) -> None:
    pixels = twelve_bits(colour=colour)
    wanted = np.round(pixels / 4095 * 255)
    for content in (deep_png(pixels, significant=12), deep_tiff(pixels, highest=4095)):
        image = decode_photograph(content)
        shown = image.rgb if colour else image.rgb[:, :, 0]
        assert np.abs(shown - wanted).max() <= 0.51
        assert image.bits == 16


@pytest.mark.parametrize("colour", [False, True])
def test_twelve_bits_that_stand_in_the_upper_ones_are_not_stretched_again(colour: bool) -> None:
    pixels = twelve_bits(colour=colour) << 4
    rgb = decode_photograph(deep_png(pixels, significant=12)).rgb
    assert np.abs((rgb if colour else rgb[:, :, 0]) - pixels / 257.0).max() < 1.01
    dark = twelve_bits(colour=colour) // 16 << 4
    with pytest.raises(ImageRejected, match="come in black"):
        decode_photograph(deep_png(dark, significant=12))


@pytest.mark.parametrize("colour", [False, True])
def test_twelve_bits_of_which_the_file_says_nothing_are_never_taken_in_silence(colour: bool) -> None:
    pixels = twelve_bits(colour=colour)
    for content in (deep_png(pixels), deep_tiff(pixels)):
        with pytest.raises(ImageRejected, match="12 bits or fewer and the file does not say so"):
            decode_photograph(content)


def test_a_deep_image_is_still_turned_upright() -> None:
    pixels = twelve_bits(colour=True)
    plain = deep_png(pixels, significant=12)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\x00\x00")
    turned = decode_photograph(plain[:33] + png_chunk(body) + plain[33:])
    assert np.array_equal(turned.rgb, np.rot90(decode_photograph(plain).rgb, 3))


def noisy(high: int, *, low: int = 0, shape: tuple[int, ...] = (64, 96, 3)) -> np.ndarray:
    return np.random.default_rng(5).integers(low, high, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("pixels", "why"),
    [
        (noisy(255, shape=(1, 1, 3)), "1 × 1 pixels"),
        (noisy(255, shape=(15, 90, 3)), "90 × 15 pixels"),
        (np.zeros((40, 60, 3), np.uint8), "black all over"),
        (noisy(6), "black all over"),
        (noisy(255, low=250), "white all over"),
        (noisy(104, low=100), "of one colour all over"),
        (noisy(17), "all but black"),
        (np.where(noisy(2, shape=(64, 96)) > 0, 255, 0).astype(np.uint8), "mask or a drawing"),
        (np.where(noisy(2, shape=(64, 96)) > 0, 1, 0).astype(np.uint8), "black all over"),
        (np.where(np.arange(96) < 40, 255, 0).astype(np.uint8) * np.ones((64, 1), np.uint8), "mask or a drawing"),
        (
            np.array([[10, 20, 30], [200, 40, 30], [90, 90, 90]], np.uint8)[noisy(3, shape=(64, 96))],
            "mask or a drawing",
        ),
    ],
)
def test_what_cannot_be_a_photograph_is_refused_with_its_reason(pixels: np.ndarray, why: str) -> None:
    content = file_of(Image.fromarray(pixels), "PNG")
    with pytest.raises(ImageRejected, match=why):
        decode_photograph(content)
    decode_image(content)


def test_a_mask_that_went_through_a_jpeg_is_still_one() -> None:
    mask = Image.fromarray(np.where(np.hypot(*np.mgrid[-60:60, -80:80]) < 40, 255, 0).astype(np.uint8))
    with pytest.raises(ImageRejected, match="mask or a drawing"):
        decode_photograph(file_of(mask, "JPEG"))


def test_a_dark_photograph_with_one_bright_spot_and_one_between_black_bars_are_taken() -> None:
    dark = noisy(30)
    assert np.array_equal(decode_photograph(file_of(Image.fromarray(dark), "PNG")).rgb, dark)
    between = np.pad(noisy(255), ((80, 80), (0, 0), (0, 0)))
    assert decode_photograph(file_of(Image.fromarray(between), "PNG")).height_px == 224
