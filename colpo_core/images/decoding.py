"""Decode what a person hands in, refuse what is not a sound image, and write it clean.

A clean file is a PNG that holds pixels and nothing else: no EXIF, no colour profile, no XMP, no text, no thumbnail.
What the dropped fields said about the pixels themselves is done to the pixels first: the orientation is applied, and
colours are brought from their profile to sRGB.
"""

import hashlib
import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin, UnidentifiedImageError

from colpo_core.errors import ImageRejected
from colpo_core.images.file_structure import check_structure

MAX_PIXELS = 50_000_000
TAKEN_FORMATS = ("JPEG", "PNG", "TIFF", "BMP")
_PNG_COMPRESS_LEVEL = 4  # a sixth of the time of level 9 for a file of nearly the same size
_THUMBNAIL_QUALITY = 85
_PLAIN_MODES = {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"}
_TIFF_BITS_PER_SAMPLE = 258
_TIFF_HIGHEST_VALUE = 281
_DEEP_BITS = 16
_PNG_DEPTH_AT = 24
_ORIENTATION = 0x0112
_ONE_AT_A_TIME = threading.Lock()
# What Pillow and the libraries below it raise on bytes that are not what they claim to be.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
# How the files begin that people try; the four taken formats stand here to tell "damaged" from "unknown".
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "video"),
    (128, b"DICM", "DICOM"),
    (0, b"%PDF", "PDF"),
)


@dataclass(frozen=True, eq=False)
class CleanImage:
    """A decoded image without anything but its pixels.

    Attributes:
        rgb: H x W x 3 uint8, upright.
        width_px: Width in pixels.
        height_px: Height in pixels.
        bits: Of each value in the file that it was read from, 8 or 16.
        left_aside: Further images in that file, of which the first alone was taken.
    """

    rgb: NDArray[np.uint8]
    width_px: int
    height_px: int
    bits: int = 8
    left_aside: int = 0

    def __post_init__(self) -> None:
        """Check that size and pixels agree.

        Raises:
            ValueError: They do not.
        """
        if self.rgb.dtype != np.uint8 or self.rgb.shape != (self.height_px, self.width_px, 3):
            raise ValueError(f"an image is H x W x 3 uint8, not {self.rgb.dtype} of shape {self.rgb.shape}")


@dataclass(frozen=True)
class CleanFile:
    """A clean image as a file.

    Attributes:
        content: The PNG.
        media_type: `image/png`.
        sha256: Hash of the content, in hexadecimal.
    """

    content: bytes
    media_type: Literal["image/png"]
    sha256: str


def decode_image(content: bytes) -> CleanImage:
    """Decode a file fully, or say why it is not taken.

    The orientation of the EXIF data is applied. Grey, palette, 16-bit, CMYK and YCbCr become 8-bit RGB. Where the file
    says that fewer of its 16 bits are used, and its values are so low, they are stretched to the whole range. A colour
    profile other than sRGB is applied; one that cannot be read is left aside. Transparent pixels become black, as
    the surround of a colposcope's image is. Of a camera's JPEG that carries a preview behind the photograph, the
    photograph is taken.

    Raises:
        ImageRejected: It is no JPEG, PNG, TIFF or BMP, is damaged or cut short, holds several images, or is larger
            than 50 megapixels (told from its header, before anything is decoded).
    """
    if not content:
        raise ImageRejected("The file is empty. Copy it again from where it came.")
    try:
        check_structure(content)
        with _alone(), Image.open(io.BytesIO(content), formats=TAKEN_FORMATS) as image:
            _check_size(image)
            _check_single(image)
            _check_end(image, content)
            image.load()
            left_aside = getattr(image, "n_frames", 1) - 1 if image.format == "MPO" else 0
            bits, used = _depth(image, content)
            rgb = _to_rgb(_upright(_stretched(image, content, used)), used)
    except Image.DecompressionBombError as error:
        raise ImageRejected(_too_large("far more than 50")) from error
    except UnidentifiedImageError as error:
        raise ImageRejected(_unidentified(content)) from error
    except DECODER_ERRORS as error:
        raise ImageRejected(
            "The image is damaged or cut short and could not be read to its end. Copy or export it again."
        ) from error
    return CleanImage(rgb, width_px=rgb.shape[1], height_px=rgb.shape[0], bits=bits, left_aside=left_aside)


