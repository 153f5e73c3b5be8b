"""Commands of cases, their histology and their labels."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from colpo_core.cli.case_filters import filter_of, filter_options
from colpo_core.cli.findings import findings
from colpo_core.cli.image_questions import questions
from colpo_core.cli.option_types import NEW_FILE, WordType
from colpo_core.cli.output import Answer, action, answer, every_page, print_lines, print_table, query
from colpo_core.records.cases.cases import CaseRecord, SpecimenSite
from colpo_core.records.cases.lists import CaseRow, CaseSort
from colpo_core.records.models.marks import Mark, marks_text
from colpo_core.services.cases import case as service
from colpo_core.services.cases import lists as list_service
from colpo_core.services.cases.histology import add_specimen, set_site, withdraw_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import mark_image
from colpo_core.services.exports import case_files, case_pdf
from colpo_core.store.blobs import write_file
from colpo_core.terms import Colposcopy, Grade, SpecimenKind, Stage


@click.group()
def cases() -> None:
    """Cases: find them, show them, enter what is known."""


cases.add_command(findings)
cases.add_command(questions)


@query("list", cases)
@filter_options
@click.option("--sort", type=WordType(CaseSort), default=CaseSort.NEWEST, show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_cases(caller: Caller, sort: CaseSort, limit: int, **wishes: Any) -> Answer:  # noqa: ANN401 - click hands every option over by name
    """Show cases, newest first, or by another order."""
    rows: list[CaseRow] = []
    marks: tuple[Mark, ...] = ()
    for page in every_page(
        partial(list_service.list_cases, caller, where=filter_of(wishes), sort=sort, limit=min(50, limit))
    ):
        rows.extend(page.rows)
        marks = page.model_marks or marks
        if len(rows) >= limit:
            break
    return answer(rows[:limit], partial(_print_rows, marks))


def _print_rows(marks: tuple[Mark, ...], rows: Sequence[CaseRow]) -> None:
    print_table(
        ("case", "patient", "day", "images", "label", "because", "HSIL, model"),
        [(c.id, c.patient_code, c.case_date, c.n_images, _label(c.label), c.reason, _probability(c)) for c in rows],
    )
    _print_marks(marks)


@action("export", cases)
@filter_options
@click.option("--out", type=NEW_FILE, required=True, help="The ZIP file to write.")
@click.option("--with-files", is_flag=True, help="Images and masks too, for 200 cases at most.")
def export(caller: Caller, out: Path, with_files: bool, **wishes: Any) -> None:  # noqa: ANN401 - click hands every option over by name
    """Write cases with their labels, predictions and masks into a ZIP file."""
    ids = list_service.find_case_ids(caller, where=filter_of(wishes))
    content = case_files.export_cases(caller, case_ids=ids, with_files=with_files)
    write_file(out, content)
    click.echo(f"{len(ids)} cases written to {out}")


@action("pdf", cases, "case_id")
@click.option("--out", type=NEW_FILE, required=True, help="The PDF file to write.")
def pdf(caller: Caller, case_id: int, out: Path) -> None:
    """Write one case as one page of PDF for the record."""
    write_file(out, case_pdf.case_report_pdf(caller, case_id=case_id))
    click.echo(str(out))


@query("show", cases, "case_id")
def show_case(caller: Caller, case_id: int) -> Answer:
    """Show one case with its images, histology and label."""
    return answer(service.get_case(caller, case_id=case_id), print_case)


@action("colposcopy", cases, "case_id")
@click.argument("found", type=WordType(Colposcopy))
def set_colposcopy(caller: Caller, case_id: int, found: Colposcopy) -> None:
    """Record whether the colposcopy as a whole was normal; without biopsy the label depends on it."""
    case = service.get_case(caller, case_id=case_id)
    form = replace(case.form, colposcopy=found)
    service.update_case(caller, case_id=case_id, base_version=case.version, form=form)
    case = service.get_case(caller, case_id=case_id)
    _print_label(case)


@action("image", cases, "image_id")
@click.option("--stage", type=WordType(Stage))
@click.option("--shows-cervix/--no-cervix", default=None, help="An image without the cervix is left out of learning.")
def set_image(caller: Caller, image_id: int, stage: Stage | None, shows_cervix: bool | None) -> None:
    """Correct an image's stage, or say whether it shows the cervix."""
    image = mark_image(caller, image_id=image_id, stage=stage, shows_cervix=shows_cervix)
    click.echo(f"image {image.id}: {image.stage.value}, {'shows the cervix' if image.shows_cervix else 'no cervix'}")


