"""Records as JSON values and back, by their types: every field that is read is checked, none is guessed."""

from typing import Any, TypeVar

import msgspec

from colpo_core.errors import InputRejected

T = TypeVar("T")


def to_values(record: object) -> Any:  # noqa: ANN401
    """A dataclass, or what holds dataclasses, as values that JSON knows.

    Returns:
        Dicts, lists, texts and numbers: an enum is its value, a date and a time their ISO text, a tuple a list.
    """
    return msgspec.to_builtins(record)


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
