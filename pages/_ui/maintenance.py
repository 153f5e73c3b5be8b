"""When the store was backed up last, and a warning where that is too long ago."""

import streamlit as st

from colpo_core.services.maintenance.back_ups import OLD_AFTER, last_back_up
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import as_when, count_text
from pages._ui.shared.markdown import plain


def show_back_up(ctx: PageContext) -> None:
    """Draw when and by whom the last back-up was made."""
    backup = last_back_up(ctx.caller)
    if backup.at is None:
        st.warning(
            "The store was never backed up with this program. A failing disk would take all of it.",
            icon=":material/backup:",
        )
        return
    sentence = f"Last back-up: {as_when(backup.at)}, by {plain(backup.by)}."
    if backup.n_damaged:
        st.error(
            f"{sentence} Damaged in the store then: {count_text(backup.n_damaged, 'file')}. "
            "Take them from an earlier copy.",
            icon=":material/broken_image:",
        )
    elif backup.is_old:
        st.warning(f"{sentence} That is more than {OLD_AFTER.days} days ago.", icon=":material/backup:")
    else:
        st.success(sentence, icon=":material/backup:")
