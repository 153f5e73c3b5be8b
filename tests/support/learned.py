"""Checkpoints whose card or snapshot a test changes after they were published."""

from sqlalchemy import delete

from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, CheckpointImage, CheckpointPatient, Promotion
from colpo_core.terms import LabelSource
from tests.support.store_rows import add


def publish_anew(store: Store, checkpoint_id: int, **card: object) -> tuple[str, ...]:
    """Change a card, and write down anew what the checkpoint has learned from; returns what could not be told."""
    with store.writing() as session:
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        checkpoint.card, checkpoint.learning_recorded = checkpoint.card | card, False
        for table in (CheckpointPatient, CheckpointImage):
            session.execute(delete(table).where(table.checkpoint_id == checkpoint_id))
    return fill_learned(store)


def add_checkpoint(
    store: Store, snapshot_id: int, name: str = "model", *, promoted_by: int | None = None, **changes: object
) -> int:
    """Add a checkpoint of a snapshot, with what it has learned from; its files do not exist."""
    values = {"sha256": "a" * 64, "label_source": LabelSource.HISTOLOGY, "card": {}} | changes
    checkpoint_id = add(store, Checkpoint(name=name, snapshot_id=snapshot_id, **values))
    if promoted_by:
        add(store, Promotion(checkpoint_id=checkpoint_id, promoted_by=promoted_by, reason="best"))
    fill_learned(store)
    return int(checkpoint_id)
