"""What every command shares: the open store, the operator, JSON, and errors as one sentence."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import partial, wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from colpo_core.errors import ColpoError, NotFound
from colpo_core.records.jobs.jobs import JobRecord, stored_values
from colpo_core.services.common.actors import OPERATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.store_access import Store, open_store

Command = TypeVar("Command", bound=Callable[..., Any])
Record = TypeVar("Record")


def json_option(command: Command) -> Command:
    """Give a command the switch `--json`, which prints one JSON document instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


@contextmanager
def as_operator(*, make: bool = False) -> Iterator[Caller]:
    """The store that `COLPO_DATA` names and the operator, for one command; a ColpoError ends it with its sentence.

    Args:
        make: Whether to make a new store where there is none, and say so.
    """
    try:
        with closing(_open(make=make)) as store:
            yield Caller(store, program_actor(store, OPERATOR))
    except ColpoError as error:
        raise click.ClickException(str(error)) from error


def _open(*, make: bool) -> Store:
    try:
        return open_store()
    except NotFound:
        if not make:
            raise
    store = open_store(make=True)
    note(f"A new store was made in {store.settings.data_dir}.")
    return store


@dataclass(frozen=True)
class Answer:
    """What a command has to say: a record for JSON, and what prints it as text."""

    record: object
    print_text: Callable[[], object]


def answer(record: Record, print_text: Callable[[Record], object]) -> Answer:
    """A record, and what prints it as text."""
    return Answer(record, partial(print_text, record))


def listing(records: Sequence[Record], headings: Sequence[str], row: Callable[[Record], Sequence[object]]) -> Answer:
    """Records that are printed as a table, a row each."""
    return Answer(records, lambda: print_table(headings, map(row, records)))


def json_command(command: Callable[..., Answer]) -> Callable[..., None]:
    """Run a command as the operator, and print its answer as text, or with `--json` as one JSON document.

    Args:
        command: Takes the caller first, then what was given on the command line by name.
    """

    @json_option
    @wraps(command)
    def run(*, as_json: bool, **given: object) -> None:
        with as_operator() as caller:
            answered = command(caller, **given)
        if as_json:
            print_json(answered.record)
        else:
            answered.print_text()

    return run


class _Page(Protocol):
    @property
    def next_after(self) -> object: ...


Page = TypeVar("Page", bound=_Page)


def every_page(ask: Callable[..., Page]) -> Iterator[Page]:
    """All pages of a list, from the first on.

    Args:
        ask: Gives the page that begins after a row, `after`; the first for None.
    """
    after: object = None
    while True:
        page = ask(after=after)
        yield page
        after = page.next_after
        if after is None:
            return


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Turn records, enums, dates and paths into what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        values = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        # What a job is to do and what it made are printed as its row keeps them.
        return values | stored_values(value) if isinstance(value, JobRecord) else values
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return value


def print_json(value: object) -> None:
    """Print one JSON document, and nothing else, on standard output."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns as wide as their widest cell."""
    lines = [
        [str(heading) for heading in headings],
        *[["" if cell is None else str(cell) for cell in row] for row in rows],
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if len(lines) == 1:
        click.echo("(none)")


def note(text: str) -> None:
    """Say something about the work on standard error, so that standard output stays the answer."""
    click.echo(text, file=sys.stderr)
