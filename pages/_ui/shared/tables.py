"""Tables whose rows can be chosen."""

from typing import Literal

import pandas as pd
import streamlit as st


def pick_row(rows: pd.DataFrame, *, key: str, height: int | Literal["auto"] = "auto") -> int | None:
    """Draw a table of which a row can be ticked.

    Args:
        rows: What it shows.
        key: Widget key, unique on the page.
        height: In CSS pixels; `auto` for up to ten rows in sight.

    Returns:
        The number of the ticked row, from 0; None where none is, or where the table has become shorter since.
    """
    selection = st.dataframe(
        rows, hide_index=True, width="stretch", height=height, on_select="rerun", selection_mode="single-row", key=key
    )["selection"]
    return next((row for row in selection["rows"] if row < len(rows)), None)
