"""Promotion: a checkpoint becomes the current model where nothing speaks against it, or somebody answers for it."""

from sqlalchemy import select

from colpo_core.errors import Conflict, InputRejected, PromotionHeld
from colpo_core.records.models.checkpoints import CheckpointRecord, PromotionRecord
from colpo_core.services.common import audit, current_model
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, allowed
from colpo_core.services.jobs import engine
from colpo_core.services.models import files as checkpoint_files
from colpo_core.services.models import predicting
from colpo_core.services.models import registry as checkpoints
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.store.tables import Checkpoint, Person, Promotion


@allowed(CLINICIANS)
def list_promotions(caller: Caller) -> tuple[PromotionRecord, ...]:
    """The promotion history, newest first."""
    query = (
        select(Promotion, Checkpoint.name, Person.display_name)
        .join(Checkpoint, Checkpoint.id == Promotion.checkpoint_id)
        .join(Person, Person.id == Promotion.promoted_by)
        .order_by(Promotion.id.desc())
    )
    with caller.store.reading() as session:
        return tuple(
            PromotionRecord(
                row.id,
                row.checkpoint_id,
                name,
                promoted_by,
                row.reason,
                row.at,
                tuple(row.overruled),
                tuple(row.unchecked),
            )
            for row, name, promoted_by in session.execute(query)
        )


@allowed(ADMINISTRATORS)
def promote_checkpoint(caller: Caller, *, checkpoint_id: int, reason: str, overrule: str = "") -> CheckpointRecord:
    """Make a checkpoint the clinic's current model; promoting an older one rolls back.

    A prediction of all acetic-acid images that it has not predicted yet starts by itself.

    Args:
        caller: An administrator.
        checkpoint_id: Which one.
        reason: Why, for the history.
        overrule: Why it is promoted in spite of what speaks against it; goes into the history with the doubts.

    Raises:
        NotFound: There is no such checkpoint.
        InputRejected: The reason is empty.
        CheckpointMismatch: Its files are damaged or are not the ones that were published.
        PromotionHeld: Something speaks against it, and nobody answers for it in writing.
        Conflict: It is the current model already, or another one was promoted at the same moment.
    """
    if not reason.strip():
        raise InputRejected("Say why this checkpoint is promoted; the history keeps it.")
    chosen = checkpoints.read_checkpoint(caller.store, checkpoint_id)
    if chosen.is_current:
        raise Conflict(f"{chosen.name} is the current model already.")
    checkpoint_files.verify_files(caller.store, chosen)
    with caller.store.reading() as session:
        looked_against = current_model.current_id(session)
    checks = check_promotion(caller, checkpoint_id=checkpoint_id)
    doubts = checks.doubts
    if doubts and not overrule.strip():
        raise PromotionHeld(
            f"{chosen.name} was not promoted. {' '.join(doubts)} "
            "Train another one, or overrule this in writing: the history keeps what you overruled and why."
        )
    said = f"{reason.strip()} Overruled: {overrule.strip()}" if doubts else reason.strip()
    with caller.store.writing() as session:
        if current_model.current_id(session) == checkpoint_id:
            raise Conflict(f"{chosen.name} is the current model already.")
        if current_model.current_id(session) != looked_against:
            raise Conflict("Another model was promoted meanwhile. Look at what speaks against this one now.")
        session.add(
            Promotion(
                checkpoint_id=checkpoint_id,
                promoted_by=caller.person_id,
                reason=said,
                overruled=list(doubts),
                unchecked=list(checks.unchecked),
            )
        )
        audit.record(session, caller.actor, "promote checkpoint", f"checkpoint {checkpoint_id}", overruled=len(doubts))
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        queued = predicting.queue_prediction(
            session,
            actor=caller.actor,
            checkpoint=checkpoint,
            image_ids=None,
            shard_images=engine.shard_images(caller.store),
        )
    engine.place_all(caller.store, [job.id for job in queued])
    return checkpoints.read_checkpoint(caller.store, checkpoint_id)