def encode_clean(image: CleanImage) -> CleanFile:
    """Write an image as a lossless PNG without metadata; equal pixels give equal files."""
    buffer = io.BytesIO()
    Image.fromarray(image.rgb).save(buffer, format="PNG", compress_level=_PNG_COMPRESS_LEVEL)
    content = buffer.getvalue()
    return CleanFile(content, media_type="image/png", sha256=hashlib.sha256(content).hexdigest())


def read_rgb(content: bytes) -> NDArray[np.uint8]:
    """Decode a file that `encode_clean` wrote.

    Returns:
        H x W x 3 uint8, writable.

    Raises:
        ImageRejected: The file is damaged.
    """
    return np.array(_open_clean(content), np.uint8)


def thumbnail_jpeg(content: bytes, max_side_px: int = 320) -> bytes:
    """Draw a small JPEG of a clean file.

    Args:
        content: A file that `encode_clean` wrote.
        max_side_px: Upper bound of its longer side; a smaller image keeps its size.

    Raises:
        ImageRejected: The file is damaged.
    """
    image = _open_clean(content)
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=_THUMBNAIL_QUALITY)
    return buffer.getvalue()


@contextmanager
def _alone() -> Iterator[None]:
    """Decode one file at a time and without the decoder's warnings.

    A lock bounds the memory that several uploads take together, and keeps apart the threads that set the warning
    filters, which belong to the whole process. The warnings tell of broken metadata, which is dropped anyway, and of
    sizes, which are checked here.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open_clean(content: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            return image.convert("RGB")
    except DECODER_ERRORS as error:
        raise ImageRejected("A stored image is damaged. Restore it from the last back-up of the store.") from error


def _check_size(image: Image.Image) -> None:
    n_pixels = image.width * image.height
    if n_pixels > MAX_PIXELS:
        raise ImageRejected(_too_large(f"{n_pixels / 1e6:.1f}"))


def _too_large(megapixels: str) -> str:
    return f"The image has {megapixels} megapixels; at most 50 are taken. Export it smaller."


def _check_single(image: Image.Image) -> None:
    # A camera's MPO is one photograph with previews behind it; everything else with frames is not a photograph.
    if image.format == "MPO":
        return
    # To count the pages of a TIFF takes the square of their number.
    has_more = _has_second_page(image) if image.format == "TIFF" else getattr(image, "n_frames", 1) > 1
    if has_more:
        raise ImageRejected("The file is animated or holds several images. Save each image in a file of its own.")


def _has_second_page(image: Image.Image) -> bool:
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return False
    return True


def _check_end(image: Image.Image, content: bytes) -> None:
    """Refuse a file whose end is missing even where the decoder would fill in what is not there.

    In a JPEG the two bytes that open a scan cannot occur within its data, so the last scan must be followed by the
    end of the image. A PNG must hold its closing chunk.
    """
    if image.format in {"JPEG", "MPO"}:
        whole = content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")
    elif image.format == "PNG":
        whole = b"IEND" in content[-4096:] or b"\x00\x00\x00\x00IEND\xaeB`\x82" in content
    else:
        whole = True
    if not whole:
        raise ImageRejected("The image is cut short: its end is missing. Copy it again from where it came.")


def _upright(image: Image.Image) -> Image.Image:
    """Turn the image as its EXIF data says; unreadable EXIF data say nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except DECODER_ERRORS:
        return image


def _to_rgb(image: Image.Image, used_bits: int) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):
        grey = _to_eight_bits(np.asarray(image).astype(np.uint16), used_bits)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        image = _on_black(image)
    elif image.mode not in _PLAIN_MODES:
        raise ImageRejected(
            f"The image keeps its colours as {image.mode}, which is not taken. Save it as RGB or grey of 8 or 16 bits."
        )
    return np.array(_to_srgb(image), np.uint8)


