"""The group of reading studies, and its commands of conduct: who was exposed, what was amended, what was refused."""

from pathlib import Path

import click

from colpo_core.cli.option_types import NEW_FILE
from colpo_core.cli.output import Answer, action, answer, print_lines, print_notes, print_table, query
from colpo_core.records.studies.conduct import AmendmentRecord, StudyConduct
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies import conduct as study_conduct
from colpo_core.store.blobs import write_file

REASON = click.option("--reason", required=True, help="Why; it is printed with the results.")


@click.group()
def studies() -> None:
    """Blinded reading: design, seal, read, compare."""


@query("conduct", studies, "study_id")
@click.option("--record", "record_path", type=NEW_FILE, help="Write the design, its seal and all of this to a file.")
def conduct(caller: Caller, study_id: int, record_path: Path | None) -> Answer:
    """Show who was exposed to which cases, the amendments and what readers were refused; also of a draft."""
    record = study_conduct.study_conduct(caller, study_id=study_id)
    if record_path is not None:
        write_file(record_path, study_conduct.export_record(caller, study_id=study_id))
    return answer(record, print_conduct)


@action("add-reader", studies, "study_id", "person_id")
@REASON
def add_reader(caller: Caller, study_id: int, person_id: int, reason: str) -> None:
    """Amend an open study: let another person read in it."""
    _print_amendment(study_amendments.add_reader(caller, study_id=study_id, reader_id=person_id, reason=reason))


@action("remove-reader", studies, "study_id", "person_id")
@REASON
def remove_reader(caller: Caller, study_id: int, person_id: int, reason: str) -> None:
    """Amend an open study: take off a reader who dropped out; what was read stays."""
    _print_amendment(study_amendments.remove_reader(caller, study_id=study_id, reader_id=person_id, reason=reason))


@action("correct-question", studies, "study_id")
@click.argument("question")
@REASON
def correct_question(caller: Caller, study_id: int, question: str, reason: str) -> None:
    """Amend an open study: correct the wording of its question."""
    _print_amendment(study_amendments.correct_question(caller, study_id=study_id, question=question, reason=reason))


def print_conduct(record: StudyConduct) -> None:
    """Print a study's conduct."""
    print_notes(record.warnings)
    click.echo(f"exposures (the design says: {record.rule.value}):")
    print_table(
        ("reader", "exposed to", "how", "not given", "read and flagged"),
        [
            (each.display_name, f"{each.n_exposed} of {each.n_cases}", each.text, each.n_withheld, each.n_flagged)
            for each in record.exposures
        ],
    )
    click.echo(f"interim results: {'allowed by the design' if record.interim_results else 'none'}")
    click.echo(f"amendments: {len(record.amendments)}")
    for amendment in record.amendments:
        _print_amendment(amendment)
    click.echo(f"refused to readers: {sum(refusal.times for refusal in record.refusals)}")
    print_lines(f"  {each.display_name}: {each.what}, {each.times} times" for each in record.refusals)


def _print_amendment(amendment: AmendmentRecord) -> None:
    click.echo(f"  {amendment.at:%Y-%m-%d %H:%M} UTC, {amendment.by}: {amendment.text}. Reason: {amendment.reason}")
