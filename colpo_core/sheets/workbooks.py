"""Tables in Excel workbooks (.xlsx), row by row."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from colpo_core.errors import InputRejected
from colpo_core.sheets.values import heading

SIGNATURE = b"PK\x03\x04"
# A sheet's text is some fifty times its file; more is no table but an attack on memory.
LARGEST_UNPACKED = 2_000_000_000
# What openpyxl raises of files that are none, lack a part (KeyError), or hold broken XML (a SyntaxError) or numbers.
_DAMAGED = (InvalidFileException, zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError, SyntaxError)


@dataclass(frozen=True)
class WorkbookTable:
    """A sheet whose headings are known.

    Attributes:
        name: The file's name, for errors.
        content: The file.
        sheet: Name of the sheet.
        headings: The cells of the first row that has any.
        line: That row, from 1.
        others: Names of the other sheets that hold something.
    """

    name: str
    content: bytes
    sheet: str
    headings: tuple[str, ...]
    line: int
    others: tuple[str, ...]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Row of the sheet, and its cells as text: numbers with a point, days as YYYY-MM-DD, truth as TRUE or FALSE.

        Raises:
            InputRejected: The workbook is damaged.
        """
        try:
            for line, cells in _rows(_opened(self.content)[self.sheet]):
                if line > self.line:
                    yield line, cells + [""] * (len(self.headings) - len(cells))
        except _DAMAGED as error:
            raise _damaged(self.name) from error


def open_workbook(content: bytes, name: str, known: Sequence[frozenset[str]]) -> WorkbookTable:
    """Find the sheet with the headings that are looked for.

    Args:
        content: The file.
        name: Its name, for errors.
        known: The headings, as `heading` compares them, those of one column together.

    Raises:
        InputRejected: It is no workbook, it is damaged or grows too large, or several sheets have these headings.
    """
    _check_size(content, name)
    try:
        found = [
            (sheet.title, *next(_filled(sheet), (0, [])))
            for sheet in _opened(content).worksheets
            if sheet.sheet_state == "visible"
        ]
    except _DAMAGED as error:
        raise _damaged(name) from error
    filled = [one for one in found if one[2]]
    if not filled:
        raise InputRejected(f"{name} holds no table: all of its sheets are empty.")
    scores = [sum(not column.isdisjoint(map(heading, cells)) for column in known) for _, _, cells in filled]
    best = [one for one, score in zip(filled, scores, strict=True) if score == max(scores)]
    if len(best) > 1 and max(scores) == len(known):
        sheets = " and ".join(f"“{title}”" for title, _, _ in best)
        raise InputRejected(
            f"{name} has the columns on several sheets, {sheets}, and which is meant cannot be told. Keep one of them."
        )
    title, line, cells = best[0]
    others = tuple(one[0] for one in filled if one[0] != title)
    return WorkbookTable(name, content, title, tuple(cells), line, others)


def _check_size(content: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile as error:
        raise _damaged(name) from error
    if size > LARGEST_UNPACKED:
        raise InputRejected(f"{name} unpacks to more than {LARGEST_UNPACKED // 10**9} GB. Is it a table?")


def _damaged(name: str) -> InputRejected:
    return InputRejected(f"{name} is damaged or no Excel workbook. Save it anew as .xlsx or as “CSV UTF-8”.")


def _opened(content: bytes) -> Any:  # noqa: ANN401 - openpyxl's read-only sheets are typed as if they could be written
    with warnings.catch_warnings():
        # Of drawings, validation and the like, which a table does not need.
        warnings.simplefilter("ignore", UserWarning)
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)


def _filled(sheet: Any) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401
    return ((line, cells) for line, cells in _rows(sheet) if any(cells))


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401
    # What a workbook says of its size may be wrong; then whole rows would be missing.
    sheet.reset_dimensions()
    for line, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield line, cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).strip()
