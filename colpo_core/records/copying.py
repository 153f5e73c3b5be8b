"""Records that repeat the values of a row, or of another record, under the same names."""

from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def copied(kind: type[T], source: object, **values: object) -> T:
    """A record with the values given; every other field has the value of the source's attribute of its name.

    Args:
        kind: The dataclass.
        source: A row of the store or another record.
        values: Fields that the source does not have, or that differ from it.

    Raises:
        AttributeError: The source lacks a field that is not given.
        TypeError: A value is given that the dataclass has no field for.
    """
    dataclass: Any = kind
    copies = {field.name: getattr(source, field.name) for field in fields(dataclass) if field.name not in values}
    record: T = dataclass(**copies, **values)
    return record
