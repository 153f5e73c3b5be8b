"""Small files that would take minutes to decode are refused before they are decoded."""

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from colpo_core.errors import ImageRejected
from colpo_core.images.decoding import decode_image
from colpo_core.images.file_structure import MOST_CHUNKS, MOST_PASSES, check_structure
from colpo_core.images.mask_files import read_mask_file
from tests.support.image_files import file_of, photograph, png_chunk

PIXELS = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8))


def jpeg_of_passes(n_passes: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    whole = file_of(PIXELS, "JPEG", progressive=True)
    last = whole.rfind(b"\xff\xda")
    return whole[:last] + whole[last:-2] * (n_passes - whole.count(b"\xff\xda") + 1) + whole[-2:]


def png_of_chunks(n_chunks: int) -> bytes:
    whole = photograph()
    return whole[:33] + png_chunk(b"tEXta\0b") * n_chunks + whole[33:]


@pytest.mark.parametrize(
    "content", [jpeg_of_passes(MOST_PASSES + 1), png_of_chunks(MOST_CHUNKS)], ids=["scans", "chunks"]
)
def test_a_file_of_too_many_parts_is_refused_undecoded(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(ImageRejected, match="so many parts"):
        decode_image(content)
    with pytest.raises(ImageRejected, match="so many parts"):
        read_mask_file(content, width_px=32, height_px=24)


@pytest.mark.parametrize("content", [jpeg_of_passes(MOST_PASSES), png_of_chunks(100), b"\x89PNG\r\n\x1a\n", b"", b"BM"])
def test_as_many_parts_as_cameras_write_are_taken(content: bytes) -> None:
    check_structure(content)


def test_a_second_page_is_refused_without_counting_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(_: object) -> int:
        raise AssertionError("all pages were walked")

    assert decode_image(file_of(PIXELS, "TIFF")).rgb.shape == (24, 32, 3)
    buffer = io.BytesIO()
    PIXELS.save(buffer, "TIFF", save_all=True, append_images=[PIXELS, PIXELS])
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "n_frames", property(count))
    with pytest.raises(ImageRejected, match="several images"):
        decode_image(buffer.getvalue())
