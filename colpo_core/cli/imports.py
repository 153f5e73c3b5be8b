"""Commands that bring images in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from colpo_core.cli.image_questions import print_questions
from colpo_core.cli.option_types import DAY, EXISTING_FOLDER, WordType
from colpo_core.cli.output import Answer, print_lines, query
from colpo_core.cli.progress import counting
from colpo_core.records.cases.cases import ImportReport, IncomingFile, StageGuess
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.annocerv import import_annocerv
from colpo_core.services.imports.files import import_folder, import_images
from colpo_core.services.imports.tables import NOT_LISTED
from colpo_core.sheets.values import listed
from colpo_core.terms import Stage

_MOST_CASES = 10


@click.group("import")
def import_group() -> None:
    """Bring images in: what is refused says why, and the rest of the batch is kept.

    A command ends with status 1 where anything was refused.
    """


@query("files", import_group, makes_store=True)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--patient", "patient_code", required=True, help="Pseudonymous code; no name, no date of birth.")
@click.option("--date", "case_date", type=DAY, required=True, help="Day of the examination.")
@click.option("--stage", type=WordType(Stage), help="If not given, guessed from each name, or else acetic_acid.")
@click.option("--seconds", type=int, help="Seconds after acetic acid, where known.")
def files(caller: Caller, files: tuple[Path, ...], stage: Stage | None, seconds: int | None, **case: Any) -> Answer:  # noqa: ANN401 - the patient's code and the day
    """Import images of one case."""
    incoming = [IncomingFile(name=str(path), path=path, stage=stage, seconds_after_acid=seconds) for path in files]
    return _answer(import_images(caller, files=incoming, **case))


@query("folder", import_group, makes_store=True)
@click.argument("folder", type=EXISTING_FOLDER)
@click.option("--patient", "patient_code", help="Code for all images, where the folder has no import.csv.")
@click.option("--date", "case_date", type=DAY, help="Day for all images, likewise.")
@click.option("--stage", type=WordType(Stage), help="Stage for all images, likewise; if not given, guessed.")
def folder(caller: Caller, **given: Any) -> Answer:  # noqa: ANN401 - what the service takes
    """Import a folder of images: one case, or many by its import.csv (file,patient_code,case_date,stage).

    The table may have commas, semicolons or tabs, or be an Excel workbook import.xlsx.
    """
    return _answer(import_folder(caller, **given))


@query("annocerv", import_group, makes_store=True)
@click.argument("folder", type=EXISTING_FOLDER)
def annocerv(caller: Caller, folder: Path) -> Answer:
    """Import the AnnoCerv collection: its images, its outlines as masks, its Swede scores as impressions."""
    return _answer(import_annocerv(caller, folder=folder, on_case=counting("{} cases read")))


def _answer(report: ImportReport) -> Answer:
    counts = {
        "patients": report.patients,
        "patients_new": report.new_patients,
        "cases_new": report.new_cases,
        "imported": report.imported,
        "duplicates": report.duplicates,
        "refused": report.refused,
        "copies_of_others": len(report.copies),
        "stages_by_name": report.guessed(StageGuess.BY_NAME),
        "stages_by_default": report.guessed(StageGuess.BY_DEFAULT),
        "asked_about": len(report.asked),
        "not_compared": report.not_compared,
        "annotations": report.annotations,
        "annotations_to_confirm": report.annotations_to_confirm,
    }
    details = {"cases": report.case_ids, "passed_over": report.passed_over, "notes": report.notes}
    record = {**counts, **details, "files": report.outcomes}
    return Answer(record, lambda: _print_words(report, counts), SystemExit(1) if report.refused else None)


def _print_words(report: ImportReport, counts: dict[str, int]) -> None:
    print_lines((*report.notes, *_lines(report)))
    print_questions(report.asked)
    if report.not_compared:
        click.echo(f"{report.not_compared} images of an older version were not compared; “snapshot preview” reads them")
    click.echo(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))
    if report.case_ids and len(report.case_ids) <= _MOST_CASES:
        click.echo("in case " + ", ".join(str(case_id) for case_id in report.case_ids))


def _lines(report: ImportReport) -> Iterator[str]:
    """A line for each file that was not imported; one for all that the table does not list, and one for no images."""
    unlisted = [outcome.name for outcome in report.outcomes if outcome.reason == NOT_LISTED]
    for outcome in report.outcomes:
        if outcome.reason and outcome.reason != NOT_LISTED:
            yield f"{outcome.status.value}: {outcome.name}: {outcome.reason}"
        for remark in outcome.notes:
            yield f"note: {outcome.name}: {remark}"
    if unlisted:
        yield f"refused, not listed in the table: {listed(unlisted)}"
    if report.passed_over:
        yield f"passed over, no images: {listed(report.passed_over)}"
