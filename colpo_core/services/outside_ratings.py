"""Ratings from outside the store: read a file, analyse it, keep the figures as a file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from colpo_core.errors import InputRejected
from colpo_core.exchange.rating_report import rating_json
from colpo_core.records.reader_statistics import RatingAnalysis
from colpo_core.sheets.values import plain_name
from colpo_core.studies.rating_analysis import AnalysisOptions, analyse_table
from colpo_core.studies.ratings import read_ratings, tabulate

LARGEST_BYTES = 200_000_000


def analyse_ratings(
    path: Path,
    options: AnalysisOptions,
    *,
    arms: Sequence[str] = (),
    patient_column: str | None = None,
    keep_names: bool = False,
) -> RatingAnalysis:
    """Analyse a table of ratings, see `read_ratings` for its columns and what it may be written in.

    Args:
        path: The file: CSV or an Excel workbook.
        options: What is asked.
        arms: Which treatments, in order, the first minus the second being the difference; all where empty. The model's
            need not be named.
        patient_column: Name of a column that tells the patient of each case, where cases are images or visits.
        keep_names: Whether names that differ by capitals, blanks or leading zeros alone are different names.

    Raises:
        InputRejected: The file cannot be read, or the ratings do not fit.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputRejected(f"{path.name} is larger than {LARGEST_BYTES // 10**6} MB. Is it a file of ratings?")
        content = path.read_bytes()
    except OSError as error:
        raise InputRejected(f"{path.name} cannot be read: {error.strerror or 'it is not a readable file'}.") from error
    ratings = read_ratings(content, name=path.name, patient_column=patient_column, keep_names=keep_names)
    del content
    table = tabulate(ratings)
    # Names in the file are composed, and those that a person types are to find them.
    options = replace(options, model=None if options.model is None else plain_name(options.model))
    arms = [plain_name(arm) for arm in arms]
    if arms:
        model = () if options.model is None or options.model in arms else (options.model,)
        table = table.of_arms([*arms, *model])
    return replace(analyse_table(table, options), table_notes=ratings.notes)


def write_analysis(analysis: RatingAnalysis, place: Path) -> None:
    """Write an analysis as JSON: whole or not at all.

    Raises:
        InputRejected: The place cannot be written to.
    """
    text = json.dumps(rating_json(analysis), indent=2, ensure_ascii=False, allow_nan=False)
    torn = place.with_name(f".{place.name}.torn")
    try:
        torn.write_text(text + "\n", encoding="utf-8")
        torn.replace(place)
    except OSError as error:
        torn.unlink(missing_ok=True)
        raise InputRejected(f"{place.name} cannot be written: {error.strerror or 'no such place'}.") from error
