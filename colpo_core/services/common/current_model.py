"""Which model is the clinic's current one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.store.facts import current_checkpoint_id


def current_id(session: Session) -> int | None:
    """Row of the clinic's current model, or None before the first promotion."""
    return session.scalar(select(current_checkpoint_id()))
