"""The age of figures that are not counted on every visit."""

import streamlit as st

from colpo_core.services.overview.figures_cache import counted_since
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import as_when


def say_since_when(ctx: PageContext) -> None:
    """Show it under figures of the whole store; nothing where all of them have just been counted."""
    since = counted_since(ctx.caller.store)
    if since is not None:
        st.caption(
            ":material/schedule: Counting this store takes long, so its figures stand for up to ten minutes. The "
            f"oldest are from {as_when(since)} UTC; what was done since may not be in them yet."
        )
