"""The table of all models, from which one is chosen."""

import pandas as pd
import streamlit as st

from colpo_core.records.models.cards import Block, calls, estimate, proportion, side
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.models.marks import MarkKind, marks_text
from colpo_core.terms import LabelSource
from pages._ui.shared.formats import as_when, short_estimate, short_share
from pages._ui.shared.tables import pick_row


def choose_model(listed: tuple[CheckpointRecord, ...]) -> CheckpointRecord:
    """The checkpoint picked in the table, else that of the address, else the current one, else the newest.

    Args:
        listed: All checkpoints, newest first, at least one.
    """
    tests = [side(checkpoint.card, "test") for checkpoint in listed]
    cases = [calls(checkpoint, "4ch", "case") for checkpoint in tests]
    rows = pd.DataFrame(
        {
            "Model": [("★ " if checkpoint.is_current else "") + checkpoint.name for checkpoint in listed],
            "Labels from": [_source(checkpoint) for checkpoint in listed],
            # What the labels rest on has a column of its own.
            "Marks": [marks_text(checkpoint.marks, without=(MarkKind.IMPRESSION,)) for checkpoint in listed],
            "IoU": [short_estimate(estimate(checkpoint["segmentation"], "iou_acetowhite")) for checkpoint in tests],
            "IoU of the mean mask": [_blind_iou(checkpoint["segmentation"]) for checkpoint in tests],
            "AUC": [short_estimate(estimate(checkpoint, "auc")) for checkpoint in cases],
            "Sensitivity": [short_share(proportion(checkpoint, "sensitivity")) for checkpoint in cases],
            "Specificity": [short_share(proportion(checkpoint, "specificity")) for checkpoint in cases],
            "Cases": [checkpoint["n"] for checkpoint in cases],
            "Snapshot": [checkpoint.snapshot_name for checkpoint in listed],
            "Trained (UTC)": [as_when(checkpoint.created_at) for checkpoint in listed],
        }
    )
    st.caption(
        "★ current model. Figures with 95% intervals: test side; by case, 4 channels, at the frozen threshold. "
        "IoU of the mean mask: what the mean of the training masks, which looks at no image, reaches on the same ones. "
        "Choose a row for its card."
    )
    picked = pick_row(rows, key="model_rows")
    if picked is not None:
        return listed[picked]
    wanted = st.query_params.get("checkpoint", "")
    named = [checkpoint for checkpoint in listed if str(checkpoint.id) == wanted]
    return (named or [checkpoint for checkpoint in listed if checkpoint.is_current] or list(listed))[0]


def _blind_iou(block: Block) -> str:
    """What the mean training mask reaches on the same images."""
    blind = block.get("blind")
    return short_estimate(estimate(blind["mean_mask"], "iou_acetowhite")) if blind else "not known"


def _source(checkpoint: CheckpointRecord) -> str:
    return "histology" if checkpoint.label_source is LabelSource.HISTOLOGY else "impression, not histology"
