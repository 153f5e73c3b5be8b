"""Ratings from outside the store: read a file, analyse it, keep the figures as a file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from colpo_core.errors import InputRejected
from colpo_core.exchange.rating_report import rating_json
from colpo_core.records.statistics.multi_reader_figures import U_STATISTIC
from colpo_core.records.statistics.rating_analysis import RatingAnalysis
from colpo_core.sheets.values import plain_name
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.hidden_patients import column_of_patients, patient_of, stem_of_patients
from colpo_core.studies.rating_analysis import analyse_table
from colpo_core.studies.ratings import RatingTable, read_ratings, tabulate

LARGEST_BYTES = 200_000_000
LARGEST_CELLS = 4_000_000
"""Treatments by readers by cases: some minutes and a gigabyte."""
_TOLD_FROM = 20_000
_TAKEN_AS_INDEPENDENT = (
    "Each case is taken as a patient of its own. Where several are of one patient, intervals are too narrow and p too "
    "small: name the column of patients with --patient."
)


def _silent(_: str) -> None:
    """Tell nobody."""


def analyse_ratings(
    path: Path,
    options: AnalysisOptions,
    *,
    arms: Sequence[str] = (),
    patient_column: str | None = None,
    keep_names: bool = False,
    patient_from_case: bool = False,
    progress: Callable[[str], None] = _silent,
) -> RatingAnalysis:
    """Analyse a table of ratings, see `read_ratings` for its columns and what it may be written in.

    Args:
        path: The file: CSV or an Excel workbook.
        options: What is asked.
        arms: Which treatments, in order, the first minus the second being the difference; all where empty. The model's
            need not be named.
        patient_column: Name of a column that tells the patient of each case, where cases are images or visits.
        keep_names: Whether names that differ by capitals, blanks or leading zeros alone are different names.
        patient_from_case: Whether the stem of a case's name tells its patient, see `patient_of`.
        progress: Is told what is being done, where there are many ratings.

    Raises:
        InputRejected: The file cannot be read, or the ratings do not fit.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputRejected(f"{path.name} is larger than {LARGEST_BYTES // 10**6} MB. Is it a file of ratings?")
        content = path.read_bytes()
    except OSError as error:
        raise InputRejected(f"{path.name} cannot be read: {error.strerror or 'it is not a readable file'}.") from error
    if patient_column is not None and patient_from_case:
        raise InputRejected("The patients are told by a column or by the names of the cases, not by both.")
    ratings = read_ratings(content, name=path.name, patient_column=patient_column, keep_names=keep_names)
    del content
    tell = progress if len(ratings) >= _TOLD_FROM else _silent
    tell(f"{len(ratings)} ratings read")
    table = tabulate(ratings)
    if table.rating.size > LARGEST_CELLS:
        raise InputRejected(
            f"{len(table.arms)} treatments, {len(table.readers)} readers and {len(table.cases)} cases are more than "
            f"can be analysed at once ({LARGEST_CELLS // 10**6} million ratings). Analyse fewer readers or cases at a "
            "time."
        )
    if patient_from_case:
        table = replace(table, patients=tuple(patient_of(case) for case in table.cases))
    # Names in the file are composed, and those that a person types are to find them.
    options = replace(options, model=None if options.model is None else plain_name(options.model))
    arms = [plain_name(arm) for arm in arms]
    if arms:
        model = () if options.model is None or options.model in arms else (options.model,)
        table = table.of_arms([*arms, *model])
    analysis = analyse_table(table, options, progress=tell)
    return replace(
        analysis, notes=(*_notes(table, analysis, ratings.other_columns), *analysis.notes), table_notes=ratings.notes
    )


def _notes(table: RatingTable, analysis: RatingAnalysis, headings: Sequence[str]) -> list[str]:
    """What to mind of patients who may stand behind several cases, and of ratings that are missing."""
    notes = []
    if table.patients is None:
        notes.append(_TAKEN_AS_INDEPENDENT)
        column, stem = column_of_patients(headings), stem_of_patients(table.cases)
        if column is not None:
            notes.append(f"The file has a column “{column}”. Does it tell the patient? Then use --patient {column}.")
        elif stem is not None:
            notes.append(
                f"Several cases share the beginning of their names, such as {stem}. Are they of one patient? Then add "
                "a column of patients and use --patient, or let the names tell it with --patient-from-case."
            )
    elif analysis.by_patient is None:
        notes.append("No patient has several cases, so cases are independent.")
    if analysis.complete_cases is not None and analysis.options["covariance"] != U_STATISTIC:
        notes.append(
            "Ratings are missing: each reader is judged on the cases that this reader has read, and complete cases "
            "stand beside it. --covariance u-statistic takes every rating, also where readers differ between "
            "treatments."
        )
    return notes


def write_analysis(analysis: RatingAnalysis, path: Path) -> None:
    """Write an analysis as JSON: whole or not at all.

    Raises:
        InputRejected: The place cannot be written to.
    """
    text = json.dumps(rating_json(analysis), indent=2, ensure_ascii=False, allow_nan=False)
    torn = path.with_name(f".{path.name}.torn")
    try:
        torn.write_text(text + "\n", encoding="utf-8")
        torn.replace(path)
    except OSError as error:
        torn.unlink(missing_ok=True)
        raise InputRejected(f"{path.name} cannot be written: {error.strerror or 'no such place'}.") from error
