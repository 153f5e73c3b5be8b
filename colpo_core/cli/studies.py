"""Commands of blinded reading studies."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import click

from colpo_core.cli.conduct import print_conduct, studies
from colpo_core.cli.option_types import DAY, NEW_FILE, WordType, take_fields
from colpo_core.cli.output import (
    Answer,
    action,
    listing,
    plain,
    print_marks,
    print_notes,
    print_table,
    query,
)
from colpo_core.exchange.rating_report import study_text
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.records.studies.conduct import StudyConduct
from colpo_core.records.studies.designs import CaseChoice, CaseSource
from colpo_core.records.studies.reading_plans import Aid, ConfidenceScale, ReadingPlan
from colpo_core.records.studies.results import CallerFigures, ReadingTable, StudyFindings, StudyResults
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import signing_in
from colpo_core.services.studies import conduct as study_conduct
from colpo_core.services.studies import designing as service
from colpo_core.services.studies import presenting, readings
from colpo_core.services.studies import report as study_report
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies import rows as study_records
from colpo_core.services.studies.aid import LAYERS
from colpo_core.store import Store
from colpo_core.store.blobs import write_file
from colpo_core.terms import ExposureRule, Finding, Grade, Label

AS_READER = click.option("--as", "username", required=True, help="Name of the reader; the password is asked for.")
PASSWORD = click.option("--password", prompt=True, hide_input=True)


@query("list", studies)
def list_studies(caller: Caller) -> Answer:
    """Show all studies."""
    return listing(
        study_records.list_studies(caller),
        ("study", "name", "state", "cases", "readers", "readings"),
        lambda s: (s.id, s.name, s.state.value, s.n_cases, s.n_readers, f"{s.n_answered}/{s.n_expected}"),
    )


@action("create", studies)
@click.argument("name")
@click.option("--question", default="")
@click.option("--reader", "reader_ids", type=int, multiple=True, required=True, help="Number of a reader; repeat it.")
@click.option("--checkpoint", "checkpoint_ids", type=int, multiple=True, help="Number of a checkpoint; repeat it.")
@click.option("--case", "case_ids", type=int, multiple=True, help="A case; without any, --test-split or all labelled.")
@click.option("--test-split", "snapshot_id", type=int, help="The test split of this snapshot.")
@click.option("--seed", type=int, help="Seed of the reading orders; drawn if not given.")
@click.option("--grade", "grades", type=WordType(Grade), multiple=True, help="Of all labelled only these grades.")
@click.option("--from", "examined_from", type=DAY, help="Of all labelled only those examined from this day on.")
@click.option("--until", "examined_until", type=DAY, help="Of all labelled only those examined until this day.")
@click.option("--practice", "practice_case_ids", type=int, multiple=True, help="A case to practise with first.")
@click.option("--sessions", "n_sessions", type=int, default=1, show_default=True, help="Sessions a reader.")
@click.option("--washout", "washout_days", type=int, default=28, show_default=True, help="Days between sessions.")
@click.option("--repeats", "repeat_share", type=float, default=0.0, help="Share of cases shown twice, 0 to 0.5.")
@click.option("--confidence", type=WordType(ConfidenceScale), default=ConfidenceScale.PERCENT)
@click.option("--endpoint", type=WordType(Endpoint), default=Endpoint.AUC, help="The primary endpoint.")
@click.option("--margin", type=float, help="Margin of non-inferiority on the endpoint's scale.")
@click.option("--alpha", type=float, default=0.05, show_default=True)
@click.option("--hypotheses", default="", help="What is expected, in words.")
@click.option("--exposed", type=WordType(ExposureRule), default=ExposureRule.EXCLUDE, help="A case seen elsewhere.")
@click.option(
    "--aid", type=WordType(Aid), default=Aid.NONE, show_default=True, help="When readers see a model's output."
)
@click.option("--aid-checkpoint", "aid_checkpoint_id", type=int, help="Whose output; one of those to compare with.")
@click.option(
    "--crossover/--whole-sessions", default=True, show_default=True, help="Aided at once: half of each session, or all."
)
@click.option("--points", "asks_points", is_flag=True, help="Readers may set biopsy sites as points.")
@click.option("--findings", "asks_findings", is_flag=True, help="Readers may name findings.")
@click.option("--stages", "shows_stages", is_flag=True, help="Readers may look at the case's other images.")
@click.option("--interim", "interim_results", is_flag=True, help="Results may be seen before the closing.")
def create(
    caller: Caller,
    case_ids: tuple[int, ...],
    snapshot_id: int | None,
    grades: tuple[Grade, ...],
    examined_from: date | None,
    examined_until: date | None,
    hypotheses: str,
    **design: Any,  # noqa: ANN401 - fields of the reading plan, and what the service takes
) -> None:
    """Make a draft of a study."""
    if case_ids and snapshot_id is not None:
        raise click.UsageError("Give either --case or --test-split.")
    source = CaseSource.PICKED if case_ids else CaseSource.TEST_SPLIT if snapshot_id is not None else CaseSource.ALL
    choice = CaseChoice(
        source, snapshot_id, case_ids, grades=grades, examined_from=examined_from, examined_until=examined_until
    )
    plan = ReadingPlan(hypotheses=hypotheses.strip(), **take_fields(ReadingPlan, design))
    made = service.create_study(caller, choice=choice, plan=plan, **design)
    print_notes(plan.cautions, err=True)
    click.echo(f"study {made.id}: {made.n_cases} cases ({made.n_hsil} hsil), {made.n_readers} readers, a draft")


@action("open", studies, "study_id")
def open_study(caller: Caller, study_id: int) -> None:
    """Seal the design and let the readers begin; nothing can be changed after that."""
    opened = service.open_study(caller, study_id=study_id)
    print_notes(study_conduct.study_conduct(caller, study_id=study_id).warnings, err=True)
    click.echo(f"study {opened.id} is open, sealed as {opened.seal_sha256}")


@action("close", studies, "study_id")
@click.option("--reason", default="", help="Why it is closed while readings are missing; recorded as an amendment.")
def close_study(caller: Caller, study_id: int, reason: str) -> None:
    """End the reading; results can then be seen."""
    closed = service.close_study(caller, study_id=study_id, reason=reason)
    click.echo(f"study {closed.id} is closed with {closed.n_answered} of {closed.n_expected} readings")


@action("report", studies, "study_id")
@click.option("--html", "html_path", type=NEW_FILE, help="Write the report as one HTML file that prints to PDF.")
@click.option("--zip", "zip_path", type=NEW_FILE, help="Write it with the readings, every figure and a script in R.")
@click.option(
    "--readers-by-number", "by_number", is_flag=True, help="Number the readers; no file that is written names one."
)
def report(caller: Caller, study_id: int, html_path: Path | None, zip_path: Path | None, by_number: bool) -> None:
    """Write a closed study's report."""
    if html_path is None and zip_path is None:
        raise click.UsageError("Say where to: --html FILE, --zip FILE, or both.")
    if html_path is not None:
        text = study_report.report_html(caller, study_id=study_id, by_number=by_number)
        write_file(html_path, text.encode())
        click.echo(f"wrote {html_path}")
    if zip_path is not None:
        write_file(zip_path, study_report.report_archive(caller, study_id=study_id, by_number=by_number))
        click.echo(f"wrote {zip_path}")


