"""Calibration of a study's readers and networks: how sure they are, and how often they are right."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from colpo_core.records.statistics.curves import calibration_curve
from colpo_core.records.statistics.figures import Estimate
from colpo_core.records.studies.results import CallerCalibration
from pages._ui.shared.charts import calibration_chart
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
        _chart(lines), width="stretch", config={"displayModeBar": False}, key="study_calibration", theme=None
    )


def calibration_table(lines: Sequence[CallerCalibration]) -> str:
    """A line a reader or network, as HTML."""
    headings = ("", "Cases", "Brier score", "Calibration error", "Overconfidence", "Overcalling")
    rows = [
        [escape(_name(line)), str(line.n_cases), _estimate(line.brier), _estimate(line.ece),
         _estimate(line.overconfidence, is_signed=True), _estimate(line.overcalling, is_signed=True)]
        for line in lines
    ]  # fmt: skip
    return study_table(headings, rows)


def _chart(lines: Sequence[CallerCalibration]) -> go.Figure:
    """A curve a reader, solid, or a network, dashed."""
    styles = {
        line.title: {
            "color": _COLOURS[number % len(_COLOURS)],
            "dash": "solid" if line.channels is None else "dash",
        }
        for number, line in enumerate(lines)
    }
    curves = [calibration_curve(line.title, line.title, line.bins) for line in lines]
    return calibration_chart([curve for curve in curves if curve.points], height_px=_HEIGHT_PX, styles=styles)


def _name(one: CallerCalibration) -> str:
    return one.title


def _estimate(one: Estimate, *, is_signed: bool = False) -> str:
    if one.value is None:
        return "not defined"
    digits = "+.3f" if is_signed else ".3f"
    if one.low is None or one.high is None:
        return f"{one.value:{digits}} (no interval)"
    return f"{one.value:{digits}} ({one.low:{digits}} to {one.high:{digits}})"
