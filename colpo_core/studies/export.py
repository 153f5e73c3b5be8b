"""A study's readings as a table that a statistician can open."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from colpo_core.sheets.values import is_formula
from colpo_core.studies.ratings import COLUMNS, Rating
from colpo_core.terms import Arm, Label, LabelSource

_WHOLE = 2.0**53


@dataclass(frozen=True)
class CallRow:
    """One call on one case, by a reader or a checkpoint.

    Attributes:
        study: The study's name.
        caller_kind: `reader` or `checkpoint`.
        caller: Name of the reader or the checkpoint.
        channels: 3 or 4 for a checkpoint, None for a reader.
        case_id: Row of the case.
        position: Place of the case in the reader's own order, from 1; None for a checkpoint.
        truth: The sealed reference standard.
        truth_source: What it rests on.
        call: What was called.
        confidence: The reader's confidence, 0 to 100.
        prob_hsil: The checkpoint's probability of HSIL.
        threshold: The checkpoint's frozen threshold.
        seen_in_training: Whether the case, or another of its patient, stood in the checkpoint's training or validation.
        shown_at: When the case was first shown to the reader.
        answered_at: When the reader answered.
        seconds: Time between the two; a break between them counts.
        simulated: Whether the program drew the image.
        session: The reader's session, from 1.
        arm: Whether the reader saw the model's output.
        occurrence: 2 for a hidden repeat within the session, else 1.
        phase: 2 for a second call on the same showing, else 1.
        active_seconds: Time on the case without breaks; None where it was not measured.
        exposed: What the reader had seen of the case before answering, joined by `+`; empty for nothing.
        interim: Whether the study was still open when this was written.
        points: Biopsy sites, `x,y` in pixels of the image, joined by `;`.
        findings: What was named, joined by `+`.
        patient: A number for the case's patient within the study, from 1, which says nothing else of her.
    """

    study: str
    caller_kind: str
    caller: str
    channels: int | None
    case_id: int
    position: int | None
    truth: Label
    truth_source: LabelSource
    call: Label
    confidence: int | None
    prob_hsil: float | None
    threshold: float | None
    seen_in_training: bool | None
    shown_at: datetime | None
    answered_at: datetime | None
    seconds: float | None
    simulated: bool
    session: int | None = None
    arm: Arm | None = None
    occurrence: int | None = None
    phase: int | None = None
    active_seconds: float | None = None
    exposed: str = ""
    interim: bool = False
    points: str = ""
    findings: str = ""
    patient: int | None = None


def calls_csv(rows: Iterable[CallRow]) -> bytes:
    """Write rows as UTF-8 CSV with a header; times in ISO 8601 (UTC), truth values as `true` and `false`."""
    return csv_bytes([field.name for field in fields(CallRow)], map(astuple, rows))


def ratings_csv(ratings: Iterable[Rating]) -> bytes:
    """Write ratings as UTF-8 CSV that `read_ratings` reads as they are; with a column `patient` where one is known."""
    rows = list(ratings)
    has_patients = any(row.patient is not None for row in rows)
    columns = (*COLUMNS, "patient") if has_patients else COLUMNS
    cells = ((row.reader, row.treatment, row.case, int(row.truth), _exact(row.rating), row.patient) for row in rows)
    return csv_bytes(columns, (row[: len(columns)] for row in cells))


def _exact(value: float) -> float:
    """A number that is written in full, a whole one without a point: two that differ are never written alike."""
    return int(value) if value.is_integer() and abs(value) < _WHOLE else value


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as UTF-8 CSV with a header; what is None is an empty cell, numbers are written in full."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def csv_cell(value: object) -> str:
    """A value as text: nothing for None, times in ISO 8601, and no text that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, str) and is_formula(value):
        # A spreadsheet would run a name that starts like a formula.
        return f"'{value}"
    return str(value)
