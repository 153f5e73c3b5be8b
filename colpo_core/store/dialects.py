"""What SQLite and PostgreSQL write differently, behind one name each."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, SQLColumnExpression, String, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Insert = sqlite.Insert | postgresql.Insert


class without_index(FunctionElement[Any]):  # noqa: N801 - reads as a function of SQL, as `func.lower` does
    """A column in a condition that SQLite shall test row by row, though the column has an index.

    SQLite knows nothing of how often a value occurs. PostgreSQL does, and sees the column alone.
    """

    name = "without_index"
    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any]) -> None:
        super().__init__(column)
        self.type = self.clauses.clauses[0].type


class seconds_now(FunctionElement[float]):  # noqa: N801
    """Seconds since 1970 by the database's own clock, at the moment of the statement."""

    name = "seconds_now"
    type = Float()
    inherit_cache = True


class month_of(FunctionElement[str]):  # noqa: N801
    """The month of a day, such as `2026-03`."""

    name = "month_of"
    type = String()
    inherit_cache = True


class _is_among(FunctionElement[bool]):  # noqa: N801
    name = "is_among"
    type = Boolean()
    inherit_cache = True


def among(column: InstrumentedAttribute[int], numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether a column holds one of some numbers, however many: they travel as one parameter.

    A statement takes a limited count of parameters, which one for each number would pass.
    """
    return _is_among(column, bindparam(None, json.dumps(sorted(set(numbers))), String()))


def insert_or_change(session: Session, table: type[Any]) -> Insert:
    """An INSERT that can say what happens where the row is there already: `on_conflict_do_update` and its like.

    Args:
        session: Tells the database.
        table: Where to insert.
    """
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


@compiles(without_index)
def _plain(element: without_index, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as compilers ask
    return compiler.process(element.clauses, **options)


@compiles(without_index, "sqlite")
def _tested(element: without_index, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(seconds_now, "sqlite")
def _julian(_element: seconds_now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "(julianday('now') - 2440587.5) * 86400.0"


@compiles(seconds_now, "postgresql")
def _epoch(_element: seconds_now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    # `now()` would be the moment at which the transaction began, before it waited for another to write.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(month_of, "sqlite")
def _first_letters(element: month_of, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"substr({compiler.process(element.clauses, **options)}, 1, 7)"


@compiles(month_of, "postgresql")
def _formatted(element: month_of, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"to_char({compiler.process(element.clauses, **options)}, 'YYYY-MM')"


@compiles(_is_among, "sqlite")
def _in_json(element: _is_among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, numbers = (compiler.process(part, **options) for part in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({numbers})))"  # noqa: S608 - compiled names, not values


@compiles(_is_among, "postgresql")
def _in_array(element: _is_among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, numbers = (compiler.process(part, **options) for part in element.clauses)
    return f"({column} IN (SELECT CAST(jsonb_array_elements_text(CAST({numbers} AS jsonb)) AS INTEGER)))"
