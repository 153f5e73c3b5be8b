"""The marks of a model that stands in the store, without reading the whole of its card."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.records.models.marks import Mark, model_marks
from colpo_core.store.tables import Checkpoint

_ASKED = ("leaks", "protocol", "calibration")


def marks_of(session: Session, checkpoint_id: int | None) -> tuple[Mark, ...]:
    """What to mind of a checkpoint, wherever its output is shown; nothing without one.

    Args:
        session: Of the store.
        checkpoint_id: Row of the checkpoint, or None before the first promotion.
    """
    wanted = Checkpoint.id == checkpoint_id
    row = session.execute(select(Checkpoint.label_source, Checkpoint.simulated).where(wanted)).one_or_none()
    if row is None:
        return ()
    parts = session.execute(select(*(Checkpoint.card[name] for name in _ASKED)).where(wanted)).one()
    card = dict(zip(_ASKED, parts, strict=True))
    return model_marks(card, label_source=row.label_source, simulated=row.simulated)
