"""Counts of rows: exact ones, and up to a limit beyond which nobody needs the number."""

from sqlalchemy import ColumnElement, SQLColumnExpression, func, literal, select
from sqlalchemy.orm import Session

from colpo_core.records.overview.worklist import MOST_COUNTED
from colpo_core.store.tables import Base


def count_rows(session: Session, table: type[Base], *where: SQLColumnExpression[bool]) -> int:
    """How many rows fit."""
    return session.scalar(select(func.count()).select_from(table).where(*where)) or 0


def count_up_to(session: Session, table: type[Base], *where: ColumnElement[bool], most: int = MOST_COUNTED) -> int:
    """How many rows fit, or `most` + 1 where more do; however large the store, no more rows than that are found."""
    rows = select(literal(1)).select_from(table).where(*where).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0
