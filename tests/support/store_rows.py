"""Rows of a store, for tests: read them, count them, add and change them, each call in a transaction of its own.

The first argument is the store, or a caller who brings it along.
"""

from typing import Any

from sqlalchemy import Select, func, select, update

from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.rows import check_seal
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Study
from colpo_core.store.tables.base import Base
from colpo_core.studies.design import StudyDesign


def _store(owner: Store | Caller) -> Store:
    return owner.store if isinstance(owner, Caller) else owner


def _query(what: Any, where: tuple[Any, ...], values: dict[str, object]) -> Select[Any]:
    return select(what).where(*where).filter_by(**values)


def rows(owner: Store | Caller, what: Any, *where: Any, **values: object) -> list[Any]:
    """The rows of a table, or the values of one of its columns, in the order of the primary key.

    Args:
        owner: The store, or a caller.
        what: A table, or a column such as `Reading.answered_at`.
        where: Conditions, such as `Image.stage == Stage.LUGOL`.
        values: Columns and what they have to equal.
    """
    table = what if isinstance(what, type) else what.class_
    with _store(owner).reading() as session:
        return list(session.scalars(_query(what, where, values).order_by(*table.__table__.primary_key)))


def row(owner: Store | Caller, what: Any, *where: Any, **values: object) -> Any:
    """The one row, or the one value, that there is; see `rows`."""
    with _store(owner).reading() as session:
        return session.scalars(_query(what, where, values)).one()


def count(owner: Store | Caller, table: type[Base], *where: Any, **values: object) -> int:
    with _store(owner).reading() as session:
        return session.scalar(_query(func.count(), where, {}).select_from(table).filter_by(**values)) or 0


def get(owner: Store | Caller, table: Any, key: Any) -> Any:
    """The row with a primary key."""
    with _store(owner).reading() as session:
        return session.get_one(table, key)


def add(owner: Store | Caller, *added: Any) -> Any:
    """Add rows; returns the first one's id, or None where its table has none."""
    with _store(owner).writing() as session:
        session.add_all(added)
        session.flush()
        return getattr(added[0], "id", None)


def change(owner: Store | Caller, table: Any, key: Any, **values: object) -> None:
    """Change columns of the row with a primary key."""
    with _store(owner).writing() as session:
        changed = session.get_one(table, key)
        for name, value in values.items():
            setattr(changed, name, value)


def change_all(owner: Store | Caller, table: Any, *where: Any, **values: object) -> None:
    """Change columns of every row that meets the conditions."""
    with _store(owner).writing() as session:
        session.execute(update(table).where(*where).values(**values))


def sealed(owner: Store | Caller, study_id: int) -> StudyDesign:
    """A study's design, checked against its seal."""
    with _store(owner).reading() as session:
        return check_seal(session, find_row(session, Study, study_id))
