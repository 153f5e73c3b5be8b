"""Option types that every group uses: the clinic's words, dates, and the places of files."""

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)


class WordType(click.ParamType[Any]):
    """One of an enum's words, as the store writes them."""

    def __init__(self, kind: type[StrEnum]) -> None:
        self.name = kind.__name__.lower()
        self._kind = kind

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the words in the help."""
        return "[" + "|".join(member.value for member in self._kind) + "]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> StrEnum:  # noqa: ANN401 - click's own signature
        """Turn the text into the word, or say which words there are."""
        try:
            return self._kind(value)
        except ValueError:
            words = ", ".join(member.value for member in self._kind)
            self.fail(f"{value!r} is not one of {words}", param, ctx)


class DayType(click.ParamType[date]):
    """A day as YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401 - click's own signature
        """Turn the text into a day, or say how to write one."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-05-31", param, ctx)


DAY = DayType()


def options(*decorators: Decorator) -> Decorator:
    """Several options or arguments as one decorator, which the help shows in this order."""

    def decorate(command: Command) -> Command:
        return reduce(lambda decorated, decorator: decorator(decorated), reversed(decorators), command)

    return decorate


def take_fields(kind: Any, given: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """Take out of what a command was given what a dataclass has a field for."""
    return {field.name: given.pop(field.name) for field in fields(kind) if field.name in given}
