import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.studies.presenting import blinded_jpeg

RGB = np.dstack([np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))] * 3)


def test_a_reader_gets_the_same_pixels_and_nothing_else() -> None:
    content = blinded_jpeg(RGB)
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not image.getexif()
    seen = np.asarray(image.convert("RGB")).astype(int)
    assert seen.shape == RGB.shape
    assert np.abs(seen - RGB).max() <= 6


def test_the_bytes_do_not_tell_the_stored_file() -> None:
    stored = encode_clean(CleanImage(RGB, width_px=64, height_px=48))
    assert hashlib.sha256(blinded_jpeg(RGB)).hexdigest() != stored.sha256


def test_colour_stays_where_it_is() -> None:
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[:, 8:, 0] = 255
    seen = np.asarray(Image.open(io.BytesIO(blinded_jpeg(rgb)))).astype(int)
    assert seen[:, 8, 0].min() > 200 > 55 > seen[:, 7, 0].max()


@pytest.mark.parametrize("bad", [RGB[..., 0], RGB.astype(float), np.zeros((4, 4, 4), np.uint8)])
def test_only_pixels_are_taken(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="HWC uint8"):
        blinded_jpeg(bad)
