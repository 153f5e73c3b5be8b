"""When the store was backed up last, and a warning where that is too long ago."""

import streamlit as st

from colpo_core.services.maintenance.back_ups import OLD_AFTER, last_back_up
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import as_when, count_text
from pages._ui.shared.markdown import plain


def show_back_up(ctx: PageContext) -> None:
    """Draw it."""
    found = last_back_up(ctx.caller)
    if found.at is None:
        st.warning(
            "The store was never backed up with this program. A failing disk would take all of it.",
            icon=":material/backup:",
        )
        return
    said = f"Last back-up: {as_when(found.at)}, by {plain(found.by)}."
    if found.n_damaged:
        st.error(
            f"{said} Damaged in the store then: {count_text(found.n_damaged, 'file')}. Take them from an earlier copy.",
            icon=":material/broken_image:",
        )
    elif found.is_old:
        st.warning(f"{said} That is more than {OLD_AFTER.days} days ago.", icon=":material/backup:")
    else:
        st.success(said, icon=":material/backup:")
