"""Both networks' calls, ROC curves and calibration."""

import streamlit as st

from colpo_core.exchange.card_tables.calls import (
    calibration_steps_table,
    calibration_table,
    calls_table,
    confusion_table,
)
from colpo_core.records.models.cards import (
    CALIBRATION_TEXT,
    Block,
    calibration_curves,
    calibration_text,
    calls,
    n_of,
    roc_curves,
    scores_text,
    side,
)
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.models.marks import NOT_CALIBRATED_TEXT
from colpo_core.terms import Split
from pages._ui.models.charts import intervals_chart
from pages._ui.models.marks import badges, block_head, labels_from, marks_line, say_old, show_table
from pages._ui.shared.charts import CONFIG, calibration_chart, roc_chart

_CURVES_PX = 430


def show_calls(checkpoint: CheckpointRecord) -> None:
    """Draw the figures of one side, by case or by image."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.segmented_control(
            "Side", [Split.TEST, Split.VALIDATION], default=Split.TEST, required=True, key="models_side",
            format_func=lambda split: split.value.capitalize(),
        )  # fmt: skip
        level = st.segmented_control(
            "Counted by", ["case", "image"], default="case", required=True, key="models_level",
            format_func=str.capitalize,
        )  # fmt: skip
    if split is Split.VALIDATION:
        st.warning("The thresholds were chosen on these cases: the figures flatter the model.", icon="⚠️")
    metrics = side(checkpoint.card, (split or Split.TEST).value)
    _shares(checkpoint, metrics, level or "case")
    _curves(checkpoint, metrics, level or "case")
    _calibration(checkpoint, metrics, level or "case")
    _threshold(checkpoint)


def _shares(checkpoint: CheckpointRecord, metrics: Block, level: str) -> None:
    block_head(checkpoint, "Classification")
    chart, table = st.columns(2, gap="large")
    with chart:
        figure = intervals_chart(metrics, level, marks_line(checkpoint))
        st.plotly_chart(figure, width="stretch", config=CONFIG, key="intervals")
    with table:
        show_table(calls_table(metrics, level))
    with st.expander("The calls, counted", icon=":material/grid_on:"):
        badges(checkpoint)
        show_table(confusion_table(metrics, level))
    three, four = (calls(metrics, network, level) for network in ("3ch", "4ch"))
    st.caption(
        f"{labels_from(checkpoint)} · {n_of(three, level=level)} · thresholds {three['threshold']:.3f} and "
        f"{four['threshold']:.3f}, chosen on validation · 95% by {three['interval']}; {scores_text(three)}"
    )


def _curves(checkpoint: CheckpointRecord, metrics: Block, level: str) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        block_head(checkpoint, "ROC curve")
        curves = roc_curves(metrics, level)
        if curves:
            figure = roc_chart(curves, marks=marks_line(checkpoint), height_px=_CURVES_PX)
            st.plotly_chart(figure, width="stretch", config=CONFIG, key="roc", theme=None)
        elif "roc" in calls(metrics, "4ch", level):
            st.info("This side does not hold both labels, so there is no curve.", icon=":material/show_chart:")
        else:
            say_old("a ROC curve")
    with right:
        block_head(checkpoint, "Are the probabilities right?")
        curves = calibration_curves(metrics, level)
        if curves:
            figure = calibration_chart(curves, marks=marks_line(checkpoint), height_px=_CURVES_PX)
            st.plotly_chart(figure, width="stretch", config=CONFIG, key="reliability", theme=None)
            st.caption(
                "Each point a group of similar probabilities with its 95% interval. Above the line there was more HSIL "
                "than the network said, below it less. Dotted: before the calibration. "
                f"{calibration_text(checkpoint.card) or NOT_CALIBRATED_TEXT}"
            )
        elif "reliability" in calls(metrics, "4ch", level):
            st.info("This side holds no labelled case.", icon=":material/show_chart:")
        else:
            say_old("a calibration curve")


def _calibration(checkpoint: CheckpointRecord, metrics: Block, level: str) -> None:
    if metrics is not side(checkpoint.card, "test"):
        return
    block_head(checkpoint, f"Before and after the calibration, by {level}")
    table = calibration_table(checkpoint.card, metrics, level)
    if table is None:
        say_old("figures before and after the calibration")
    else:
        show_table(table)
    steps = calibration_steps_table(checkpoint.card)
    if steps is not None:
        show_table(steps)
        st.caption(CALIBRATION_TEXT)


def _threshold(checkpoint: CheckpointRecord) -> None:
    thresholds = checkpoint.card.get("thresholds")
    if not thresholds:
        return
    st.markdown("**Where HSIL begins**")
    rule = thresholds.get("rule", "Chosen by Youden's index.")
    st.markdown(
        f"HSIL is called at a probability of **{thresholds['3ch']:.3f}** (3 channels) or **{thresholds['4ch']:.3f}** "
        f"(4 channels) and above. {rule}"
    )
