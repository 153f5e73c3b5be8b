"""A hint to the database's planner."""

from typing import Any

from sqlalchemy import SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class without_index(FunctionElement[Any]):  # noqa: N801 - reads as a function of SQL, as `func.lower` does
    """A column in a condition that SQLite shall test row by row, though the column has an index.

    SQLite knows nothing of how often a value occurs. PostgreSQL does, and sees the column alone.
    """

    name = "without_index"
    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any]) -> None:
        super().__init__(column)
        self.type = self.clauses.clauses[0].type


@compiles(without_index)
def _plain(element: without_index, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as compilers ask
    return compiler.process(element.clauses, **options)


@compiles(without_index, "sqlite")
def _sqlite(element: without_index, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as compilers ask
    return f"+{compiler.process(element.clauses, **options)}"
