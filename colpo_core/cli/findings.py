"""Commands of a case's findings form (IFCPC 2011): JSON in, JSON or a table out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from functools import partial
from typing import Any, TextIO

import click

from colpo_core.cli.output import Answer, answer, plain, print_lines, print_table, query
from colpo_core.errors import InputRejected
from colpo_core.ifcpc import Iodine, Junction, LesionLocation, Sign
from colpo_core.records.cases.findings import FindingsEntry, FindingsProposal, FindingsRecord
from colpo_core.services.cases.findings import get_findings, save_findings
from colpo_core.services.cases.findings_proposal import propose_findings
from colpo_core.services.common.callers import Caller


@click.group()
def findings() -> None:
    """Findings: what was seen, by the IFCPC terminology of 2011."""


@query("show", findings, "case_id")
def show(caller: Caller, case_id: int) -> Answer:
    """Show a case's findings."""
    return answer(get_findings(caller, case_id=case_id), partial(_print_findings, case_id))


def _print_findings(case_id: int, record: FindingsRecord) -> None:
    click.echo(f"case {case_id}  version {record.version}  by {record.entered_by or 'nobody yet'}\n")
    values = plain(record.entry)
    rows = [(name, _text(value)) for name, value in values.items() if value not in (None, [], "")]
    print_table(("field", "value"), rows)


@query("set", findings, "case_id")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    "--base-version", type=int, help="Refuse if the form has another version by now.  [default: whatever it has]"
)
@click.option("--proposed-from", type=int, help="Version of the mask whose proposal this confirms.")
def set_findings(
    caller: Caller, case_id: int, file: TextIO, base_version: int | None, proposed_from: int | None
) -> Answer:
    """Enter findings from a JSON object (`-` for standard input); fields that it does not name stay."""
    record = get_findings(caller, case_id=case_id)
    return answer(
        save_findings(
            caller,
            case_id=case_id,
            base_version=record.version if base_version is None else base_version,
            entry=replace(record.entry, **_read(file.read())),
            proposed_from=proposed_from,
        ),
        lambda saved: click.echo(f"case {case_id}: findings of version {saved.version}"),
    )


@query("propose", findings, "image_id")
def propose(caller: Caller, image_id: int) -> Answer:
    """Show what the operator's own mask on an image proposes for size and place; nothing is entered."""
    return answer(propose_findings(caller, image_id=image_id), _print_proposal)


def _print_proposal(proposal: FindingsProposal) -> None:
    if proposal.has_mask:
        rows = [
            ("mask version", "draft" if proposal.is_draft else proposal.version_id),
            ("quadrants", proposal.quadrants),
            ("clock hours", _text(list(proposal.clock_hours))),
            ("centre", "" if proposal.centre_hour is None else f"{proposal.centre_hour} o'clock"),
            ("percent of the cervix", proposal.cervix_percent),
            ("percent of the image", proposal.image_percent),
            ("Swede score, lesion size", proposal.swede_lesion_size),
        ]
        print_table(("", "proposed"), rows)
    print_lines(proposal.missing)


def _text(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _read(text: str) -> dict[str, Any]:
    """The fields of a JSON object as `FindingsEntry` takes them.

    Raises:
        InputRejected: It is no JSON object, names an unknown field, or a field holds what it cannot.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputRejected(f"This is not JSON: {error}. Nothing was entered.") from error
    known = {field.name for field in fields(FindingsEntry)}
    if not isinstance(given, dict) or not known.issuperset(given):
        raise InputRejected(f"Write a JSON object with any of these fields: {', '.join(sorted(known))}.")
    return {name: _READERS[name](name, value) for name, value in given.items()}


def _maybe(read: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, value: None if value is None else read(name, value)


def _of(kind: type | tuple[type, ...], what: str) -> Callable[[str, Any], Any]:
    def read(name: str, value: Any) -> Any:  # noqa: ANN401 - what JSON holds
        # In Python true is a number; in a form it is not.
        is_right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not is_right:
            raise InputRejected(f"The field {name} takes {what}. Nothing was entered.")
        return value

    return read


def _word(kind: type[StrEnum]) -> Callable[[str, Any], StrEnum]:
    def read(name: str, value: Any) -> StrEnum:  # noqa: ANN401 - what JSON holds
        try:
            return kind(value)
        except ValueError as error:
            words = ", ".join(member.value for member in kind)
            raise InputRejected(f"The field {name} takes one of {words}. Nothing was entered.") from error

    return read


def _list(read: Callable[[str, Any], Any]) -> Callable[[str, Any], tuple[Any, ...]]:
    def read_all(name: str, value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - what JSON holds
        return tuple(read(name, item) for item in _of(list, "a list")(name, value))

    return read_all


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "adequate": _maybe(_of(bool, "true, false or null")),
    "junction": _maybe(_word(Junction)),
    "transformation_zone": _maybe(_of(int, "1, 2, 3 or null")),
    "location": _maybe(_word(LesionLocation)),
    "clock_hours": _list(_of(int, "whole numbers from 1 to 12")),
    "quadrants": _maybe(_of(int, "a whole number from 0 to 4, or null")),
    "cervix_percent": _maybe(_of((int, float), "a number from 0 to 100, or null")),
    "iodine": _maybe(_word(Iodine)),
    "signs": _list(_word(Sign)),
    "note": _of(str, "text"),
}
