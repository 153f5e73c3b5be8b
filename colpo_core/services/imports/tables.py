"""The table of a folder of images: which file is whose, of which day and at which stage."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath

from colpo_core.errors import InputRejected
from colpo_core.services.imports.patient_codes import check_patient_code
from colpo_core.sheets.reading import Column, Row, read_table
from colpo_core.store.tables import utc_now
from colpo_core.terms import Stage

TABLE_NAME = "import.csv"
WORKBOOK_NAME = "import.xlsx"
LARGEST_TABLE_BYTES = 50_000_000
_COLUMNS = (
    Column("file", ("file_name", "image", "파일", "파일명")),
    Column("case_date", ("date", "검사일", "검사일자")),
    Column("patient_code", ("patient", "patient_id", "환자번호", "환자코드")),
    Column("stage", ("단계",)),
    Column("seconds_after_acid", is_needed=False),
)
_YEAR_FIRST = re.compile(
    r"(\d{4})(?:-|/|\.\s?)(\d{1,2})(?:-|/|\.\s?)(\d{1,2})\.?(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII
)
_WHOLE_SECONDS = re.compile(r"(\d+)(?:[.,]0*)?", re.ASCII)
NOT_LISTED = "The table does not list this file."


@dataclass(frozen=True)
class FileRow:
    """What is to be done with one file, or why it cannot be.

    Attributes:
        name: The file, relative to the folder.
        patient_code: Whose it is.
        case_date: Day of the examination.
        stage: Its stage; None where nobody says one.
        seconds_after_acid: When it was taken.
        line: Its line in the table.
        problem: Why nothing is done; else empty.
    """

    name: str
    patient_code: str
    case_date: date | None
    stage: Stage | None
    seconds_after_acid: int | None = None
    line: int | None = None
    problem: str = ""


def table_of(folder: Path) -> tuple[str, bytes] | None:
    """Name and content of the folder's table; None where it has none."""
    found = [place for place in folder.iterdir() if place.name.lower() in {TABLE_NAME, WORKBOOK_NAME}]
    if len(found) > 1:
        names = " and ".join(sorted(place.name for place in found))
        raise InputRejected(f"The folder holds {names}, and which is meant cannot be told. Keep one of them.")
    if not found:
        return None
    try:
        if found[0].stat().st_size > LARGEST_TABLE_BYTES:
            raise InputRejected(f"{found[0].name} is larger than {LARGEST_TABLE_BYTES // 10**6} MB. Is it the table?")
        return found[0].name, found[0].read_bytes()
    except OSError as error:
        raise InputRejected(f"The table {found[0].name} cannot be read: {error.strerror}.") from error


class TableRows:
    """The rows of a folder's table, and then the files that it does not list."""

    def __init__(self, folder: Path, names: Sequence[str], table: tuple[str, bytes], defaults: FileRow) -> None:
        """Read the table.

        Args:
            folder: The folder.
            names: Its files, relative to it.
            table: Name and content of the table.
            defaults: What a row leaves empty.

        Raises:
            InputRejected: The table cannot be read, or a column is missing.
        """
        self._folder, self._names, self._defaults = folder, names, defaults
        self._known = _Places(names)
        found = read_table(table[1], table[0], _COLUMNS)
        self._rows = _refuse_contradictions([self._row(row) for row in found.rows()])
        empty = (f"Empty rows of {table[0]} that were passed over: {found.n_empty}.",) if found.n_empty else ()
        self.notes = (*found.notes, *empty)

    def rows(self) -> Iterator[FileRow]:
        """A row of the table after another, then each file that no row names."""
        yield from self._rows
        listed = {row.name for row in self._rows}
        for name in self._names:
            if name not in listed:
                yield replace(self._defaults, name=name, problem=NOT_LISTED)

    def _row(self, row: Row) -> FileRow:
        file, day, code, stage, seconds = row.cells
        name = str(PurePosixPath(file.replace("\\", "/"))) if file else ""
        found = replace(self._defaults, name=name or f"line {row.line}", line=row.line, problem=row.problem)
        if row.problem:
            return found
        try:
            name = self._known.find(self._folder, name)
            return replace(
                found,
                name=name,
                patient_code=check_patient_code(code or self._defaults.patient_code, today=utc_now().date()),
                case_date=_read_date(day) if day else self._defaults.case_date,
                stage=_read_stage(stage) if stage else self._defaults.stage,
                seconds_after_acid=_read_seconds(seconds),
            )
        except InputRejected as error:
            return replace(found, problem=f"Line {row.line}: {error}")


def _refuse_contradictions(rows: Sequence[FileRow]) -> list[FileRow]:
    """Refuse all rows of a file that says different things of it: which of them is right cannot be told."""
    of_file: dict[str, list[FileRow]] = {}
    for row in rows:
        if not row.problem:
            of_file.setdefault(row.name, []).append(row)
    unsure = {
        name: [row.line for row in said]
        for name, said in of_file.items()
        if len({replace(row, line=None, patient_code=row.patient_code.lower()) for row in said}) > 1
    }
    return [
        replace(row, problem=_contradiction(unsure[row.name])) if not row.problem and row.name in unsure else row
        for row in rows
    ]


def _contradiction(lines: Sequence[int | None]) -> str:
    said = ", ".join(map(str, lines))
    return f"Lines {said} say different things of this file. Keep the right one."


class _Places:
    """The files of a folder, found by names that differ in composition (NFC, NFD) or capitals alone too."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._alike: dict[str, list[str]] = {}
        for name in names:
            self._alike.setdefault(_plain(name), []).append(name)

    def find(self, folder: Path, name: str) -> str:
        """The file that a row means.

        Raises:
            InputRejected: There is none, it lies elsewhere, or it could be several.
        """
        _check_inside(folder, name)
        if name in self._names:
            return name
        alike = self._alike.get(_plain(name), [])
        if len(alike) > 1:
            raise InputRejected(
                "The folder holds several files of this name, which differ in capitals alone. Rename one of them."
            )
        if alike:
            return alike[0]
        if (folder / name).is_file():
            return name
        raise InputRejected("The folder does not hold the file that this row names.")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _check_inside(folder: Path, name: str) -> None:
    if name in ("", "."):
        raise InputRejected("The row names no file.")
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise InputRejected("The row names a file outside the folder. Copy the file into it.")


def _read_date(text: str) -> date:
    """A day with the year first: `2024-05-06`, `2024/5/6`, `2024. 5. 6.`; with the day first it can be two days."""
    found = _YEAR_FIRST.fullmatch(text)
    try:
        if found is not None:
            return date(*map(int, found.groups()))
    except ValueError as error:
        raise InputRejected("There is no such day as the date of the case.") from error
    raise InputRejected("The date of the case is not written as YYYY-MM-DD.")


def _read_stage(text: str) -> Stage:
    word = text.lower().replace(" ", "_").replace("-", "_")
    try:
        return Stage(word)
    except ValueError as error:
        known = ", ".join(stage.value for stage in Stage)
        raise InputRejected(f"The stage is none of {known}.") from error


def _read_seconds(text: str) -> int | None:
    if not text:
        return None
    found = _WHOLE_SECONDS.fullmatch(text)
    if found is None:
        raise InputRejected("The seconds after acetic acid are not a whole number.")
    return int(found[1])
