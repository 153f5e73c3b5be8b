"""Conditions on many rows at once."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute


def among(column: InstrumentedAttribute[int], numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether a column holds one of some numbers, however many: they travel as one parameter.

    A statement takes a limited count of parameters, which one for each number would pass.

    Args:
        column: A column of whole numbers.
        numbers: Any count of them.
    """
    each: Any = func.json_each(json.dumps(sorted(set(numbers)))).table_valued("value")
    return column.in_(select(each.c.value))
