"""Checkpoints whose card or snapshot a test changes after they were published."""

from sqlalchemy import delete

from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, CheckpointImage, CheckpointPatient


def publish_anew(store: Store, checkpoint_id: int, **card: object) -> tuple[str, ...]:
    """Change a card, and write down anew what the checkpoint has learned from; returns what could not be told."""
    with store.writing() as session:
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        checkpoint.card, checkpoint.learning_recorded = checkpoint.card | card, False
        for table in (CheckpointPatient, CheckpointImage):
            session.execute(delete(table).where(table.checkpoint_id == checkpoint_id))
    return fill_learned(store)
