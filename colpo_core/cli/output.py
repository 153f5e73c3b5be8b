"""What every command shares: the open store, the operator, text or JSON, and errors as one sentence."""

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
from colpo_core.exchange.tables import aligned
from colpo_core.records.jobs.jobs import JobRecord, stored_values
from colpo_core.records.models.marks import Mark
from colpo_core.services.common.actors import OPERATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.store_access import Store, open_store

Record = TypeVar("Record")


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """A ColpoError ends the command with its sentence."""
    try:
        yield
    except ColpoError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def as_operator(*, make: bool = False) -> Iterator[Caller]:
    """The store that `COLPO_DATA` names and the operator, for one command; a ColpoError ends it with its sentence.

    Args:
        make: Whether to make a new store where there is none, and say so.
    """
    with errors_as_sentences(), closing(_open(make=make)) as store:
        yield Caller(store, program_actor(store, OPERATOR))


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
    """What a query has to say.

    Attributes:
        record: What is printed as JSON, or what fetches it: where reading it leaves a trace that the text must not.
        print_text: Prints it as text, while the store is open.
        failure: What the command ends with when all is printed; None where it succeeded.
    """

    record: object
    print_text: Callable[[], object]
    failure: click.ClickException | SystemExit | None = None


def answer(record: Record, print_text: Callable[[Record], object]) -> Answer:
    """A record, and what prints it as text."""
    return Answer(record, partial(print_text, record))


def listing(records: Sequence[Record], headings: Sequence[str], row: Callable[[Record], Sequence[object]]) -> Answer:
    """Records that are printed as a table, a row each."""
    return Answer(records, lambda: print_table(headings, map(row, records)))


def action(
    name: str | None = None, group: click.Group | None = None, *numbers: str
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command that acts as the operator and says itself what it did.

    The decorated function takes the caller first, then what was given on the command line by name.

    Args:
        name: The command's name; the function's own when None.
        group: The group that it is added to, if any.
        numbers: Its first arguments, which are whole numbers, by name, such as `case_id`.
    """

    def made(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(**given: object) -> None:
            with as_operator() as caller:
                function(caller, **given)

        return _completed(click.command(name)(run), group, numbers)

    return made


def query(
    name: str | None = None,
    group: click.Group | None = None,
    *numbers: str,
    of_store: bool = True,
    makes_store: bool = False,
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Make a command whose answer is printed as text, or with `--json` as one JSON document.

    Args:
        name: See `action`.
        group: See `action`.
        numbers: See `action`.
        of_store: Whether the store is opened and the function takes the caller first; else only what was given.
        makes_store: Whether a new store is made where there is none.
    """

    def made(function: Callable[..., Answer]) -> click.Command:
        @wraps(function)
        def run(*, as_json: bool, **given: object) -> None:
            with as_operator(make=makes_store) if of_store else errors_as_sentences() as caller:
                answered = function(caller, **given) if of_store else function(**given)
                if as_json:
                    print_json(answered.record() if callable(answered.record) else answered.record)
                else:
                    answered.print_text()
            if answered.failure is not None:
                raise answered.failure

        command = click.command(name)(run)
        command.params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON document."))
        return _completed(command, group, numbers)

    return made


def _completed(command: click.Command, group: click.Group | None, numbers: Sequence[str]) -> click.Command:
    command.params[:0] = [click.Argument([name], type=int) for name in numbers]
    if group is not None:
        group.add_command(command)
    return command


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
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    print_lines(aligned(headings, texts))
    if not texts:
        click.echo("(none)")


def print_lines(lines: Iterable[str]) -> None:
    """Print each text on a line of its own; nothing where there are none."""
    for line in lines:
        click.echo(line)


def print_notes(sentences: Iterable[str], *, err: bool = False) -> None:
    """Print what has to be minded, each sentence on a line of its own; with `err` on standard error."""
    for sentence in sentences:
        click.echo(f"note: {sentence}", err=err)


def print_marks(marks: Iterable[Mark]) -> None:
    """Print what has to be minded of a model's figures, each mark with its meaning."""
    print_lines(f"{mark.text}: {mark.meaning}" for mark in marks)


def note(text: str) -> None:
    """Say something about the work on standard error, so that standard output stays the answer."""
    click.echo(text, file=sys.stderr)
