"""Images as files of each format, made in memory."""

import io
from typing import Any

from PIL import Image

ORIENTATION = 0x0112


def file_of(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **options)
    return buffer.getvalue()
