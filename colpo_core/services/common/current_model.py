"""Which model is the clinic's current one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.store.tables import Promotion


def current_id(session: Session) -> int | None:
    """Row of the clinic's current model, or None before the first promotion."""
    return session.scalar(select(Promotion.checkpoint_id).order_by(Promotion.id.desc()).limit(1))
