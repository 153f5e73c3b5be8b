"""Sound images come in upright and clean; everything else is refused with its reason."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from colpo_core.errors import ImageRejected
from colpo_core.images.decoding import CleanImage, decode_image, encode_clean, read_rgb, thumbnail_jpeg
from tests.support.image_files import ORIENTATION, file_of, png_chunk

HEIGHT, WIDTH = 24, 36
LOSSLESS = ["PNG", "TIFF", "BMP"]


def gradient(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) % 256], axis=2).astype(np.uint8)


def noisy_jpeg(**options: Any) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    return file_of(Image.fromarray(noise), "JPEG", **options)


def photo(file_format: str = "PNG", pixels: NDArray[Any] | None = None, **options: Any) -> bytes:
    """A file of these pixels, or else of the gradient."""
    return file_of(Image.fromarray(gradient() if pixels is None else pixels), file_format, **options)


def png(width: int, height: int, *, bits: int, pixels: bytes) -> bytes:
    """A PNG whose header may say another size than its pixels have."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(png_chunk, (header, b"IDAT" + zlib.compress(pixels), b"IEND")))


def png_header(width: int, height: int) -> bytes:
    """The first bytes of a PNG of any size, without its pixels."""
    return png(width, height, bits=8, pixels=b"\x00" * 100)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def assert_refused(content: bytes, why: str) -> None:
    with pytest.raises(ImageRejected, match=why):
        decode_image(content)


@pytest.mark.parametrize("file_format", LOSSLESS)
def test_lossless_formats_keep_every_pixel(file_format: str) -> None:
    image = decode_image(photo(file_format))
    assert (image.width_px, image.height_px) == (WIDTH, HEIGHT)
    assert np.array_equal(image.rgb, gradient())


def test_jpeg_is_taken() -> None:
    image = decode_image(photo("JPEG", quality=95))
    assert np.abs(image.rgb.astype(int) - gradient()).mean() < 8


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "TIFF deflate"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_once(file_format: str, orientation: int) -> None:
    """A corner that is white when upright is white at the same place, however the camera was held."""
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:8, :8] = 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    name, _, compression = file_format.partition(" ")
    options = {"compression": "tiff_adobe_deflate"} if compression else {}
    image = decode_image(photo(name, np.ascontiguousarray(stored), exif=exif_of(orientation), **options))
    assert (image.width_px, image.height_px) == (48, 32)
    assert np.abs(image.rgb.astype(int) - upright).max() < 40


def test_an_unknown_orientation_leaves_the_image_as_it_is() -> None:
    assert np.array_equal(decode_image(photo(exif=exif_of(77))).rgb, gradient())