@click.group()
def histology() -> None:
    """Histology: one result a specimen; the label follows by the rules."""


@action("add", histology, "case_id")
@click.option("--kind", type=WordType(SpecimenKind), required=True)
@click.option("--grade", type=WordType(Grade), required=True)
@click.option("--clock", "clock_hour", type=click.IntRange(1, 12), help="Where on the clock face.")
@click.option("--note", default="")
@click.option("--site", type=(int, float, float), help="Image of the case, x and y in pixels from the top left.")
def add(caller: Caller, case_id: int, site: tuple[int, float, float] | None, **result: Any) -> None:  # noqa: ANN401 - of a specimen
    """Enter a pathologist's result for one specimen of a case."""
    where = SpecimenSite(*site) if site else None
    specimen_id = add_specimen(caller, case_id=case_id, site=where, **result)
    case = service.get_case(caller, case_id=case_id)
    click.echo(f"specimen {specimen_id} entered")
    _print_label(case)


@action("site", histology, "specimen_id")
@click.argument("place", nargs=-1, type=float)
def site(caller: Caller, specimen_id: int, place: tuple[float, ...]) -> None:
    """Set where a specimen was taken: IMAGE X Y, in pixels from the top left; without them, take the site away."""
    if len(place) not in (0, 3):
        raise click.UsageError("name an image, x and y, such as 12 320 240, or nothing")
    where = SpecimenSite(int(place[0]), place[1], place[2]) if place else None
    set_site(caller, specimen_id=specimen_id, site=where)
    click.echo(f"specimen {specimen_id}: site {'set' if where else 'taken away'}")


@action("withdraw", histology, "specimen_id")
def withdraw(caller: Caller, specimen_id: int) -> None:
    """Take a wrong entry out of the count; it stays in the record."""
    withdraw_specimen(caller, specimen_id=specimen_id)
    click.echo(f"specimen {specimen_id} counts no more")


def print_case(case: CaseRecord) -> None:
    """Write a case with its images, histology and label."""
    simulated = "  SIMULATED" if case.simulated else ""
    click.echo(f"case {case.id}  patient {case.patient_code}  day {case.case_date or 'unknown'}{simulated}\n")
    rows = [
        (
            shown.image.id,
            shown.image.stage.value,
            f"{shown.image.width_px} x {shown.image.height_px}",
            ", ".join(f"{a.finding.value} {a.state.value} ({a.annotator})" for a in shown.annotations),
            "" if shown.prob_hsil is None else f"{shown.prob_hsil:.2f}",
        )
        for shown in case.images
    ]
    print_table(("image", "stage", "pixels", "annotations", "HSIL, model"), rows)
    _print_marks(case.model_marks)
    click.echo()
    specimens = [
        (s.id, s.kind.value, s.grade.value, s.clock_hour, _site(s.site), "withdrawn" if s.withdrawn_at else "", s.note)
        for s in case.specimens
    ]
    print_table(("specimen", "kind", "grade", "clock", "site", "", "note"), specimens)
    click.echo()
    _print_label(case)


def _print_marks(marks: tuple[Mark, ...]) -> None:
    if marks:
        click.echo(f"the current model: {marks_text(marks)}")


def _site(site: SpecimenSite | None) -> str:
    return "" if site is None else f"image {site.image_id} at {site.x_px:.0f},{site.y_px:.0f}"


def _print_label(case: CaseRecord) -> None:
    print_lines(
        f"label by {label.source.value}: {_label(label.label)} ({label.reason}; {label.rules_version})"
        for label in case.labels
    )


def _probability(row: CaseRow) -> str:
    return "" if row.prob_hsil_4ch is None else f"{row.prob_hsil_4ch:.2f}"


def _label(label: Any) -> str:  # noqa: ANN401 - a label or None, from two kinds of record
    return "excluded" if label is None else str(label.value)
