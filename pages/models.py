"""The registry of checkpoints: compare, promote, roll back."""

import json
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from colpo_core.records.checkpoints import CheckpointRecord, label_source_text, mask_policy_text
from colpo_core.services import learning
from colpo_core.terms import LabelSource, MaskPolicy, Role, Split
from pages._ui.badges import impression_badge, simulated_badge
from pages._ui.errors import showing_errors
from pages._ui.figures import SEGMENTATION, SHARES, estimate, proportion, short_estimate, short_share
from pages._ui.here import Here, here
from pages._ui.jobs import prediction_progress
from pages._ui.links import link
from pages._ui.tables import as_when
from pages._ui.told import tell

_NETWORKS = {"classification_3ch": ("3 channels", "#8aa5a8"), "classification_4ch": ("4 channels", "#0f6b74")}


def render() -> None:
    """Draw the page."""
    person = here()
    st.title("Models")
    tell("models_told")
    with showing_errors():
        listed = learning.list_checkpoints(person.store, actor=person.actor)
        if not listed:
            st.info("No model has been trained yet.", icon=":material/deployed_code:")
            link("train", "Freeze a snapshot and train one", icon=":material/model_training:")
            return
        prediction_progress()
        chosen = _choose(listed)
        st.divider()
        _card(person, chosen)
        _history(person)


