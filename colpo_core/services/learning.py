"""What a person can do about learning: freeze snapshots, compare, judge and promote checkpoints.

Snapshots, external test sets, checkpoints and promotions have a file each; this is the counter at which pages, commands
and other services ask.
"""

from colpo_core.records.checkpoints import SnapshotQuery
from colpo_core.services.checkpoints import (
    current_checkpoint,
    find_checkpoint,
    get_checkpoint,
    list_checkpoints,
    whole_checkpoint,
)
from colpo_core.services.evaluations import count_looks, list_evaluations, start_evaluation
from colpo_core.services.external_sets import external_sets, seen_by
from colpo_core.services.human_ceiling import human_ceiling
from colpo_core.services.model_cards import model_card
from colpo_core.services.promotion_checks import check_promotion, promotion_doubts
from colpo_core.services.promotions import list_promotions, promote_checkpoint
from colpo_core.services.shortcuts import PREVIEW_IMAGES
from colpo_core.services.snapshots import (
    find_snapshot,
    freeze_snapshot,
    get_snapshot,
    list_snapshots,
    mask_authors,
    preview_snapshot,
    snapshot_manifest,
)

__all__ = [
    "PREVIEW_IMAGES",
    "SnapshotQuery",
    "check_promotion",
    "count_looks",
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
    "whole_checkpoint",
]
