"""The table of all models, from which one is chosen."""

import pandas as pd
import streamlit as st

from colpo_core.records.models.cards import Block, calls, estimate, proportion, side
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.models.marks import MarkKind, marks_text
from colpo_core.terms import LabelSource
from pages._ui.shared.formats import as_when, short_estimate, short_share


def choose_model(listed: tuple[CheckpointRecord, ...]) -> CheckpointRecord:
    """The checkpoint picked in the table, else that of the address, else the current one, else the newest.

    Args:
        listed: All checkpoints, newest first, at least one.
    """
    tests = [side(one.card, "test") for one in listed]
    cases = [calls(one, "4ch", "case") for one in tests]
    rows = pd.DataFrame(
        {
            "Model": [("★ " if one.is_current else "") + one.name for one in listed],
            "Labels from": [_source(one) for one in listed],
            "Marks": [_marks(one) for one in listed],
            "IoU": [short_estimate(estimate(one["segmentation"], "iou_acetowhite")) for one in tests],
            "IoU of the mean mask": [_blind_iou(one["segmentation"]) for one in tests],
            "AUC": [short_estimate(estimate(one, "auc")) for one in cases],
            "Sensitivity": [short_share(proportion(one, "sensitivity")) for one in cases],
            "Specificity": [short_share(proportion(one, "specificity")) for one in cases],
            "Cases": [one["n"] for one in cases],
            "Snapshot": [one.snapshot_name for one in listed],
            "Trained (UTC)": [as_when(one.created_at) for one in listed],
        }
    )
    st.caption(
        "★ current model. Figures with 95% intervals: test side; by case, 4 channels, at the frozen threshold. "
        "IoU of the mean mask: what the mean of the training masks, which looks at no image, reaches on the same ones. "
        "Choose a row for its card."
    )
    picked = st.dataframe(
        rows, hide_index=True, width="stretch", on_select="rerun", selection_mode="single-row", key="model_rows"
    )["selection"]["rows"]
    if picked and picked[0] < len(listed):
        return listed[picked[0]]
    wanted = st.query_params.get("checkpoint", "")
    named = [one for one in listed if str(one.id) == wanted]
    return (named or [one for one in listed if one.is_current] or list(listed))[0]


def _blind_iou(block: Block) -> str:
    """What the mean training mask reaches on the same images."""
    blind = block.get("blind")
    return short_estimate(estimate(blind["mean_mask"], "iou_acetowhite")) if blind else "not known"


def _source(one: CheckpointRecord) -> str:
    return "histology" if one.label_source is LabelSource.HISTOLOGY else "impression, not histology"


def _marks(one: CheckpointRecord) -> str:
    # What its labels rest on has a column of its own.
    return marks_text(one.marks, without=(MarkKind.IMPRESSION,))
