"""What a file's parts tell before it is decoded: some take minutes to decode though they are small."""

import re

from colpo_core.errors import ImageRejected

MOST_PASSES = 100
"""A progressive JPEG of a camera has about ten scans; each goes through all of the image."""
MOST_CHUNKS = 2000
"""Chunks of a PNG beside those that hold its pixels."""
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_PASS = re.compile(rb"\xff\xda")
_HEAD_BYTES = 8
_AROUND_BYTES = 12


def check_structure(content: bytes) -> None:
    """Refuse a file that has so many parts that reading them would take long.

    Raises:
        ImageRejected: It is a JPEG of more than 100 scans, or a PNG of more than 2,000 chunks beside its pixels.
    """
    if content.startswith(_JPEG):
        too_many = _more_than(MOST_PASSES, content)
    elif content.startswith(_PNG):
        too_many = _has_many_chunks(content)
    else:
        too_many = False
    if too_many:
        raise ImageRejected("The file has so many parts that reading it would take minutes. Export the image anew.")


def _more_than(most: int, content: bytes) -> bool:
    """Whether a JPEG begins more scans; within the data of a scan these two bytes cannot occur."""
    return any(number > most for number, _ in enumerate(_PASS.finditer(content), start=1))


def _has_many_chunks(content: bytes) -> bool:
    at, n_others = len(_PNG), 0
    while at + _HEAD_BYTES <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + _HEAD_BYTES] != b"IDAT":
            n_others += 1
            if n_others > MOST_CHUNKS:
                return True
        at += length + _AROUND_BYTES
    return False
