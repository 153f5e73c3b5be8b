"""Commands that bring images in."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from colpo_core.cli.image_questions import print_questions
from colpo_core.cli.option_types import DAY, EXISTING_FOLDER, WordType
from colpo_core.cli.output import as_operator, json_option, note, print_json
from colpo_core.records.cases.cases import ImportReport, IncomingFile, StageGuess
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


@import_group.command("files")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--patient", "patient_code", required=True, help="Pseudonymous code; no name, no date of birth.")
@click.option("--date", "case_date", type=DAY, required=True, help="Day of the examination.")
@click.option("--stage", type=WordType(Stage), help="If not given, guessed from each name, or else acetic_acid.")
@click.option("--seconds", type=int, help="Seconds after acetic acid, where known.")
@json_option
def files(
    files: tuple[Path, ...], patient_code: str, case_date: date, stage: Stage | None, seconds: int | None, as_json: bool
) -> None:
    """Import images of one case."""
    incoming = [IncomingFile(name=str(path), path=path, stage=stage, seconds_after_acid=seconds) for path in files]
    with as_operator(make=True) as caller:
        report = import_images(caller, patient_code=patient_code, case_date=case_date, files=incoming)
    _print(report, as_json)


@import_group.command("folder")
@click.argument("folder", type=EXISTING_FOLDER)
@click.option("--patient", "patient_code", help="Code for all images, where the folder has no import.csv.")
@click.option("--date", "case_date", type=DAY, help="Day for all images, likewise.")
@click.option("--stage", type=WordType(Stage), help="Stage for all images, likewise; if not given, guessed.")
@json_option
def folder(folder: Path, patient_code: str | None, case_date: date | None, stage: Stage | None, as_json: bool) -> None:
    """Import a folder of images: one case, or many by its import.csv (file,patient_code,case_date,stage).

    The table may have commas, semicolons or tabs, or be an Excel workbook import.xlsx.
    """
    with as_operator(make=True) as caller:
        report = import_folder(caller, folder=folder, patient_code=patient_code, case_date=case_date, stage=stage)
    _print(report, as_json)


@import_group.command("annocerv")
@click.argument("folder", type=EXISTING_FOLDER)
@json_option
def annocerv(folder: Path, as_json: bool) -> None:
    """Import the AnnoCerv collection: its images, its outlines as masks, its Swede scores as impressions."""
    done = 0

    def count(_: object) -> None:
        nonlocal done
        done += 1
        if done % 10 == 0:
            note(f"{done} cases read")

    with as_operator(make=True) as caller:
        report = import_annocerv(caller, folder=folder, on_case=count)
    _print(report, as_json)


def _print(report: ImportReport, as_json: bool) -> None:
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
    if as_json:
        details = {"cases": report.case_ids, "passed_over": report.passed_over, "notes": report.notes}
        print_json({**counts, **details, "files": report.outcomes})
    else:
        _print_words(report, counts)
    if report.refused:
        raise SystemExit(1)


def _print_words(report: ImportReport, counts: dict[str, int]) -> None:
    for note_of_table in report.notes:
        click.echo(note_of_table)
    for line in _lines(report):
        click.echo(line)
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
