"""In which encoding a text file is written: told for sure, or refused."""

import codecs
import re
import string

from colpo_core.errors import InputRejected

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]+")
_LETTERS = frozenset(string.ascii_letters.encode())
_LONGEST_RUN = 2
_HANGUL = re.compile(rb"(?:[\xb0-\xc8][\xa1-\xfe])+")
_PEEKED = 1000
# Bytes that the encodings of Western and Central Europe read alike, so that nobody's name can be misread.
_ALIKE = frozenset(
    code
    for code in range(0xA0, 0x100)
    if len({bytes([code]).decode(name, "replace") for name in ("cp1252", "cp1250", "cp1254")}) == 1
)
_HOW = "Save it as “CSV UTF-8”, or as an Excel workbook (.xlsx)."


def told_encoding(content: bytes, name: str) -> str:
    """The encoding of a text file, as Python calls it.

    UTF-8, and whatever has a byte order mark, is told by its bytes. Else Hangul (code page 949) and Western letters
    (Windows-1252) are taken where nothing else can be meant: all that is not ASCII comes in pairs that are Hangul, or
    stands singly within words and is one letter in all encodings of Western and Central Europe.

    Args:
        content: All of the file.
        name: Its name, for the error.

    Raises:
        InputRejected: It is no text, or its encoding cannot be told for sure.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _checked(content, encoding, name)
    if b"\0" in content[:_PEEKED]:
        return _checked(content, _utf_16_without_mark(content, name), name)
    if _decodes(content, "utf-8"):
        return "utf-8"
    is_hangul = all(_HANGUL.fullmatch(run) for run in set(_HIGH.findall(content)))
    is_western = _is_western(content)
    if is_hangul and not is_western:
        return "cp949"
    if is_western and not _decodes(content, "cp949"):
        return "cp1252"
    raise InputRejected(f"{name} is no UTF-8 text, and which other encoding it has cannot be told for sure. {_HOW}")


def _is_western(content: bytes) -> bool:
    """Whether all that is not ASCII are one or two letters within a word, the same in Western and Central Europe."""
    for found in _HIGH.finditer(content):
        before, after = content[found.start() - 1 : found.start()], content[found.end() : found.end() + 1]
        if len(found[0]) > _LONGEST_RUN or not _LETTERS.intersection(before + after):
            return False
        if not _ALIKE.issuperset(found[0]):
            return False
    return True


def _utf_16_without_mark(content: bytes, name: str) -> str:
    start = content[: _PEEKED // 2 * 2]
    for encoding, empty, full in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        if not any(start[empty::2]) and all(start[full::2]):
            return encoding
    raise InputRejected(f"{name} is no text. {_HOW}")


def _checked(content: bytes, encoding: str, name: str) -> str:
    if not _decodes(content, encoding):
        raise InputRejected(f"{name} is damaged: it does not hold the text that its first bytes promise. {_HOW}")
    return encoding


def _decodes(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), 1 << 20):
            decoder.decode(content[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
