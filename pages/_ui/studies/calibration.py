"""Calibration of a study's readers and networks: how sure they are, and how often they are right."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from colpo_core.records.statistics.figures import Estimate
from colpo_core.records.studies.results import CallerCalibration
from pages._ui.studies.table import study_table

_COLOURS = ("#0f6b74", "#b4581b", "#7a5195", "#2f6f3e", "#9a3d0c", "#3b5b92", "#8a6d1d", "#a0446c")
_HEIGHT_PX = 420


def calibration_view(lines: Sequence[CallerCalibration]) -> None:
    """Draw the table and the curves."""
    if not lines:
        return
    st.markdown("**Calibration**")
    st.html(calibration_table(lines))
    st.caption(
        "A reader's confidence of 0 stands for a probability of 0.5 and one of 100 for certainty of the call. Brier "
        "score: 0 is perfect, 0.25 is what a guess on every case gets. Overconfidence: how sure minus how often right; "
        "overcalling: mean probability of HSIL minus the share that is. 95% intervals by patients."
    )
    st.plotly_chart(
        calibration_chart(lines), width="stretch", config={"displayModeBar": False}, key="study_calibration"
    )


def calibration_table(lines: Sequence[CallerCalibration]) -> str:
    """A line a reader or network, as HTML."""
    headings = ("", "Cases", "Brier score", "Calibration error", "Overconfidence", "Overcalling")
    rows = [
        [escape(_name(one)), str(one.n_cases), _estimate(one.brier), _estimate(one.ece),
         _estimate(one.overconfidence, is_signed=True), _estimate(one.overcalling, is_signed=True)]
        for one in lines
    ]  # fmt: skip
    return study_table(headings, rows)


def calibration_chart(lines: Sequence[CallerCalibration]) -> go.Figure:
    """Share that was HSIL over the probability, a curve a reader or network."""
    figure = go.Figure(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": "#9fb0b4", "width": 1, "dash": "dot"}, showlegend=False,
            hoverinfo="skip",
        )
    )  # fmt: skip
    for place, one in enumerate(lines):
        bins = [each for each in one.bins if each.observed.value is not None]
        colour = _COLOURS[place % len(_COLOURS)]
        figure.add_trace(
            go.Scatter(
                x=[each.mean_prob for each in bins],
                y=[each.observed.value for each in bins],
                mode="lines+markers",
                name=_name(one),
                line={"color": colour, "width": 2, "dash": "solid" if one.channels is None else "dash"},
                marker={"size": 8},
                error_y={
                    "array": [(each.observed.high or 0) - (each.observed.value or 0) for each in bins],
                    "arrayminus": [(each.observed.value or 0) - (each.observed.low or 0) for each in bins],
                    "color": colour,
                    "thickness": 1,
                    "width": 3,
                },
                customdata=[each.observed.text() for each in bins],
                hovertemplate=f"{escape(_name(one))}: probability %{{x:.2f}}, HSIL %{{customdata}}<extra></extra>",
            )
        )
    figure.update_xaxes(title="probability of HSIL", range=[-0.02, 1.02], gridcolor="#e3eaec", zeroline=False)
    figure.update_yaxes(title="share that was HSIL", range=[-0.02, 1.02], gridcolor="#e3eaec", zeroline=False)
    figure.update_layout(
        height=_HEIGHT_PX, margin={"l": 0, "r": 10, "t": 10, "b": 40}, plot_bgcolor="#ffffff", font={"size": 13},
    )  # fmt: skip
    return figure


def _name(one: CallerCalibration) -> str:
    return one.title


def _estimate(one: Estimate, *, is_signed: bool = False) -> str:
    if one.value is None:
        return "not defined"
    digits = "+.3f" if is_signed else ".3f"
    if one.low is None or one.high is None:
        return f"{one.value:{digits}} (no interval)"
    return f"{one.value:{digits}} ({one.low:{digits}} to {one.high:{digits}})"
