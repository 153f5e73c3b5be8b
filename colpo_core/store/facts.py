"""Facts that many questions rest on, each with its one expression in SQL; and rows by their number, or a sentence.

Whether networks read an image is `Image.is_readable`, in SQL and in Python alike; whether a probability is called HSIL
is `is_called_hsil` in SQL and `Label.called` in Python.
"""

from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, SQLColumnExpression, exists, select
from sqlalchemy.orm import Session

from colpo_core.errors import NotFound
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Base,
    Case,
    Checkpoint,
    Histology,
    Image,
    Job,
    Person,
    Prediction,
    Promotion,
    Snapshot,
    Study,
)
from colpo_core.terms import AnnotationState, Finding

Table = TypeVar("Table", bound=Base)
Columns = TypeVarTuple("Columns")
_WHERE_TO_LOOK: dict[type[Base], tuple[str, str]] = {
    Annotation: ("annotation", "Open its image again."),
    AnnotationVersion: ("version of an annotation", "Open its image again."),
    Case: ("case", "Choose one from the list of cases."),
    Checkpoint: ("checkpoint", "Choose one under Models."),
    Histology: ("specimen", "Reload the case."),
    Image: ("image", "Choose one from the list of cases."),
    Job: ("job", "Look in the list of jobs."),
    Person: ("person", "Choose one from the list of people."),
    Prediction: ("prediction", "Choose one of those that wait."),
    Snapshot: ("snapshot", "Choose one of the list."),
    Study: ("study", "Look in the list of studies."),
}


def current_checkpoint_id() -> ScalarSelect[int]:
    """Row of the clinic's current model, the one that was promoted last; NULL before the first promotion."""
    return select(Promotion.checkpoint_id).order_by(Promotion.id.desc()).limit(1).scalar_subquery()


def is_called_hsil(prob_hsil: SQLColumnExpression[float], threshold: SQLColumnExpression[float]) -> ColumnElement[bool]:
    """Whether a probability is called HSIL: from its threshold on. NULL where one of the two is missing."""
    return prob_hsil >= threshold


def needs_annotation(*, finding: Finding = Finding.ACETOWHITE, by: int | None = None) -> ColumnElement[bool]:
    """Whether a row of `images` waits for a first mask: networks read it, and no mask of it counts or is begun.

    A rejected mask is none. What somebody has begun waits for nobody else; for `by`, a person of whom alone it is a
    draft, it waits still.

    Args:
        finding: What is to be painted.
        by: Row of a person whose own drafts do not count as begun.
    """
    mask = exists().where(
        Annotation.image_id == Image.id, Annotation.finding == finding, Annotation.state != AnnotationState.REJECTED
    )
    if by is not None:
        mask = mask.where((Annotation.annotator_id != by) | (Annotation.state != AnnotationState.DRAFT))
    return Image.is_readable & ~mask


def find_one(session: Session, query: Select[*Columns], named: int | str) -> Row[*Columns]:
    """The row that a query finds of what was asked for by its number or name; what it selects first says its kind.

    Raises:
        NotFound: There is none.
    """
    row = session.execute(query).one_or_none()
    if row is None:
        raise no_such(query.column_descriptions[0]["entity"], named)
    return row


def find_row(session: Session, table: type[Table], row_id: int) -> Table:
    """The row of a number.

    Raises:
        NotFound: There is none.
    """
    row = session.get(table, row_id)
    if row is None:
        raise no_such(table, row_id)
    return row


def no_such(table: type[Base], named: Any) -> NotFound:  # noqa: ANN401 - a number, or a name as text
    """What is said of a thing that is not in the store: one wording a kind."""
    kind, advice = _WHERE_TO_LOOK[table]
    return NotFound(f"There is no {kind} {f'“{named}”' if isinstance(named, str) else named}. {advice}".rstrip())
