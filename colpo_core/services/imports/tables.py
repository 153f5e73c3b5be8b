"""The table of a folder of images: patient, day and stage of each file."""

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
_LONGEST_NAME = 255  # bytes, as file systems count
_WHOLE_SECONDS = re.compile(r"(\d{1,6})(?:[.,]0{0,9})?", re.ASCII)
NOT_LISTED = "The table does not list this file."


@dataclass(frozen=True)
class FileRow:
    """How one file is to be imported, or why it is refused.

    Attributes:
        name: The file, relative to the folder.
        patient_code: Whose it is.
        case_date: Day of the examination.
        stage: Its stage; None where nobody says one.
        seconds_after_acid: When it was taken.
        line: Its line in the table.
        problem: Why it is refused; else empty.
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
    tables = [path for path in folder.iterdir() if path.name.lower() in {TABLE_NAME, WORKBOOK_NAME}]
    if len(tables) > 1:
        names = " and ".join(sorted(path.name for path in tables))
        raise InputRejected(f"The folder holds {names}, and which is meant cannot be told. Keep one of them.")
    if not tables:
        return None
    (table,) = tables
    try:
        if table.stat().st_size > LARGEST_TABLE_BYTES:
            raise InputRejected(f"{table.name} is larger than {LARGEST_TABLE_BYTES // 10**6} MB. Is it the table?")
        return table.name, table.read_bytes()
    except OSError as error:
        raise InputRejected(f"The table {table.name} cannot be read: {error.strerror}.") from error


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
        self._files = _FileNames(names)
        name, content = table
        sheet = read_table(content, name, _COLUMNS)
        self._rows = _refuse_contradictions([self._row(row) for row in sheet.rows()])
        empty = (f"Empty rows of {name} that were passed over: {sheet.n_empty}.",) if sheet.n_empty else ()
        self.notes = (*sheet.notes, *empty)

    def rows(self) -> Iterator[FileRow]:
        """The rows of the table in order, then each file that no row names."""
        yield from self._rows
        listed = {row.name for row in self._rows}
        for name in self._names:
            if name not in listed:
                yield replace(self._defaults, name=name, problem=NOT_LISTED)

    def _row(self, row: Row) -> FileRow:
        file, day, code, stage, seconds = row.cells
        name = str(PurePosixPath(file.replace("\\", "/"))) if file else ""
        file_row = replace(self._defaults, name=name or f"line {row.line}", line=row.line, problem=row.problem)
        if row.problem:
            return file_row
        try:
            name = self._files.find(self._folder, name)
            return replace(
                file_row,
                name=name,
                patient_code=check_patient_code(code or self._defaults.patient_code, today=utc_now().date()),
                case_date=_read_date(day) if day else self._defaults.case_date,
                stage=_read_stage(stage) if stage else self._defaults.stage,
                seconds_after_acid=_read_seconds(seconds),
            )
        except InputRejected as error:
            return replace(file_row, problem=f"Line {row.line}: {error}")


def _refuse_contradictions(rows: Sequence[FileRow]) -> list[FileRow]:
    """Refuse all rows of a file that says different things of it: which of them is right cannot be told."""
    of_file: dict[str, list[FileRow]] = {}
    for row in rows:
        if not row.problem:
            of_file.setdefault(row.name, []).append(row)
    contradictory = {
        name: ", ".join(str(row.line) for row in same_file)
        for name, same_file in of_file.items()
        if len({replace(row, line=None, patient_code=row.patient_code.lower()) for row in same_file}) > 1
    }
    return [
        replace(row, problem=f"Lines {contradictory[row.name]} say different things of this file. Keep the right one.")
        if not row.problem and row.name in contradictory
        else row
        for row in rows
    ]


class _FileNames:
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
        if name in ("", "."):
            raise InputRejected("The row names no file.")
        if "\0" in name or any(len(part.encode("utf-8", "replace")) > _LONGEST_NAME for part in name.split("/")):
            raise InputRejected("The row's name of a file is none that a folder could hold.")
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise InputRejected("The row names a file outside the folder. Copy the file into it.")
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


def _read_date(text: str) -> date:
    """A day with the year first: `2024-05-06`, `2024/5/6`, `2024. 5. 6.`; with the day first it would be ambiguous."""
    match = _YEAR_FIRST.fullmatch(text)
    try:
        if match is not None:
            return date(*map(int, match.groups()))
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
    match = _WHOLE_SECONDS.fullmatch(text)
    if match is None:
        raise InputRejected("The seconds after acetic acid are not a whole number.")
    return int(match[1])
