"""The run-length code keeps every mask and takes no lie."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from colpo_core.errors import MaskRejected
from colpo_core.images.masks import decode_rle, encode_rle, mask_png, mask_sha256, resize_mask, rle_area

sides = st.integers(1, 70)
masks = st.tuples(sides, sides).flatmap(lambda shape: hnp.arrays(np.bool_, shape))


def varint(value: int) -> bytes:
    """The plain LEB128 of a number, written apart from the code under test."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def code_of(*runs: int) -> bytes:
    return b"".join(varint(run) for run in runs)


@given(masks)
def test_every_mask_comes_back(mask: NDArray[np.bool_]) -> None:
    code = encode_rle(mask)
    height, width = mask.shape
    assert np.array_equal(decode_rle(code, height_px=height, width_px=width), mask)
    assert rle_area(code, height, width) == mask.sum()


@given(masks)
def test_the_code_is_the_plain_one(mask: NDArray[np.bool_]) -> None:
    runs, value = [0], False
    for pixel in mask.ravel():
        if pixel != value:
            runs.append(0)
            value = bool(pixel)
        runs[-1] += 1
    assert encode_rle(mask) == code_of(*runs)


@pytest.mark.parametrize("area", [1, 127, 128, 16383, 16384, 2097151, 2097152])
def test_runs_of_every_length_come_back(area: int) -> None:
    mask = np.zeros((1, area + 1), np.bool_)
    mask[0, :area] = True
    code = encode_rle(mask)
    assert code == code_of(0, area, 1)
    assert np.array_equal(decode_rle(code, height_px=1, width_px=area + 1), mask)


def test_an_image_of_fifty_megapixels_has_a_code() -> None:
    assert encode_rle(np.zeros((5000, 10000), np.bool_)) == code_of(50_000_000)


def test_all_background_is_one_run_and_all_foreground_two() -> None:
    assert encode_rle(np.zeros((3, 4), np.bool_)) == code_of(12)
    assert encode_rle(np.ones((3, 4), np.bool_)) == code_of(0, 12)


def test_a_view_with_strides_is_read_in_row_major_order() -> None:
    mask = np.zeros((4, 6), np.bool_)
    mask[1, :] = True
    turned = mask.T
    assert np.array_equal(decode_rle(encode_rle(turned), height_px=6, width_px=4), turned)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (b"", "empty"),
        (code_of(11), "add up"),
        (code_of(13), "add up"),
        (code_of(6, 5), "add up"),
        (code_of(6, 7), "add up"),
        (code_of(2**34), "add up"),
        (code_of(6, 0, 6), "empty run"),
        (code_of(6, 6, 0), "empty run"),
        (code_of(0, 0, 12), "empty run"),
        (code_of(12, 0), "empty run"),
        (code_of(12) + b"\x05", "add up"),
        (code_of(12) + b"\x80", "cut short"),
        (b"\x8c", "cut short"),
        (b"\x8c\x00", "longer than it needs"),
        (b"\x80\x00" + code_of(12), "longer than it needs"),
        (b"\x8c\x80\x80\x80\x80\x00", "longer than 5 bytes"),
        (b"\xff" * 9 + b"\x01", "longer than 5 bytes"),
    ],
)
def test_a_lie_is_refused(code: bytes, word: str) -> None:
    with pytest.raises(MaskRejected, match=word):
        decode_rle(code, height_px=3, width_px=4)
    with pytest.raises(MaskRejected, match=word):
        rle_area(code, 3, 4)


@given(st.binary(max_size=40), st.integers(1, 12), st.integers(1, 12))
def test_any_bytes_are_the_code_of_their_mask_or_refused(code: bytes, height: int, width: int) -> None:
    try:
        mask = decode_rle(code, height_px=height, width_px=width)
    except MaskRejected:
        return
    assert encode_rle(mask) == code


@given(masks, st.data())
def test_a_mask_of_another_size_is_refused(mask: NDArray[np.bool_], data: st.DataObject) -> None:
    height, width = data.draw(sides), data.draw(sides)
    if height * width != mask.size:
        with pytest.raises(MaskRejected):
            decode_rle(encode_rle(mask), height_px=height, width_px=width)


@given(masks, st.data())
def test_a_code_cut_short_is_refused(mask: NDArray[np.bool_], data: st.DataObject) -> None:
    code = encode_rle(mask)
    kept = data.draw(st.integers(0, len(code) - 1))
    with pytest.raises(MaskRejected):
        decode_rle(code[:kept], height_px=mask.shape[0], width_px=mask.shape[1])


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.uint8), np.zeros(4, np.bool_), np.zeros((0, 3), np.bool_)])
def test_only_a_mask_is_encoded(array: NDArray[np.bool_]) -> None:
    with pytest.raises(ValueError, match="two-dimensional bool"):
        encode_rle(array)


def test_an_image_without_pixels_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        decode_rle(b"\x00", height_px=0, width_px=4)


def test_equal_masks_have_equal_hashes() -> None:
    mask = np.eye(5, dtype=np.bool_)
    assert mask_sha256(encode_rle(mask)) == mask_sha256(encode_rle(mask.copy(order="F")))
    assert mask_sha256(encode_rle(mask)) != mask_sha256(encode_rle(~mask))


def test_the_png_is_grey_with_0_and_255() -> None:
    mask = np.eye(5, dtype=np.bool_)
    image = Image.open(io.BytesIO(mask_png(mask)))
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), mask * 255)


def test_the_overlay_is_transparent_off_the_mask() -> None:
    mask = np.eye(5, dtype=np.bool_)
    pixels = np.asarray(Image.open(io.BytesIO(mask_png(mask, rgba=(10, 20, 30, 140)))))
    assert pixels.shape == (5, 5, 4)
    assert np.array_equal(pixels[mask], [[10, 20, 30, 140]] * 5)
    assert not pixels[~mask].any()


@pytest.mark.parametrize(("height", "width"), [(20, 30), (40, 60), (120, 180), (20, 180)])
def test_a_resized_mask_keeps_its_share(height: int, width: int) -> None:
    rows, columns = np.mgrid[:40, :60]
    mask = (rows - 20) ** 2 + (columns - 25) ** 2 < 15**2
    resized = resize_mask(mask, height_px=height, width_px=width)
    assert resized.shape == (height, width)
    assert resized.dtype == np.bool_
    assert resized.mean() == pytest.approx(mask.mean(), rel=0.06)
