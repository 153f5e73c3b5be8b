"""What a person can do about learning: freeze snapshots, compare and promote checkpoints.

Snapshots, external test sets and checkpoints have a file each; this is the counter at which pages, commands and other
services ask.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from colpo_core.errors import ColpoError
from colpo_core.records.checkpoints import CheckpointRecord, SnapshotQuery
from colpo_core.records.figures import Estimate
from colpo_core.records.jobs import JobRecord
from colpo_core.records.people import Actor
from colpo_core.services import checkpoints as _checkpoints
from colpo_core.services.agreement import agreement_overview
from colpo_core.services.checkpoints import (
    checkpoint_dir,
    current_checkpoint,
    find_checkpoint,
    get_checkpoint,
    list_checkpoints,
    list_promotions,
    verify_files,
)
from colpo_core.services.external_sets import external_sets, seen_by
from colpo_core.services.model_cards import model_card
from colpo_core.services.snapshots import (
    find_snapshot,
    freeze_snapshot,
    get_snapshot,
    list_snapshots,
    mask_authors,
    preview_snapshot,
    snapshot_manifest,
)
from colpo_core.store import Store
from colpo_core.store.tables import Evaluation, Person, Promotion, Snapshot

__all__ = [
    "EvaluationRecord",
    "HumanCeiling",
    "PromotionHeld",
    "SnapshotQuery",
    "checkpoint_dir",
    "current_checkpoint",
    "external_sets",
    "find_checkpoint",
    "find_snapshot",
    "freeze_snapshot",
    "get_checkpoint",
    "get_snapshot",
    "human_ceiling",
    "list_checkpoints",
    "list_evaluations",
    "list_promotions",
    "list_snapshots",
    "mask_authors",
    "model_card",
    "preview_snapshot",
    "promote_checkpoint",
    "promotion_doubts",
    "seen_by",
    "snapshot_manifest",
    "start_evaluation",
    "verify_files",
]


class PromotionHeld(ColpoError):
    """Doubts hold a promotion back."""


@dataclass(frozen=True)
class EvaluationRecord:
    """One look at an external test set."""

    id: int
    snapshot_name: str
    metrics: dict[str, Any]
    created_by: str
    created_at: datetime
    look: int


@dataclass(frozen=True)
class HumanCeiling:
    """The model beside the annotators."""

    model_dice: Estimate
    model_kappa: Estimate
    annotators_dice: Estimate
    annotators_kappa: Estimate
    all_annotators_dice: Estimate
    all_annotators_kappa: Estimate
    n_images_shared: int
    n_images_all: int


def promotion_doubts(store: Store, *, actor: Actor, checkpoint_id: int) -> tuple[str, ...]:
    """Why a checkpoint should not be promoted."""
    card = get_checkpoint(store, actor=actor, checkpoint_id=checkpoint_id).card
    worse = (card["metrics"].get("against_current") or {}).get("worse", [])
    return (*card.get("leaks", []), *worse)


def promote_checkpoint(
    store: Store, *, actor: Actor, checkpoint_id: int, reason: str, overrule: str = ""
) -> CheckpointRecord:
    """Make a checkpoint the clinic's current model."""
    doubts = promotion_doubts(store, actor=actor, checkpoint_id=checkpoint_id)
    if doubts and not overrule.strip():
        raise PromotionHeld(f"{' '.join(doubts)} Say in writing why you overrule this, or choose another model.")
    made = _checkpoints.promote_checkpoint(store, actor=actor, checkpoint_id=checkpoint_id, reason=reason)
    with store.writing() as session:
        row = session.scalars(select(Promotion).order_by(Promotion.id.desc()).limit(1)).one()
        row.overruled = list(doubts)
        row.reason = f"{row.reason} · overruled: {overrule.strip()}" if doubts else row.reason
    return made


def start_evaluation(store: Store, *, actor: Actor, checkpoint_id: int, snapshot_id: int) -> JobRecord:
    """Judge a checkpoint on an external test set."""
    raise ColpoError("Evaluations are not built in this branch.")


def list_evaluations(store: Store, *, actor: Actor, checkpoint_id: int) -> tuple[EvaluationRecord, ...]:
    """All looks of a checkpoint, newest first."""
    query = (
        select(Evaluation, Snapshot.name, Person.display_name)
        .join(Snapshot, Snapshot.id == Evaluation.snapshot_id)
        .join(Person, Person.id == Evaluation.created_by)
        .order_by(Evaluation.id.desc())
    )
    with store.reading() as session:
        found = list(session.execute(query))
        return tuple(
            EvaluationRecord(
                row.id,
                name,
                dict(row.metrics),
                person,
                row.created_at,
                sum(other.snapshot_id == row.snapshot_id and other.id <= row.id for other, _, _ in found),
            )
            for row, name, person in found
            if row.checkpoint_id == checkpoint_id
        )


def human_ceiling(store: Store, *, actor: Actor, checkpoint_id: int) -> HumanCeiling:
    """The model beside the annotators."""
    card = get_checkpoint(store, actor=actor, checkpoint_id=checkpoint_id).card
    block = card["metrics"]["segmentation"]
    found = agreement_overview(store, actor=actor)
    none = Estimate(None, None, None, 0, 0)
    kappa = Estimate(**block["kappa"]) if "kappa" in block else none
    return HumanCeiling(
        Estimate(**block["dice"]), kappa, found.dice, found.kappa, found.dice, found.kappa,
        found.n_images, found.n_images,
    )  # fmt: skip