def _stretched(image: Image.Image, content: bytes, used_bits: int) -> Image.Image:
    """An image of deep colours that use fewer than 16 bits, in 8 bits; any other as it is.

    Pillow keeps the upper 8 of 16 bits, in which such values have nothing or little.
    """
    if image.mode != "RGB" or used_bits == _DEEP_BITS or image.has_transparency_data:
        return image
    deep = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if deep is None or deep.dtype != np.uint16 or deep.shape != (image.height, image.width, 3):
        raise ImageRejected("The colours of 16 bits cannot be read. Save the image as RGB of 8 bits.")
    stretched = Image.fromarray(_to_eight_bits(np.asarray(deep[:, :, ::-1], np.uint16), used_bits))
    stretched.info |= {name: image.info[name] for name in ("icc_profile",) if name in image.info}
    with suppress(*DECODER_ERRORS):  # unreadable EXIF data say nothing
        stretched.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return stretched


def _to_eight_bits(deep: NDArray[np.uint16], used: int) -> NDArray[np.uint8]:
    """Values of 16 bits as 8, of which so many bits are used that the file says.

    A PNG that says 12 may keep them as it should, in the upper bits: then the lower are empty, or the values high.
    """
    is_upper = int(deep.max(initial=0)) >= 2**used or not bool((deep & (2 ** (_DEEP_BITS - used) - 1)).any())
    brightest = 2 ** (_DEEP_BITS if is_upper else used) - 1
    return np.asarray((deep.astype(np.uint32) * 255 + brightest // 2) // brightest, np.uint8)


def _depth(image: Image.Image, content: bytes) -> tuple[int, int]:
    """The bits of each value in the file, and how many of them it says that its values use."""
    bits = said = 8
    if image.format == "PNG":
        bits = content[_PNG_DEPTH_AT]
        said = max(_significant_bits(content), default=bits)
    elif isinstance(image, TiffImagePlugin.TiffImageFile):
        said = int(image.tag_v2.get(_TIFF_BITS_PER_SAMPLE, (8,))[0])
        bits = 8 if said <= 8 else _DEEP_BITS
        highest = image.tag_v2.get(_TIFF_HIGHEST_VALUE, 0)
        limits = [int(value).bit_length() for value in (highest if isinstance(highest, tuple) else (highest,))]
        said = min(said, max(limits) or said)
    if bits < _DEEP_BITS:
        return 8, _DEEP_BITS
    return bits, said if 8 < said < _DEEP_BITS else _DEEP_BITS


def _significant_bits(content: bytes) -> bytes:
    """The chunk sBIT of a PNG: one number for each channel, or nothing. It stands before the pixels."""
    at = 8
    while at + 8 <= len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        if name == b"sBIT":
            return content[at + 8 : at + 8 + length]
        if name == b"IDAT":
            break
        at += length + 12
    return b""


def _on_black(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba)[:, :, 3]
    if np.mean(alpha == 0) > 0.5:
        raise ImageRejected(
            "More than half of the image is transparent: it looks like a drawing to lay over an image. "
            "Choose the photograph itself."
        )
    black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
    flat = Image.alpha_composite(black, rgba).convert("RGB")
    if profile and image.mode in {"RGBA", "RGB"}:
        flat.info["icc_profile"] = profile
    return flat


def _to_srgb(image: Image.Image) -> Image.Image:
    """Bring colours from the file's own profile to sRGB, which is what every file without a profile means."""
    profile_bytes = image.info.get("icc_profile")
    if profile_bytes and image.mode in {"RGB", "CMYK"}:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
            if "srgb" not in ImageCms.getProfileDescription(profile).lower():
                converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, *DECODER_ERRORS):
            # A damaged profile, or one of another kind of image, is no reason to refuse sound pixels.
            return image.convert("RGB")
    return image.convert("RGB")


def _unidentified(content: bytes) -> str:
    name = next((name for at, magic, name in _SIGNATURES if content[at : at + len(magic)] == magic), None)
    if name in TAKEN_FORMATS:
        return f"The file begins like a {name} image but is damaged or cut short. Copy or export it again."
    if name is not None:
        return f"The file is of the kind {name}, which is not taken. Save it as JPEG, PNG, TIFF or BMP."
    return "The file is not an image. JPEG, PNG, TIFF and BMP files are taken."
