"""Commands of a study's conduct: who was exposed, what was amended, what was refused."""

from pathlib import Path

import click

from colpo_core.cli.option_types import NEW_FILE
from colpo_core.cli.output import Answer, answer, as_operator, json_command, print_table
from colpo_core.records.studies.conduct import AmendmentRecord, StudyConduct
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies import conduct as study_conduct
from colpo_core.store.blobs import write_file

REASON = click.option("--reason", required=True, help="Why; it is printed with the results.")


def add_conduct_commands(group: click.Group) -> None:
    """Give the group of studies its commands of conduct."""
    for command in (conduct, add_reader, remove_reader, correct_question):
        group.add_command(command)


@click.command("conduct")
@click.argument("study_id", type=int)
@click.option("--record", "record_path", type=NEW_FILE, help="Write the design, its seal and all of this to a file.")
@json_command
def conduct(caller: Caller, study_id: int, record_path: Path | None) -> Answer:
    """Show who was exposed to which cases, the amendments and what readers were refused; also of a draft."""
    record = study_conduct.study_conduct(caller, study_id=study_id)
    if record_path is not None:
        write_file(record_path, study_conduct.export_record(caller, study_id=study_id))
    return answer(record, print_conduct)


@click.command("add-reader")
@click.argument("study_id", type=int)
@click.argument("person_id", type=int)
@REASON
def add_reader(study_id: int, person_id: int, reason: str) -> None:
    """Amend an open study: let another person read in it."""
    with as_operator() as caller:
        made = study_amendments.add_reader(caller, study_id=study_id, reader_id=person_id, reason=reason)
    _print_amendment(made)


@click.command("remove-reader")
@click.argument("study_id", type=int)
@click.argument("person_id", type=int)
@REASON
def remove_reader(study_id: int, person_id: int, reason: str) -> None:
    """Amend an open study: take off a reader who dropped out; what was read stays."""
    with as_operator() as caller:
        made = study_amendments.remove_reader(caller, study_id=study_id, reader_id=person_id, reason=reason)
    _print_amendment(made)


@click.command("correct-question")
@click.argument("study_id", type=int)
@click.argument("question")
@REASON
def correct_question(study_id: int, question: str, reason: str) -> None:
    """Amend an open study: correct the wording of its question."""
    with as_operator() as caller:
        made = study_amendments.correct_question(caller, study_id=study_id, question=question, reason=reason)
    _print_amendment(made)


def print_conduct(record: StudyConduct) -> None:
    """Print a study's conduct."""
    for sentence in record.warnings:
        click.echo(f"note: {sentence}")
    click.echo(f"exposures (the design says: {record.rule.value}):")
    print_table(
        ("reader", "exposed to", "how", "not given", "read and flagged"),
        [
            (
                exposure.display_name,
                f"{exposure.n_exposed} of {exposure.n_cases}",
                exposure.text,
                exposure.n_withheld,
                exposure.n_flagged,
            )
            for exposure in record.exposures
        ],
    )
    click.echo(f"interim results: {'allowed by the design' if record.interim_results else 'none'}")
    click.echo(f"amendments: {len(record.amendments)}")
    for amendment in record.amendments:
        _print_amendment(amendment)
    click.echo(f"refused to readers: {sum(refusal.times for refusal in record.refusals)}")
    for refusal in record.refusals:
        click.echo(f"  {refusal.display_name}: {refusal.what}, {refusal.times} times")


def _print_amendment(amendment: AmendmentRecord) -> None:
    click.echo(f"  {amendment.at:%Y-%m-%d %H:%M} UTC, {amendment.by}: {amendment.text}. Reason: {amendment.reason}")
