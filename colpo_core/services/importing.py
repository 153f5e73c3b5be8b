"""Bringing images in: files, or a folder with or without a table.

Each file stands for itself: what is refused leaves nothing behind, and the rest of the batch is kept. A whole
collection comes in through `colpo_core.services.importing_annocerv`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from colpo_core.errors import ImageRejected, InputRejected
from colpo_core.images.decoding import decode_image, encode_clean
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases import ImportOutcome, ImportReport, ImportStatus, IncomingFile
from colpo_core.records.people import Actor
from colpo_core.services.arrivals import StoredFile, add_image, find_image, find_or_add_case
from colpo_core.services.patient_codes import check_patient_code
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.services.stored_images import checked_seconds
from colpo_core.store import Store
from colpo_core.store.tables import utc_now
from colpo_core.terms import Stage

__all__ = [
    "ImportOutcome",
    "ImportReport",
    "ImportStatus",
    "IncomingFile",
    "import_folder",
    "import_images",
]
TABLE_NAME = "import.csv"
_TABLE_COLUMNS = {"file", "patient_code", "case_date", "stage"}
_NOT_MEANT = {"thumbs.db", "desktop.ini", TABLE_NAME}


def import_images(
    store: Store, *, actor: Actor, patient_code: str, case_date: date | None, files: Sequence[IncomingFile]
) -> ImportReport:
    """Bring in images of one patient on one day.

    Args:
        store: The open store.
        actor: Who brings them in.
        patient_code: Pseudonymous code; a known one means that patient.
        case_date: Day of the examination; the case of that day is used again where there is one.
        files: The files, decoded one after another.

    Returns:
        What became of each file, in order.

    Raises:
        PermissionDenied: The actor is a reader.
        InputRejected: The code or the date cannot be taken; nothing was stored.
    """
    require(actor, CLINICIANS)
    today = utc_now().date()
    code = check_patient_code(patient_code, today=today)
    day = _checked_date(case_date, today)
    outcomes = tuple(_take(store, actor, code, day, file) for file in files)
    return ImportReport(outcomes, patients=int(any(outcome.image_id is not None for outcome in outcomes)))


def import_folder(
    store: Store,
    *,
    actor: Actor,
    folder: Path,
    patient_code: str | None = None,
    case_date: date | None = None,
    stage: Stage | None = None,
    on_outcome: Callable[[ImportOutcome], None] | None = None,
) -> ImportReport:
    """Bring in all images of a folder and the folders in it.

    With a table `import.csv` in it (columns file, patient_code, case_date as YYYY-MM-DD, stage; seconds_after_acid if
    wanted), the folder may hold many cases; what a row leaves empty is taken from the arguments. Without a table, all
    files belong to the one case that the arguments name.

    Args:
        store: The open store.
        actor: Who brings them in.
        folder: Where the files lie.
        patient_code: Code for files whose row names none, or for all.
        case_date: Day likewise.
        stage: Stage likewise; acetic acid when None.
        on_outcome: Called after each file.

    Raises:
        PermissionDenied: The actor is a reader.
        InputRejected: The folder or its table cannot be read, or there is neither a table nor a patient code.
    """
    require(actor, CLINICIANS)
    if not folder.is_dir():
        raise InputRejected(f"There is no folder {folder}. Check the path.")
    defaults = _Row("", patient_code or "", case_date, stage or Stage.ACETIC_ACID)
    table = folder / TABLE_NAME
    if not table.is_file() and not patient_code:
        raise InputRejected(
            f"Give a patient code, or put a table {TABLE_NAME} into the folder that names one per file."
        )
    rows = _rows_of_table(folder, table, defaults) if table.is_file() else _rows_of_folder(folder, defaults)
    outcomes: list[ImportOutcome] = []
    patients: set[str] = set()
    for row in rows:
        outcome = _take_row(store, actor, folder, row)
        outcomes.append(outcome)
        if outcome.image_id is not None:
            patients.add(row.patient_code.strip().lower())
        if on_outcome is not None:
            on_outcome(outcome)
    if not outcomes:
        raise InputRejected("The folder holds no files. Choose the folder that the images lie in.")
    return ImportReport(tuple(outcomes), patients=len(patients))


@dataclass(frozen=True)
class _Row:
    """What is to be done with one file, or why it cannot be."""

    name: str
    patient_code: str
    case_date: date | None
    stage: Stage
    seconds_after_acid: int | None = None
    problem: str = field(default="")


def _take_row(store: Store, actor: Actor, folder: Path, row: _Row) -> ImportOutcome:
    if row.problem:
        return ImportOutcome(row.name, ImportStatus.REFUSED, row.problem)
    file = IncomingFile(row.name, path=folder / row.name, stage=row.stage, seconds_after_acid=row.seconds_after_acid)
    try:
        report = import_images(store, actor=actor, patient_code=row.patient_code, case_date=row.case_date, files=[file])
    except InputRejected as error:
        return ImportOutcome(row.name, ImportStatus.REFUSED, str(error))
    return report.outcomes[0]


def _take(store: Store, actor: Actor, code: str, day: date | None, file: IncomingFile) -> ImportOutcome:
    try:
        seconds = None if file.seconds_after_acid is None else checked_seconds(file.seconds_after_acid)
        clean = encode_clean(image := decode_image(file.read()))
    except (ImageRejected, InputRejected) as error:
        return ImportOutcome(file.name, ImportStatus.REFUSED, str(error))
    with store.reading() as session:
        known = find_image(session, clean.sha256)
    if known is not None:
        return _duplicate(file.name, known.id, known.case_id)
    looks = perceptual_hash(image.rgb)
    stored = StoredFile(store.blobs.put(clean.content), clean.media_type, image.width_px, image.height_px, looks)
    with store.writing() as session:
        # Looked up again: another import may have brought the same image in since.
        known = find_image(session, stored.sha256)
        if known is not None:
            return _duplicate(file.name, known.id, known.case_id)
        case = find_or_add_case(session, actor=actor, patient_code=code, case_date=day)
        row = add_image(
            session, actor=actor, case_id=case.id, file=stored, stage=file.stage, seconds_after_acid=seconds
        )
        return ImportOutcome(file.name, ImportStatus.IMPORTED, image_id=row.id, case_id=case.id)


def _duplicate(name: str, image_id: int, case_id: int) -> ImportOutcome:
    reason = f"This image is in the store already, in case {case_id}."
    return ImportOutcome(name, ImportStatus.DUPLICATE, reason, image_id=image_id, case_id=case_id)


def _checked_date(day: date | None, today: date) -> date | None:
    if day is not None and not date(1950, 1, 1) <= day <= today:
        raise InputRejected("The date of the case lies in the future or before 1950. Give the day of the examination.")
    return day


def _rows_of_folder(folder: Path, defaults: _Row) -> Iterator[_Row]:
    for name in _file_names(folder):
        yield _Row(name, defaults.patient_code, defaults.case_date, defaults.stage)


def _rows_of_table(folder: Path, table: Path, defaults: _Row) -> Iterator[_Row]:
    lines = _read_table(table)
    listed: set[str] = set()
    for line in lines:
        row = _row(folder, line, defaults)
        listed.add(row.name)
        yield row
    for name in _file_names(folder):
        if name not in listed:
            yield _Row(name, "", None, defaults.stage, problem=f"The table {TABLE_NAME} does not list this file.")


def _read_table(table: Path) -> list[dict[str, str]]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRejected(f"The table {TABLE_NAME} cannot be read. Save it as CSV in UTF-8.") from error
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    columns = {name.strip().lower() for name in reader.fieldnames or []}
    missing = sorted(_TABLE_COLUMNS - columns)
    if missing:
        raise InputRejected(f"The table {TABLE_NAME} lacks the columns {', '.join(missing)}.")
    return [
        {(key or "").strip().lower(): (value or "").strip() for key, value in line.items() if isinstance(value, str)}
        for line in reader
    ]


def _row(folder: Path, line: dict[str, str], defaults: _Row) -> _Row:
    name = str(PurePosixPath(line.get("file", "").replace("\\", "/")))
    try:
        _check_inside(folder, name)
        return _Row(
            name,
            line.get("patient_code") or defaults.patient_code,
            _read_date(line["case_date"]) if line.get("case_date") else defaults.case_date,
            _read_stage(line["stage"]) if line.get("stage") else defaults.stage,
            _read_seconds(line.get("seconds_after_acid", "")),
        )
    except InputRejected as error:
        return _Row(name, "", None, defaults.stage, problem=str(error))


def _check_inside(folder: Path, name: str) -> None:
    if name in ("", "."):
        raise InputRejected("The row names no file.")
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise InputRejected("The row names a file outside the folder. Copy the file into it.")
    if not (folder / name).is_file():
        raise InputRejected("The folder does not hold the file that this row names.")


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputRejected("The date of the case is not written as YYYY-MM-DD.") from error


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
    if not text.isdecimal():
        raise InputRejected("The seconds after acetic acid are not a whole number.")
    return int(text)


def _file_names(folder: Path) -> list[str]:
    names = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and path.name.lower() not in _NOT_MEANT:
            names.append(relative.as_posix())
    return sorted(names)
