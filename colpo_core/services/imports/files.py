"""Bringing images in: files, or a folder with or without a table.

Each file stands for itself: what is refused leaves nothing behind, and the rest of the batch is kept. A whole
collection comes in through `colpo_core.services.imports.annocerv`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from colpo_core.errors import ImageRejected, InputRejected
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.photographs import decode_photograph
from colpo_core.records.cases.cases import ImportOutcome, ImportReport, ImportStatus, IncomingFile, StageGuess
from colpo_core.records.people import Actor
from colpo_core.services.cases.contradictions import cases_text, contradicting, held_by_others, near_copy_text
from colpo_core.services.cases.fingerprints import StoredLooks, count_without_fingerprint
from colpo_core.services.cases.image_questions import open_questions
from colpo_core.services.cases.stage_guess import guess_stage
from colpo_core.services.common import exposures
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.services.common.stored_images import checked_seconds
from colpo_core.services.imports.patient_codes import check_patient_code
from colpo_core.services.imports.rows import add_image, find_case, find_image, find_or_add_case, has_patient, keep_file
from colpo_core.services.imports.tables import TABLE_NAME, WORKBOOK_NAME, FileRow, TableRows, table_of
from colpo_core.store import Store
from colpo_core.store.tables import Image, utc_now
from colpo_core.terms import ExposureKind, Stage

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

    Each image is compared with all that are stored, and looked at: what is a copy of another patient's image, and what
    contradicts the stage under which it is filed, is said in the report, and nothing of it is changed.

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
    stored = StoredLooks()
    outcomes = tuple(_take(store, actor, stored, code, day, file) for file in files)
    return _report(store, outcomes, patients=int(any(one.status is ImportStatus.IMPORTED for one in outcomes)))


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
        stage: Stage likewise; where nobody says one it is guessed from the file's name, or else acetic acid, and asked
            about.
        on_outcome: Called after each file.

    Raises:
        PermissionDenied: The actor is a reader.
        InputRejected: The folder or its table cannot be read, or there is neither a table nor a patient code.
    """
    require(actor, CLINICIANS)
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
    stored = StoredLooks()
    for row in _rows_of_folder(names, defaults) if table is None else table.rows():
        outcome = _take_row(store, actor, stored, folder, row)
        outcomes.append(outcome)
        if outcome.status is ImportStatus.IMPORTED:
            patients.add(row.patient_code.strip().lower())
        if on_outcome is not None:
            on_outcome(outcome)
    if not outcomes:
        raise InputRejected("The folder holds no files. Choose the folder that the images lie in.")
    report = _report(store, tuple(outcomes), patients=len(patients))
    return replace(report, passed_over=passed_over, notes=() if table is None else table.notes)


def _report(store: Store, outcomes: tuple[ImportOutcome, ...], *, patients: int) -> ImportReport:
    with store.reading() as session:
        return ImportReport(outcomes, patients=patients, not_compared=count_without_fingerprint(session))


def _take_row(store: Store, actor: Actor, stored: StoredLooks, folder: Path, row: FileRow) -> ImportOutcome:
    if row.problem:
        return ImportOutcome(row.name, ImportStatus.REFUSED, row.problem)
    file = IncomingFile(row.name, path=folder / row.name, stage=row.stage, seconds_after_acid=row.seconds_after_acid)
    today = utc_now().date()
    try:
        code, day = check_patient_code(row.patient_code, today=today), _checked_date(row.case_date, today)
    except InputRejected as error:
        return ImportOutcome(row.name, ImportStatus.REFUSED, str(error))
    return _take(store, actor, stored, code, day, file)


def _take(
    store: Store, actor: Actor, stored: StoredLooks, code: str, day: date | None, file: IncomingFile
) -> ImportOutcome:
    try:
        seconds = None if file.seconds_after_acid is None else checked_seconds(file.seconds_after_acid)
        clean = encode_clean(image := decode_photograph(file.read()))
    except (ImageRejected, InputRejected) as error:
        return ImportOutcome(file.name, ImportStatus.REFUSED, str(error))
    with store.reading() as session:
        known = find_image(session, clean.sha256)
        if known is not None:
            return _duplicate(file.name, known, code)
        stored.catch_up(session)
    by_name = guess_stage(file.name)
    stage = file.stage or by_name or Stage.ACETIC_ACID
    new = keep_file(store, clean, image.rgb)
    with store.writing() as session:
        # Looked up again: another import may have brought the same image in since.
        known = find_image(session, new.sha256)
        if known is not None:
            return _duplicate(file.name, known, code)
        near = stored.near(session, new.perceptual_hash)
        is_new_patient = not has_patient(session, code)
        is_new_case = find_case(session, patient_code=code, case_date=day) is None
        case = find_or_add_case(session, actor=actor, patient_code=code, case_date=day)
        row = add_image(
            session,
            actor=actor,
            case_id=case.id,
            file=new,
            stage=stage,
            seconds_after_acid=seconds,
            stage_guessed=file.stage is None,
        )
        copies = held_by_others(session, near, patient_id=case.patient_id)
        against = contradicting(session, case.id, copies)
        asked = open_questions(session, [row.id])
        if against:
            shown = [(case_id, ExposureKind.LABEL) for case_id in (case.id, *against)]
            exposures.note_within(session, actor, shown)
        return ImportOutcome(
            file.name,
            ImportStatus.IMPORTED,
            image_id=row.id,
            case_id=case.id,
            notes=_notes(image, copies, against),
            copies=copies,
            contradicts=against,
            stage=stage,
            stage_guess=_where_from(file.stage, by_name),
            questions=asked[0].questions if asked else (),
            is_new_patient=is_new_patient,
            is_new_case=is_new_case,
        )


def _where_from(given: Stage | None, by_name: Stage | None) -> StageGuess | None:
    if given is not None:
        return None
    return StageGuess.BY_DEFAULT if by_name is None else StageGuess.BY_NAME


def _notes(image: CleanImage, copies: tuple[int, ...], against: tuple[int, ...]) -> tuple[str, ...]:
    found = []
    if copies:
        found.append(near_copy_text(copies))
    if against:
        found.append(
            f"The histology of its case contradicts that of {cases_text(against)}: one photograph cannot be both, and "
            "a snapshot takes neither."
        )
    if image.left_aside:
        more = "another picture" if image.left_aside == 1 else f"{image.left_aside} more pictures"
        found.append(f"The file holds {more} behind the photograph, which was left aside.")
    return tuple(found)


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
