"""Text tables with commas, semicolons or tabs, row by row."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from colpo_core.errors import InputRejected
from colpo_core.sheets.values import heading

DELIMITERS = (",", ";", "\t", "|")
_SAID = re.compile(r"\s*[\"']?sep=(.)[\"']?[\r\n ]*", re.IGNORECASE)
_BLANK = re.compile(r"[\s,;|\"]*")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class TextTable:
    """A text table whose headings are known.

    Attributes:
        content: The file.
        encoding: Its encoding.
        headings: The cells of the first row.
        line: The line of that row, from 1.
        delimiter: What stands between cells.
    """

    content: bytes
    encoding: str
    headings: tuple[str, ...]
    line: int
    delimiter: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line on which each row below the headings begins, and its cells as they are written.

        Only line feeds and carriage returns end a row; whatever other character a cell holds stays in it.

        Raises:
            InputRejected: A quotation mark is not closed, or closes rows later.
        """
        lines = _lines(self.content, self.encoding, skipped=self.line - 1)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        next(reader)
        ended = before = self.line - 1 + reader.line_num
        try:
            for cells in reader:
                before, ended = ended, self.line - 1 + reader.line_num
                if ended - before > 1:
                    self._check_spread(cells, before + 1, ended)
                yield before + 1, cells
        except csv.Error as error:
            raise InputRejected(
                f"Line {ended + 1}: the row that begins here cannot be told apart. A quotation mark is not closed or "
                "stands within a cell, or a cell is longer than a page."
            ) from error

    def _check_spread(self, cells: Sequence[str], first: int, last: int) -> None:
        """Refuse a cell that has swallowed whole rows: its opening quotation mark stands there by mistake."""
        most = len(self.headings) - 1
        for cell in cells:
            if any(part.count(self.delimiter) >= most > 0 for part in _LINE_END.split(cell)[1:]):
                raise InputRejected(
                    f"Lines {first} to {last} are one row: a quotation mark opens a cell that closes only lines later. "
                    "Take the mark out, or close it."
                )


def open_text(content: bytes, encoding: str, known: Sequence[frozenset[str]]) -> TextTable:
    """Find the headings of a text table, and what stands between its cells.

    A first line `sep=;` says it. Else it is what makes most of the first row's cells known headings.

    Args:
        content: The file.
        encoding: Its encoding.
        known: The headings that are looked for, as `heading` compares them, those of one column together.
    """
    line, said = 1, None
    for text in _lines(content, encoding):
        found = _SAID.fullmatch(text) if said is None else None
        if found is not None:
            said = found[1]
        elif not _BLANK.fullmatch(text):
            break
        line += 1
    best = TextTable(content, encoding, (), line, DELIMITERS[0])
    most = (-1, -1)
    for delimiter in DELIMITERS if said is None else (said,):
        cells = _headings(content, encoding, line, delimiter)
        names = {heading(cell) for cell in cells}
        score = (sum(not names.isdisjoint(column) for column in known), len(cells))
        if score > most:
            most, best = score, TextTable(content, encoding, cells, line, delimiter)
    return best


def _headings(content: bytes, encoding: str, line: int, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(_lines(content, encoding, skipped=line - 1), delimiter=delimiter, strict=True)
    try:
        return tuple(next(reader, ()))
    except csv.Error:
        return ()


def _lines(content: bytes, encoding: str, *, skipped: int = 0) -> Iterator[str]:
    lines = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    for _ in range(skipped):
        next(lines, "")
    return lines
