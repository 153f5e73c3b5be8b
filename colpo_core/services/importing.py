"""Bringing images in: files, or a folder with or without a table.

Each file stands for itself: what is refused leaves nothing behind, and the rest of the batch is kept. A whole
collection comes in through `colpo_core.services.importing_annocerv`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from colpo_core.errors import ImageRejected, InputRejected
from colpo_core.images.decoding import decode_image, encode_clean
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases import ImportOutcome, ImportReport, ImportStatus, IncomingFile
from colpo_core.records.people import Actor
from colpo_core.services.arrivals import StoredFile, add_image, find_image, find_or_add_case
from colpo_core.services.import_tables import TABLE_NAME, WORKBOOK_NAME, FileRow, TableRows, table_of
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
_NOT_MEANT = {"thumbs.db", "desktop.ini", TABLE_NAME, WORKBOOK_NAME}
# What lies beside images and never is one, by the end of its name.
_NO_IMAGE = {
    ".cfg", ".css", ".csv", ".doc", ".docx", ".htm", ".html", ".ini", ".ipynb", ".js", ".json", ".log", ".m", ".md",
    ".ods", ".pdf", ".ppt", ".pptx", ".ps1", ".py", ".r", ".rtf", ".sh", ".toml", ".tsv", ".txt", ".xls", ".xlsx",
    ".xml", ".yaml", ".yml", ".zip",
}  # fmt: skip


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

    With a table `import.csv` (or `import.xlsx`) in it, with the columns file, patient_code, case_date as YYYY-MM-DD and
    stage (and seconds_after_acid if wanted), the folder may hold many cases; what a row leaves empty is taken from the
    arguments. The table may be of any make that `read_table` knows. A row that cannot be told for sure is refused by
    its line, and the rest is kept. Without a table, all files belong to the one case that the arguments name.

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
    defaults = FileRow("", patient_code or "", case_date, stage or Stage.ACETIC_ACID)
    content = table_of(folder)
    if content is None and not patient_code:
        raise InputRejected(
            f"Give a patient code, or put a table {TABLE_NAME} into the folder that names one per file."
        )
    names, passed_over = _file_names(folder)
    table = None if content is None else TableRows(folder, names, content, defaults)
    outcomes: list[ImportOutcome] = []
    patients: set[str] = set()
    for row in _rows_of_folder(names, defaults) if table is None else table.rows():
        outcome = _take_row(store, actor, folder, row)
        outcomes.append(outcome)
        if outcome.image_id is not None:
            patients.add(row.patient_code.strip().lower())
        if on_outcome is not None:
            on_outcome(outcome)
    if not outcomes:
        raise InputRejected("The folder holds no files. Choose the folder that the images lie in.")
    notes = () if table is None else table.notes
    return ImportReport(tuple(outcomes), patients=len(patients), passed_over=passed_over, notes=notes)


def _take_row(store: Store, actor: Actor, folder: Path, row: FileRow) -> ImportOutcome:
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


def _rows_of_folder(names: Sequence[str], defaults: FileRow) -> Iterator[FileRow]:
    for name in names:
        yield replace(defaults, name=name)


def _file_names(folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """The files in a folder and the folders in it: those that may be images, and those that are none by their names."""
    names: list[str] = []
    others: list[str] = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and path.name.lower() not in _NOT_MEANT:
            (others if path.suffix.lower() in _NO_IMAGE else names).append(relative.as_posix())
    return sorted(names), tuple(sorted(others))