@pytest.mark.parametrize("exif", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff"])
def test_unreadable_exif_data_do_not_spoil_an_image(exif: bytes) -> None:
    assert decode_image(photo("JPEG", exif=exif)).width_px == WIDTH


OTHER = Image.fromarray(255 - gradient())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"Case 12, 34 years, HPV 16\n" * 9, "not an image"),
        (b"\x00" * 500, "not an image"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x00" * 128 + b"DICM" + b"\x00" * 200, "DICOM"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"\x89PNG\r\n\x1a\n", "PNG image but is damaged"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "damaged"),
        (b"BM", "BMP"),
        pytest.param(photo("GIF"), "GIF", id="GIF"),
        pytest.param(photo("WEBP"), "WebP", id="WebP"),
        pytest.param(photo("ICO"), "not an image", id="icon"),
        pytest.param(photo("PNG", save_all=True, append_images=[OTHER]), "several images", id="PNG of two"),
        pytest.param(photo("TIFF", save_all=True, append_images=[OTHER]), "several images", id="TIFF of two"),
        pytest.param(
            file_of(Image.fromarray(gradient()).convert("P"), "GIF", save_all=True, append_images=[OTHER.convert("P")]),
            "GIF",
            id="animation saved under another name",
        ),
        pytest.param(photo("TIFF", np.ones((8, 8), np.float32)), "8 or 16 bits", id="deeper pixels"),
        *(
            pytest.param(png_header(width, height), "megapixels; at most 50", id=f"{width} x {height}")
            for width, height in ((10_000, 5001), (50_000_001, 1), (10_000, 9500), (100_000, 100_000))
        ),
        pytest.param(png_header(10_000, 5000), "damaged", id="fifty megapixels pass the first look"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(content: bytes, why: str) -> None:
    assert_refused(content, why)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("file_format", ["JPEG", "JPEG progressive", "PNG", "TIFF", "TIFF deflate", "BMP"])
def test_a_file_cut_short_is_refused(file_format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    name, _, kind = file_format.partition(" ")
    options = {"progressive": {"progressive": True}, "deflate": {"compression": "tiff_adobe_deflate"}}.get(kind, {})
    content = photo(name, noise, **options)
    assert_refused(content[: int(len(content) * share)], r"damaged|cut short")


@pytest.mark.parametrize("n_lost", [1, 2, 12, 13])
def test_a_missing_end_is_noticed(n_lost: int) -> None:
    assert_refused(photo()[: -max(n_lost, 9)], "cut short")
    assert_refused(noisy_jpeg()[:-n_lost], r"cut short|damaged")


def test_bytes_behind_the_end_do_no_harm() -> None:
    assert decode_image(noisy_jpeg() + b"\x00" * 700).width_px == 64
    assert decode_image(photo() + b"\x00" * 9000).width_px == WIDTH


def test_a_camera_file_with_a_preview_gives_its_photograph() -> None:
    first, preview = Image.fromarray(gradient()), Image.fromarray(gradient()[::2, ::2])
    image = decode_image(file_of(first, "MPO", save_all=True, append_images=[preview]))
    assert (image.width_px, image.height_px) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_become_eight(file_format: str) -> None:
    deep = np.linspace(0, 65535, 24 * 36).astype(np.uint16).reshape(24, 36)
    rgb = decode_image(file_of(Image.fromarray(deep), file_format)).rgb
    assert np.abs(rgb[:, :, 0] - deep / 257.0).max() <= 0.5
    assert np.array_equal(rgb[:, :, 0], rgb[:, :, 2])


def test_sixteen_bits_of_colour_become_eight() -> None:
    content = png(2, 1, bits=16, pixels=b"\x00" + struct.pack(">6H", 0, 32768, 65535, 257, 514, 65280))
    assert decode_image(content).rgb.tolist() == [[[0, 128, 255], [1, 2, 255]]]


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "LA", "RGBA"])
def test_every_common_colour_mode_becomes_rgb(mode: str) -> None:
    red = Image.new("RGB", (40, 30), (200, 60, 60))
    image = red.quantize(4) if mode == "P" else red.convert(mode)
    options = {"compression": "tiff_adobe_deflate"} if mode in {"CMYK", "YCbCr"} else {}
    rgb = decode_image(file_of(image, "TIFF" if options else "PNG", **options)).rgb
    assert rgb.shape == (30, 40, 3)
    if mode in {"P", "CMYK", "YCbCr", "RGBA"}:
        assert np.abs(rgb.astype(int) - [200, 60, 60]).max() < 12


def test_a_printers_jpeg_is_not_inverted() -> None:
    red = Image.new("RGB", (40, 30), (200, 60, 60)).convert("CMYK")
    rgb = decode_image(file_of(red, "JPEG", quality=95)).rgb
    assert np.abs(rgb.astype(int) - [200, 60, 60]).max() < 12


def test_transparent_pixels_become_black() -> None:
    rgba = np.dstack([gradient(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba[:6, :, 3] = 0
    rgb = decode_image(file_of(Image.fromarray(rgba), "PNG")).rgb
    assert not rgb[:6].any()
    assert np.array_equal(rgb[6:], gradient()[6:])


def test_a_transparent_palette_colour_becomes_black() -> None:
    image = Image.new("P", (10, 10), 1)
    image.putpalette([255, 255, 255, 10, 20, 30])
    image.putpixel((0, 0), 0)
    rgb = decode_image(file_of(image, "PNG", transparency=0)).rgb
    assert rgb[0, 0].tolist() == [0, 0, 0]
    assert rgb[5, 5].tolist() == [10, 20, 30]


def test_an_outline_on_transparent_ground_is_no_photograph() -> None:
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[5, :] = (255, 0, 255, 255)
    assert_refused(photo("PNG", rgba), "transparent")


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """A sound profile of a device whose first channel is blue and whose last is red."""
    profile = srgb_profile().replace("sRGB".encode("utf-16-be"), "Test".encode("utf-16-be"))
    return profile.replace(b"rXYZ", b"tmp_").replace(b"bXYZ", b"rXYZ").replace(b"tmp_", b"bXYZ")


def test_a_colour_profile_is_applied() -> None:
    stored = Image.new("RGB", (8, 8), (30, 60, 220))
    rgb = decode_image(file_of(stored, "PNG", icc_profile=swapped_profile())).rgb
    assert np.abs(rgb.astype(int) - [220, 60, 30]).max() <= 3


@pytest.mark.parametrize("kind", ["srgb", "lab", "damaged"])
def test_a_profile_that_says_nothing_new_changes_nothing(kind: str) -> None:
    profile = {
        "srgb": srgb_profile(),
        "lab": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        "damaged": b"not a profile",
    }[kind]
    content = photo(icc_profile=profile)
    assert np.array_equal(decode_image(content).rgb, gradient())


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_nothing_but_pixels_stays(file_format: str) -> None:
    secret = b"MARIA POPESCU"
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    exif[0x9286] = secret
    options: dict[str, Any] = {"exif": exif, "icc_profile": secret * 20, "dpi": (300, 300)}
    if file_format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Patient", secret.decode())
        text.add_itxt("XML:com.adobe.xmp", secret.decode())
        options["pnginfo"] = text
    if file_format == "JPEG":
        options |= {"comment": secret, "xmp": secret}
    content = photo(file_format, **options)
    assert secret in content
    clean = encode_clean(decode_image(content))
    assert secret not in clean.content
    assert clean.media_type == "image/png"
    with Image.open(io.BytesIO(clean.content)) as image:
        assert image.info == {}
        assert not image.getexif()
    assert _chunks(clean.content) <= {b"IHDR", b"IDAT", b"IEND"}


def _chunks(png: bytes) -> set[bytes]:
    at, names = 8, set()
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        names.add(png[at + 4 : at + 8])
        at += 12 + length
    return names


def test_equal_pixels_give_equal_files() -> None:
    from_png = encode_clean(decode_image(photo()))
    from_bmp = encode_clean(decode_image(photo("BMP")))
    assert from_png == from_bmp
    assert len(from_png.sha256) == 64
    assert np.array_equal(read_rgb(from_png.content), gradient())
    again = encode_clean(decode_image(from_png.content))
    assert again.sha256 == from_png.sha256


def test_a_damaged_stored_file_says_so() -> None:
    clean = encode_clean(CleanImage(gradient(), width_px=WIDTH, height_px=HEIGHT))
    for broken in (clean.content[:60], b"", b"\xff\xd8\xff"):
        with pytest.raises(ImageRejected, match="back-up"):
            read_rgb(broken)
        with pytest.raises(ImageRejected, match="back-up"):
            thumbnail_jpeg(broken)


def test_a_thumbnail_keeps_the_aspect_and_never_grows() -> None:
    clean = encode_clean(CleanImage(gradient(100, 150), width_px=150, height_px=100))
    small = Image.open(io.BytesIO(thumbnail_jpeg(clean.content, 60)))
    assert (small.format, small.size) == ("JPEG", (60, 40))
    assert Image.open(io.BytesIO(thumbnail_jpeg(clean.content))).size == (150, 100)


def test_size_and_pixels_must_agree() -> None:
    with pytest.raises(ValueError, match="H x W x 3"):
        CleanImage(gradient(), width_px=HEIGHT, height_px=WIDTH)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "TIFF", "BMP"]), st.data())
def test_damaged_bytes_are_an_image_or_refused(file_format: str, data: st.DataObject) -> None:
    content = bytearray(file_of(Image.fromarray(gradient(12, 12)), file_format))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = decode_image(bytes(content))
    except ImageRejected:
        return
    assert image.rgb.shape == (image.height_px, image.width_px, 3)
