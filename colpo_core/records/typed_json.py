"""Records as JSON values and back, by their types: every field that is read is checked, none is guessed."""

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import msgspec

from colpo_core.errors import InputRejected

T = TypeVar("T")


def to_values(record: object) -> Any:  # noqa: ANN401
    """A dataclass, or what holds dataclasses, as values that JSON knows.

    Returns:
        Dicts, lists, texts and numbers: an enum is its value, a date and a time their ISO text, a tuple a list.
    """
    return msgspec.to_builtins(_with_defaults(record))


def _with_defaults(value: object) -> Any:  # noqa: ANN401
    """Dataclasses as dicts of all their fields; msgspec leaves out a default of an object that it has read itself."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _with_defaults(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _with_defaults(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_defaults(item) for item in value]
    return value


def from_values(kind: type[T], values: object, *, name: str) -> T:
    """A record of values that were read from JSON.

    Args:
        kind: The dataclass, or a type that holds dataclasses.
        values: What `json.loads` returned; a key that the dataclass does not have is passed over.
        name: What the values are of, for the sentence of the error: "the settings of a training".

    Raises:
        InputRejected: A value is missing or has another type; the sentence names where.
    """
    try:
        return msgspec.convert(values, type=kind, strict=True)
    except msgspec.ValidationError as error:
        raise InputRejected(f"This is not {name}: {error}.") from error
