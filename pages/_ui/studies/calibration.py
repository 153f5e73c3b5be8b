"""Calibration of a study's readers and networks: their confidence against how often they are right."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from colpo_core.exchange.study_tables import calibration_table
from colpo_core.records.statistics.curves import calibration_curve
from colpo_core.records.studies.results import CallerCalibration
from pages._ui.shared.charts import CONFIG, calibration_chart
from pages._ui.studies.table import study_table

_COLOURS = ("#0f6b74", "#b4581b", "#7a5195", "#2f6f3e", "#9a3d0c", "#3b5b92", "#8a6d1d", "#a0446c")
_HEIGHT_PX = 420


def calibration_view(callers: tuple[CallerCalibration, ...]) -> None:
    """Draw the table and the curves."""
    if not callers:
        return
    st.markdown("**Calibration**")
    table = calibration_table(callers)
    st.html(study_table(table.heading, table.rows))
    st.caption(
        "A reader's confidence of 0 stands for a probability of 0.5 and one of 100 for certainty of the call. Brier "
        "score: 0 is perfect, 0.25 is what a guess on every case gets. Overconfidence: how sure minus how often right; "
        "overcalling: mean probability of HSIL minus the share that is. 95% intervals by patients."
    )
    st.plotly_chart(_chart(callers), width="stretch", config=CONFIG, key="study_calibration", theme=None)


def _chart(callers: Sequence[CallerCalibration]) -> go.Figure:
    """A curve a reader, solid, or a network, dashed."""
    styles = {
        caller.title: {
            "color": _COLOURS[number % len(_COLOURS)],
            "dash": "solid" if caller.channels is None else "dash",
        }
        for number, caller in enumerate(callers)
    }
    curves = [calibration_curve(caller.title, caller.title, caller.bins) for caller in callers]
    return calibration_chart([curve for curve in curves if curve.points], height_px=_HEIGHT_PX, styles=styles)