def _choose(listed: tuple[CheckpointRecord, ...]) -> CheckpointRecord:
    """The checkpoint picked in the table, else that of the address, else the current one, else the newest."""
    tests = [one.card["metrics"] for one in listed]
    cases = [one["classification_4ch"]["case"] for one in tests]
    rows = pd.DataFrame(
        {
            "Model": [("★ " if one.is_current else "") + one.name for one in listed],
            "Trained (UTC)": [as_when(one.created_at) for one in listed],
            "Snapshot": [one.snapshot_name for one in listed],
            "Labels from": [_source(one) for one in listed],
            "Simulated": [one.simulated for one in listed],
            "IoU": [short_estimate(estimate(one["segmentation"], "iou_acetowhite")) for one in tests],
            "AUC": [short_estimate(estimate(one, "auc")) for one in cases],
            "Sensitivity": [short_share(proportion(one, "sensitivity")) for one in cases],
            "Specificity": [short_share(proportion(one, "specificity")) for one in cases],
        }
    )
    st.caption(
        "★ current model. Figures with 95% intervals: test side; by case, 4 channels, at the frozen threshold. "
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


def _source(one: CheckpointRecord) -> str:
    return "histology" if one.label_source is LabelSource.HISTOLOGY else "impression, not histology"


def _labels_from(one: CheckpointRecord) -> str:
    text = label_source_text(one.label_source)
    return text[0].upper() + text[1:]


def _card(person: Here, one: CheckpointRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(one.name, width="content")
        if one.is_current:
            st.badge("CURRENT MODEL", icon=":material/star:", color="green")
        if one.simulated:
            simulated_badge()
        if one.label_source is LabelSource.IMPRESSION:
            impression_badge()
    figures, about = st.columns([3, 2], gap="large")
    with figures:
        _figures(one)
    with about:
        _promote(person, one)
        _trained_on(one)
        _limits(one)
        _settings(one)


def _figures(one: CheckpointRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = st.segmented_control(
            "Side", [Split.TEST, Split.VALIDATION], default=Split.TEST, required=True, key="models_side",
            format_func=lambda split: split.value.capitalize(),
        )  # fmt: skip
        level = st.segmented_control(
            "Counted by", ["case", "image"], default="case", required=True, key="models_level",
            format_func=str.capitalize,
        )  # fmt: skip
    metrics = one.card["metrics"] if side is Split.TEST else one.card["metrics"]["validation"]
    if side is Split.VALIDATION:
        st.warning("The thresholds were chosen on these cases: the figures flatter the model.", icon="⚠️")
    blocks = {network: metrics[network][level or "case"] for network in _NETWORKS}
    source = _labels_from(one)
    st.markdown("**Classification**")
    st.plotly_chart(_intervals(blocks, source), width="stretch", config={"displayModeBar": False}, key="intervals")
    st.dataframe(_classification(blocks), hide_index=True, width="stretch")
    three, four = (blocks[network] for network in _NETWORKS)
    st.caption(
        f"{source} · {three['n']} {level}s of {three['n_patients']} patients · thresholds "
        f"{three['threshold']:.2f} and {four['threshold']:.2f}, chosen on validation · 95% by {three['interval']}"
    )
    _segmentation(metrics["segmentation"])


def _intervals(blocks: dict[str, dict[str, Any]], source: str) -> go.Figure:
    """Each share with its interval, the two networks below each other."""
    figure = go.Figure()
    for network, (name, colour) in _NETWORKS.items():
        found = {label: proportion(blocks[network], share) for share, label in SHARES.items()}
        known = {label: one for label, one in found.items() if one.value is not None}
        figure.add_trace(
            go.Bar(
                orientation="h",
                y=list(known),
                x=[one.value for one in known.values()],
                name=name,
                marker_color=colour,
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [(one.high or 0) - (one.value or 0) for one in known.values()],
                    "arrayminus": [(one.value or 0) - (one.low or 0) for one in known.values()],
                    "thickness": 1.2,
                    "color": "#1d2b2f",
                },
                customdata=[one.text() for one in known.values()],
                hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
            )
        )
    figure.update_layout(
        height=300,
        barmode="group",
        bargap=0.35,
        margin={"l": 0, "r": 30, "t": 30, "b": 0},
        xaxis={"range": [0, 1], "tickformat": ".0%"},
        yaxis={"autorange": "reversed"},
        title={"text": source, "font": {"size": 12}},
        legend={"orientation": "h", "y": -0.12},
        template="plotly_white",
    )
    return figure


def _classification(blocks: dict[str, dict[str, Any]]) -> pd.DataFrame:
    table: dict[str, list[str]] = {"Figure": [*SHARES.values(), "AUC (ROC curve)"]}
    for network, (name, _) in _NETWORKS.items():
        block = blocks[network]
        table[name] = [*(proportion(block, share).text() for share in SHARES), estimate(block, "auc").text()]
    return pd.DataFrame(table)


def _segmentation(block: dict[str, Any]) -> None:
    st.markdown("**Segmentation**")
    rows = pd.DataFrame(
        {
            "Mean over images": list(SEGMENTATION.values()),
            "Value (95% interval by patients)": [estimate(block, name).text() for name in SEGMENTATION],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch")
    without = block["n_images_without_acetowhite"]
    st.caption(f"{block['n_images']} images with a mask, {without} of them without acetowhite epithelium")


def _promote(person: Here, one: CheckpointRecord) -> None:
    with st.container(border=True):
        if one.is_current:
            st.markdown("**This is the clinic's current model.**")
            link("review", "Review its predictions", icon=":material/fact_check:")
            return
        if person.actor.role is not Role.ADMINISTRATOR:
            st.markdown("An administrator can make this the clinic's current model.")
            return
        older = any(one.created_at < other.created_at for other in _current(person))
        st.markdown("**Roll back to this model**" if older else "**Make this the current model**")
        with st.form(f"promote_{one.id}", border=False):
            reason = st.text_input("Reason", placeholder="Higher sensitivity on the same test cases", max_chars=500)
            pressed = st.form_submit_button("Promote", type="primary", icon=":material/verified:", width="stretch")
        st.caption("All acetic-acid images that it has not seen are then predicted in the background.")
        if pressed:
            with showing_errors():
                learning.promote_checkpoint(person.store, actor=person.actor, checkpoint_id=one.id, reason=reason)
                st.session_state["models_told"] = f"{one.name} is the current model. Its predictions are on their way."
                st.query_params["checkpoint"] = str(one.id)
                st.rerun()


def _current(person: Here) -> list[CheckpointRecord]:
    current = learning.current_checkpoint(person.store)
    return [current] if current else []


def _trained_on(one: CheckpointRecord) -> None:
    st.markdown(f"**Trained on “{one.snapshot_name}”**")
    counts = one.card["trained_on"]
    sides = [split.value for split in Split]
    rows = pd.DataFrame(
        {
            "Side": sides,
            "Patients": [counts["patients"][side] for side in sides],
            "normal": [counts["case_labels"][side]["normal"] for side in sides],
            "hsil": [counts["case_labels"][side]["hsil"] for side in sides],
            "Masks": [counts["masks"][side] for side in sides],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch")
    masks = mask_policy_text(MaskPolicy(one.card.get("mask_policy", MaskPolicy.NEWEST)))
    st.caption(f"{_labels_from(one)}, by rules {one.card['rules_version']}. Masks: {masks}.")


def _limits(one: CheckpointRecord) -> None:
    st.markdown("**Limits**")
    st.markdown("\n".join(f"- {sentence}" for sentence in one.card["limits"]))


def _settings(one: CheckpointRecord) -> None:
    with st.expander("Settings and hashes", icon=":material/tune:"):
        values = one.card["architecture"] | one.card["settings"]
        rows = pd.DataFrame({"Setting": list(values), "Value": [str(value) for value in values.values()]})
        st.dataframe(rows, hide_index=True, width="stretch")
        st.caption(f"Checkpoint {one.sha256}  \nSnapshot {one.card['snapshot_sha256']}")
        st.download_button(
            "Model card (JSON)",
            json.dumps(one.card, indent=2, sort_keys=True),
            file_name=f"{one.name}.json",
            mime="application/json",
            icon=":material/download:",
        )


def _history(person: Here) -> None:
    promotions = learning.list_promotions(person.store, actor=person.actor)
    if not promotions:
        return
    st.subheader("Promotions")
    rows = pd.DataFrame(
        {
            "When (UTC)": [as_when(one.at) for one in promotions],
            "Model": [one.checkpoint_name for one in promotions],
            "By": [one.promoted_by for one in promotions],
            "Reason": [one.reason for one in promotions],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch")
