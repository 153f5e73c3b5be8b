"""Importing images: files, or a folder with or without a table.

Each file is imported by itself: one that is refused leaves nothing behind, and the rest of the batch is kept. A whole
collection is imported by `colpo_core.services.imports.annocerv`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from colpo_core.errors import ImageRejected, InputRejected
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.photographs import decode_photograph
from colpo_core.records.cases.cases import ImportOutcome, ImportReport, ImportStatus, IncomingFile, StageGuess
from colpo_core.services.cases.contradictions import contradicting, near_copy_text, rows_text
from colpo_core.services.cases.fingerprints import StoredLooks, count_without_fingerprint
from colpo_core.services.cases.stage_guess import guess_stage
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import checked_seconds
from colpo_core.services.imports.attempts import Attempts
from colpo_core.services.imports.patient_codes import check_patient_code
from colpo_core.services.imports.rows import find_image, import_image, store_file
from colpo_core.services.imports.tables import TABLE_NAME, WORKBOOK_NAME, FileRow, TableRows, table_of
from colpo_core.store import Store
from colpo_core.store.tables import Image, utc_now
from colpo_core.terms import ExposureKind, Stage

_IGNORED = {"thumbs.db", "desktop.ini", TABLE_NAME, WORKBOOK_NAME}
# Files beside images that are never one, by the end of their names.
_NOT_IMAGES = {
    ".cfg", ".css", ".csv", ".doc", ".docx", ".htm", ".html", ".ini", ".ipynb", ".js", ".json", ".log", ".m", ".md",
    ".ods", ".pdf", ".ppt", ".pptx", ".ps1", ".py", ".r", ".rtf", ".sh", ".toml", ".tsv", ".txt", ".xls", ".xlsx",
    ".xml", ".yaml", ".yml", ".zip",
}  # fmt: skip


@allowed(CLINICIANS)
def import_images(
    caller: Caller, *, patient_code: str, case_date: date | None, files: Sequence[IncomingFile]
) -> ImportReport:
    """Import images of one patient on one day.

    Each image is compared with all that are stored. The report names copies of another patient's image and images that
    contradict the stage under which they are filed; neither is changed.

    Args:
        caller: Who imports them.
        patient_code: Pseudonymous code; a known one means that patient.
        case_date: Day of the examination; the case of that day is used again where there is one.
        files: The files, decoded one after another.

    Returns:
        What became of each file, in order.

    Raises:
        InputRejected: The code or the date cannot be taken; nothing was stored.

    Where the disk takes no more, the files before are kept, and the report says of each of the others why it is not.
    """
    today = utc_now().date()
    code = check_patient_code(patient_code, today=today)
    day = _checked_date(case_date, today)
    stored = StoredLooks()
    attempts = Attempts()
    outcomes = tuple(
        attempts.outcome(file.name, partial(_import_file, caller, stored, code, day, file)) for file in files
    )
    return _report(
        caller.store, outcomes, patients=int(any(outcome.status is ImportStatus.IMPORTED for outcome in outcomes))
    )


@allowed(CLINICIANS)
def import_folder(
    caller: Caller,
    *,
    folder: Path,
    patient_code: str | None = None,
    case_date: date | None = None,
    stage: Stage | None = None,
    on_outcome: Callable[[ImportOutcome], None] | None = None,
) -> ImportReport:
    """Import all images of a folder and the folders in it.

    With a table `import.csv` (or `import.xlsx`) in it, with the columns file, patient_code, case_date as YYYY-MM-DD and
    stage (and seconds_after_acid if wanted), the folder may hold many cases; what a row leaves empty is taken from the
    arguments. The table may be of any make that `read_table` knows. A row that is not certain is refused by its line,
    and the rest is kept. Without a table, all files belong to the one case that the arguments name.

    Args:
        caller: Who imports them.
        folder: Where the files lie.
        patient_code: Code for files whose row names none, or for all.
        case_date: Day likewise.
        stage: Stage likewise; where nobody says one it is guessed from the file's name, or else acetic acid, and asked
            about.
        on_outcome: Called after each file.

    Raises:
        InputRejected: The folder or its table cannot be read, or there is neither a table nor a patient code.
    """
    if not folder.is_dir():
        raise InputRejected(f"There is no folder {folder}. Check the path.")
    defaults = FileRow("", patient_code or "", case_date, stage)
    content = table_of(folder)
    if content is None and not patient_code:
        raise InputRejected(
            f"Give a patient code, or put a table {TABLE_NAME} into the folder that names one per file."
        )
    names, passed_over = _file_names(folder)
    table = None if content is None else TableRows(folder, names, content, defaults)
    outcomes: list[ImportOutcome] = []
    patients: set[str] = set()
    stored, attempts = StoredLooks(), Attempts()
    for row in [replace(defaults, name=name) for name in names] if table is None else table.rows():
        outcome = attempts.outcome(row.name, partial(_import_row, caller, stored, folder, row))
        outcomes.append(outcome)
        if outcome.status is ImportStatus.IMPORTED:
            patients.add(row.patient_code.strip().lower())
        if on_outcome is not None:
            on_outcome(outcome)
    if not outcomes:
        raise InputRejected("The folder holds no files. Choose the folder that the images lie in.")
    report = _report(caller.store, tuple(outcomes), patients=len(patients))
    return replace(report, passed_over=passed_over, notes=() if table is None else table.notes)


def _report(store: Store, outcomes: tuple[ImportOutcome, ...], *, patients: int) -> ImportReport:
    with store.reading() as session:
        return ImportReport(outcomes, patients=patients, not_compared=count_without_fingerprint(session))


def _import_row(caller: Caller, stored: StoredLooks, folder: Path, row: FileRow) -> ImportOutcome:
    if row.problem:
        return ImportOutcome(row.name, ImportStatus.REFUSED, row.problem)
    file = IncomingFile(row.name, path=folder / row.name, stage=row.stage, seconds_after_acid=row.seconds_after_acid)
    today = utc_now().date()
    try:
        code, day = check_patient_code(row.patient_code, today=today), _checked_date(row.case_date, today)
    except InputRejected as error:
        return ImportOutcome(row.name, ImportStatus.REFUSED, str(error))
    return _import_file(caller, stored, code, day, file)


def _import_file(caller: Caller, stored: StoredLooks, code: str, day: date | None, file: IncomingFile) -> ImportOutcome:
    try:
        seconds = None if file.seconds_after_acid is None else checked_seconds(file.seconds_after_acid)
        clean = encode_clean(image := decode_photograph(file.read()))
    except (ImageRejected, InputRejected) as error:
        return ImportOutcome(file.name, ImportStatus.REFUSED, str(error))
    with caller.store.reading() as session:
        known = find_image(session, clean.sha256)
        if known is not None:
            return _duplicate(file.name, known, code)
        stored.catch_up(session)
    by_name = guess_stage(file.name)
    stage = file.stage or by_name or Stage.ACETIC_ACID
    guess = StageGuess.BY_DEFAULT if by_name is None else StageGuess.BY_NAME
    new = store_file(caller.store, clean, image.rgb)
    with caller.store.writing() as session:
        # Looked up again: another import may have brought the same image in since.
        known = find_image(session, new.sha256)
        if known is not None:
            return _duplicate(file.name, known, code)
        near = stored.near(session, new.perceptual_hash)
        outcome = import_image(
            session,
            actor=caller.actor,
            name=file.name,
            patient_code=code,
            case_date=day,
            file=new,
            near=near,
            stage=stage,
            seconds_after_acid=seconds,
            stage_guessed=file.stage is None,
        )
        against = () if outcome.case_id is None else contradicting(session, outcome.case_id, outcome.copies)
        if outcome.case_id is not None and against:
            shown = [(case_id, ExposureKind.LABEL) for case_id in (outcome.case_id, *against)]
            exposures.note_within(session, caller.actor, shown)
        return replace(
            outcome,
            notes=_notes(image, outcome.copies, against),
            contradicts=against,
            stage_guess=guess if file.stage is None else None,
        )


def _notes(image: CleanImage, copies: tuple[int, ...], against: tuple[int, ...]) -> tuple[str, ...]:
    notes = []
    if copies:
        notes.append(near_copy_text(copies))
    if against:
        notes.append(
            f"The histology of its case contradicts that of {rows_text('case', against)}: one photograph cannot "
            "be both, and a snapshot takes neither."
        )
    if image.left_aside:
        more = "another image" if image.left_aside == 1 else f"{image.left_aside} more images"
        notes.append(f"The file holds {more} behind the photograph, which was left aside.")
    return tuple(notes)


def _duplicate(name: str, known: Image, code: str) -> ImportOutcome:
    reason = f"This image is in the store already, in case {known.case_id}"
    if known.case.patient.code.lower() == code.lower():
        return ImportOutcome(name, ImportStatus.DUPLICATE, f"{reason}.", image_id=known.id, case_id=known.case_id)
    reason += ", under another patient's code. Nothing of it was filed under this one: check which of the two is right."
    return ImportOutcome(
        name, ImportStatus.DUPLICATE, reason, image_id=known.id, case_id=known.case_id, copies=(known.case_id,)
    )


def _checked_date(day: date | None, today: date) -> date | None:
    if day is not None and not date(1950, 1, 1) <= day <= today:
        raise InputRejected("The date of the case lies in the future or before 1950. Give the day of the examination.")
    return day


def _file_names(folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """The files in a folder and the folders in it: those that may be images, and those that are none by their names."""
    names: list[str] = []
    others: list[str] = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and path.name.lower() not in _IGNORED:
            (others if path.suffix.lower() in _NOT_IMAGES else names).append(relative.as_posix())
    return sorted(names), tuple(sorted(others))