@query("results", studies, "study_id")
@click.option("--csv", "csv_path", type=NEW_FILE, help="Write every call to this file as well.")
@click.option("--ratings", "ratings_path", type=NEW_FILE, help="Write the readers' ratings, as analyse reads them.")
@click.option("--prevalence", type=float, help="Give predictive values at this prevalence too.")
def results(
    caller: Caller, study_id: int, csv_path: Path | None, ratings_path: Path | None, prevalence: float | None
) -> Answer:
    """Show a closed study's table and statistics: readers and checkpoints on the same cases."""
    asked = {ReadingTable.CALLS: csv_path, ReadingTable.RATINGS: ratings_path}
    paths = {table: path for table, path in asked.items() if path is not None}
    findings = study_results.study_findings(caller, study_id=study_id, prevalence=prevalence, tables=paths)
    for table, content in findings.tables.items():
        write_file(paths[table], content)
    conduct = study_conduct.study_conduct(caller, study_id=study_id)
    record = plain(findings.results) | {"statistics": plain(findings.analysis), "conduct": plain(conduct)}
    return Answer(record, lambda: _print_findings(findings, conduct))


def _print_findings(findings: StudyFindings, conduct: StudyConduct) -> None:
    _print_results(findings.results)
    click.echo("")
    print_conduct(conduct)
    click.echo(f"\n{study_text(findings.analysis)}")


