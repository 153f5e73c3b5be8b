"""Reading a table: its columns by their headings, its rows one after another, and what is wrong with them.

Whatever a row does not say for sure is no row: cells beyond the headings, cells that are missing, a heading that stands
twice. Nothing is guessed from half a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from colpo_core.errors import InputRejected
from colpo_core.sheets.delimited import TextTable, open_text
from colpo_core.sheets.encodings import told_encoding
from colpo_core.sheets.values import heading, listed
from colpo_core.sheets.workbooks import SIGNATURE, WorkbookTable, open_workbook

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SHOWN_PROBLEMS = 10


@dataclass(frozen=True)
class Column:
    """A column that is looked for.

    Attributes:
        name: Its heading; capitals, blanks, hyphens and underscores do not matter.
        also: Other headings that mean it, where a file has none of its name.
        is_needed: Whether a table without it is refused.
    """

    name: str
    also: tuple[str, ...] = ()
    is_needed: bool = True

    @property
    def headings(self) -> frozenset[str]:
        """All of its headings, as they are compared."""
        return frozenset(map(heading, (self.name, *self.also)))


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: Where it begins: the line of the file, or the row of the sheet, from 1.
        cells: Its cells by the order of the wanted columns, without blanks around them; empty where there is no such
            column.
        problem: Why it cannot be used, in a sentence with its line; else empty.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass
class Problems:
    """What is wrong with a table, all of it counted and the first of it kept.

    Attributes:
        said: Line and sentence of what is kept.
        count: How many there are in all.
    """

    said: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, sentence: str) -> None:
        """Take note of one."""
        self.count += 1
        self.said.append((line, sentence))
        if len(self.said) > 100 * SHOWN_PROBLEMS:
            self.said = sorted(self.said)[:SHOWN_PROBLEMS]

    def refuse(self, name: str) -> None:
        """Refuse the table if anything was noted.

        Raises:
            InputRejected: Something was; it names the first of all by their lines.
        """
        first = [sentence for _, sentence in sorted(self.said)[:SHOWN_PROBLEMS]]
        if self.count == 1:
            raise InputRejected(first[0])
        if self.count:
            which = "" if self.count <= SHOWN_PROBLEMS else f", of which the first {SHOWN_PROBLEMS} are"
            raise InputRejected("\n".join([f"{name} cannot be used: {self.count} things are wrong{which}:", *first]))


@dataclass
class Table:
    """A table that a person brought.

    Attributes:
        name: The file's name.
        columns: Names of the wanted columns that it has.
        notes: What a person should know of how it was read, in sentences.
        has_comma_cells: Whether its separators leave the comma to decimals.
        n_empty: Rows without anything in them that were passed over so far.
    """

    name: str
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    has_comma_cells: bool
    _source: TextTable | WorkbookTable
    _places: tuple[int | None, ...]
    n_empty: int = 0

    @property
    def other_columns(self) -> tuple[str, ...]:
        """Headings of the columns that nobody asked for, as they are written."""
        named = enumerate(self._source.headings)
        return tuple(text.strip() for place, text in named if text.strip() and place not in self._places)

    def rows(self) -> Iterator[Row]:
        """Its rows below the headings that hold anything, in order; to be run through once.

        Raises:
            InputRejected: The file is damaged from some row on.
        """
        width = len(self._source.headings)
        unnamed = [place for place, name in enumerate(self._source.headings) if not name.strip()]
        for line, cells in self._source.rows():
            if len(cells) != width or unnamed:
                if not any(cell.strip() for cell in cells):
                    self.n_empty += 1
                    continue
                problem = self._shape_problem(line, cells, unnamed)
                if problem:
                    padded = cells + [""] * (width - len(cells))
                    yield Row(line, tuple("" if at is None else padded[at].strip() for at in self._places), problem)
                    continue
            wanted = tuple(["" if at is None else cells[at].strip() for at in self._places])
            if not any(wanted) and not any(cell.strip() for cell in cells):
                self.n_empty += 1
                continue
            yield Row(line, wanted)

    def _shape_problem(self, line: int, cells: Sequence[str], unnamed: Sequence[int]) -> str:
        """Why a row does not fit the headings; empty where it does."""
        headings = self._source.headings
        over = [cell for cell in cells[len(headings) :] if cell.strip()]
        if len(cells) > len(headings) and (over or isinstance(self._source, TextTable)):
            hint = ""
            if isinstance(self._source, TextTable) and self._source.delimiter == ",":
                hint = " A decimal comma? Write a point, or put the number in quotation marks."
            return f"Line {line} has {len(cells)} cells, and the headings are {len(headings)}.{hint}"
        if len(cells) < len(headings):
            missing = [headings[place].strip() for place in range(len(cells), len(headings)) if headings[place].strip()]
            lacks = f" has no {listed(missing)}: it" if missing else ""
            return f"Line {line}{lacks} has {len(cells)} cells, and the headings are {len(headings)}."
        if any(cells[place].strip() for place in unnamed):
            return f"Line {line} has a cell under no heading. Give the column a heading, or empty it."
        return ""


def read_table(content: bytes, name: str, wanted: Sequence[Column]) -> Table:
    """Open a table: CSV with commas, semicolons or tabs in any encoding that can be told, or an Excel workbook.

    Args:
        content: The file.
        name: Its name, for errors.
        wanted: The columns, in the order in which rows are to give them.

    Raises:
        InputRejected: It is no table, its encoding or its sheet cannot be told, a column is missing, or two are of one
            heading.
    """
    known = [column.headings for column in wanted]
    if content.startswith(_OLD_EXCEL):
        raise InputRejected(f"{name} is a workbook of an older Excel. Save it as .xlsx or as “CSV UTF-8”.")
    source: TextTable | WorkbookTable
    notes: list[str] = []
    if content.startswith(SIGNATURE):
        source = open_workbook(content, name, [column.headings for column in wanted if column.is_needed])
        if source.others:
            others = ", ".join(f"“{other}”" for other in source.others)
            notes.append(f"The sheet “{source.sheet}” of {name} was read, and not {others}.")
    else:
        encoding = told_encoding(content, name)
        source = open_text(content, encoding, known)
        if encoding in {"cp949", "cp1252"}:
            said = "Korean text (code page 949)" if encoding == "cp949" else "Windows-1252 text"
            notes.append(f"{name} was read as {said}.")
    _check_headings(source, name)
    places = tuple(_place(source, name, column) for column in wanted)
    missing = [column.name for column, at in zip(wanted, places, strict=True) if at is None and column.is_needed]
    if missing:
        raise InputRejected(_missing(source, name, wanted, missing))
    has_comma_cells = isinstance(source, TextTable) and source.delimiter != ","
    found = tuple(column.name for column, at in zip(wanted, places, strict=True) if at is not None)
    return Table(name, found, tuple(notes), has_comma_cells, source, places)


def _check_headings(source: TextTable | WorkbookTable, name: str) -> None:
    seen: dict[str, int] = {}
    for place, text in enumerate(source.headings):
        if not text.strip():
            continue
        before = seen.setdefault(heading(text), place)
        if before != place:
            raise InputRejected(
                f"Line {source.line} of {name} has the column “{text.strip()}” twice, as columns {before + 1} and "
                f"{place + 1}. Keep one of them."
            )


def _place(source: TextTable | WorkbookTable, name: str, column: Column) -> int | None:
    """Where a column stands; its own name goes before the others that mean it."""
    compared = [heading(text) for text in source.headings]
    if heading(column.name) in compared:
        return compared.index(heading(column.name))
    found = [place for place, text in enumerate(compared) if text in column.headings]
    if len(found) > 1:
        both = " and ".join(f"“{source.headings[place].strip()}”" for place in found)
        raise InputRejected(f"{name} has {both}, and either could be the column {column.name}. Name one of them so.")
    return found[0] if found else None


def _missing(source: TextTable | WorkbookTable, name: str, wanted: Sequence[Column], missing: Sequence[str]) -> str:
    needed = ", ".join(column.name for column in wanted if column.is_needed)
    said = f"{name} has no column {', '.join(missing)}. Its first line needs the columns {needed}"
    if isinstance(source, WorkbookTable):
        return f"{said}; that of its sheet “{source.sheet}” is {_shortened(source.headings)}."
    if len(missing) == len([column for column in wanted if column.is_needed]):
        return f"{said}, with commas, semicolons or tabs between them. Is it a table, saved as “CSV UTF-8” or .xlsx?"
    return f"{said}, with {_WORDS.get(source.delimiter, source.delimiter)} between them all."


def _shortened(headings: Sequence[str]) -> str:
    return listed([f"“{one.strip()}”" for one in headings if one.strip()], shown=8)
