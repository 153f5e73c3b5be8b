"""Charts whose marks open the cases behind them."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from pages._ui.shared.charts import CONFIG
from pages._ui.shared.links import go as go_to

Words = Mapping[str, str]
_OPENED = "dashboard_opened"


def chart_that_opens(figure: go.Figure, key: str, words: Sequence[Sequence[Words | None]]) -> None:
    """Draw a chart; a click on a mark opens the list of the cases behind it.

    Args:
        figure: The chart.
        key: Widget key, unique on the page.
        words: For each trace and each of its points the list's filter in words, or None where none can say it.
    """
    times = st.session_state.setdefault(_OPENED, {}).get(key, 0)
    shown = st.plotly_chart(
        figure, width="stretch", config=CONFIG, key=f"chart_{key}_{times}", theme=None, on_select="rerun",
        selection_mode="points",
    )  # fmt: skip
    points = shown["selection"]["points"]
    if not points:
        return
    wanted = words[int(points[0]["curve_number"])][int(points[0]["point_index"])]
    if wanted is not None:
        st.session_state[_OPENED][key] = times + 1  # a new key: nothing is opened on return
        go_to("cases", **wanted)