@action("next", studies, "study_id")
@AS_READER
@PASSWORD
@click.option("--out", type=NEW_FILE, required=True, help="Where the image goes.")
def next_case(caller: Caller, study_id: int, username: str, password: str, out: Path) -> None:
    """Read: write the image of the case that waits, and print the token to answer it with."""
    reader = _sign_in(caller.store, username, password)
    shown = presenting.next_case(reader, study_id=study_id)
    if shown is None:
        click.echo("All cases are read. Thank you.")
        return
    present = partial(presenting.presented_image, reader, study_id=study_id, token=shown.token)
    content, _ = present()
    present_layer = partial(presenting.presented_aid, reader, study_id=study_id, token=shown.token)
    layers = {} if shown.aid is None else {layer: present_layer(layer=layer) for layer in LAYERS}
    others = [present(other=number)[0] for number in range(len(shown.stages))]
    write_file(out, content)
    for name, layer in layers.items():
        write_file(out.with_name(f"{out.stem}-{name}.png"), layer)
    for number, (stage, other) in enumerate(zip(shown.stages, others, strict=True), start=1):
        beside = out.with_name(f"{out.stem}-{number}-{stage.value}{out.suffix}")
        write_file(beside, other)
        click.echo(f"another image of the case: {beside.name}")
    kind = "practice case" if shown.practice else "case"
    session = f"session {shown.session} of {shown.n_sessions}, " if shown.n_sessions > 1 and not shown.practice else ""
    click.echo(f"{session}{kind} {shown.number} of {shown.total}{' SIMULATED' if shown.simulated else ''}: {out}")
    if shown.aid is not None:
        call = "second call: " if shown.phase > 1 else ""
        prob, threshold = percent_texts(shown.aid.prob_hsil, shown.aid.threshold)
        sentence = f"the model's probability of HSIL is {prob}, it calls {shown.aid.call.value} (HSIL from {threshold})"
        click.echo(f"{call}{sentence}")
        print_marks(shown.aid.marks)
        click.echo(f"its mask and map lie beside the image: {', '.join(f'{out.stem}-{name}.png' for name in layers)}")
    click.echo(f"token {shown.token}")


@action("answer", studies, "study_id")
@click.argument("token")
@click.option("--call", type=WordType(Label), required=True)
@click.option("--confidence", type=click.IntRange(0, 100), required=True, help="0 (guessed) to 100 (certain).")
@click.option("--point", "points", type=(float, float), multiple=True, metavar="X Y", help="A biopsy site, in pixels.")
@click.option("--finding", "findings", type=WordType(Finding), multiple=True, help="What is seen.")
@AS_READER
@PASSWORD
def answer(caller: Caller, username: str, password: str, **reading: Any) -> None:  # noqa: ANN401 - what the service takes
    """Read: give the answer of the case that waits. It locks."""
    progress = readings.record_reading(_sign_in(caller.store, username, password), **reading)
    if progress.truth is not None:
        click.echo(f"practice: the reference standard is {progress.truth.value}")
    click.echo(f"{progress.answered} of {progress.total} read")


def _sign_in(store: Store, username: str, password: str) -> Caller:
    signed_in = signing_in.sign_in(store, username=username, password=password)
    signing_in.sign_out(store, token=signed_in.token)
    return Caller(store, signed_in.actor)


def _print_results(results: StudyResults) -> None:
    simulated = f", {results.study.n_simulated} SIMULATED" if results.study.n_simulated else ""
    reference = f"reference by {results.label_source.value}"
    click.echo(f"{results.study.name}: {results.study.n_cases} cases{simulated}, {reference}\n")
    rows = []
    for line in (*results.readers, *results.checkpoints):
        figures = line.figures
        shares = (figures.accuracy, figures.sensitivity, figures.specificity, figures.ppv, figures.npv)
        rows.append((_who(line, results), f"{line.n_called}/{line.n_cases}", *(share.text() for share in shares)))
    print_table(("who", "called", "accuracy", "sensitivity", "specificity", "PPV", "NPV"), rows)


def _who(line: CallerFigures, results: StudyResults) -> str:
    seen = f", {line.n_seen} seen in training" if line.n_seen else ""
    remark = f" ({line.remark})" if line.remark else ""
    return f"{results.title(line)}{seen}{remark}"
