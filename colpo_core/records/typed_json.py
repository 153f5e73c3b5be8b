"""Records as JSON values and back, by their types: every field that is read is checked, none is guessed."""

import json
from collections.abc import Iterator, Mapping, Set
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
    return msgspec.to_builtins(_by_fields(record), enc_hook=_plain_number)


def _by_fields(value: object) -> object:
    """Dataclasses as dicts of all their fields: msgspec leaves out those that it has itself filled with a default."""
    if is_dataclass(value):
        return {field.name: _by_fields(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _by_fields(part) for key, part in value.items()}
    return [_by_fields(part) for part in value] if isinstance(value, list | tuple | Set) else value


def _plain_number(value: object) -> float:
    """A number of numpy that is one of Python's too, which msgspec does not know by itself."""
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} is nothing that JSON knows")


def canonical_json(values: object) -> bytes:
    """Values as the one UTF-8 JSON that is hashed: sorted keys, no blanks, letters as they are."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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
        return read_values(kind, values)
    except ValueError as error:
        raise InputRejected(f"This is not {name}: {error}.") from error


def read_values(kind: type[T], values: object, *, exact: bool = False) -> T:
    """The same for who refuses it in a sentence of their own.

    Args:
        kind: The dataclass, or a type that holds dataclasses.
        values: What `json.loads` returned.
        exact: Whether a key that no dataclass has is refused too.

    Raises:
        ValueError: A value is missing, has another type, or makes no sense to the record itself; the text names where.
    """
    try:
        record = msgspec.convert(values, type=kind, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if exact:
        unknown = sorted(set(_unknown(values, record, "$")))
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(unknown)}")
    return record


def _unknown(values: object, record: object, where: str) -> Iterator[str]:
    """Keys of values that the record read from them does not have."""
    if isinstance(values, dict) and is_dataclass(record):
        names = {field.name for field in fields(record)}
        yield from (f"{where}.{key}" for key in values.keys() - names)
        for key in values.keys() & names:
            if isinstance(values[key], dict | list):
                yield from _unknown(values[key], getattr(record, key), f"{where}.{key}")
    elif isinstance(values, list) and isinstance(record, list | tuple):
        for value, part in zip(values, record, strict=False):
            yield from _unknown(value, part, f"{where}[]")
