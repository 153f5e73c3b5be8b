"""What the buttons of the cases page have done: said once, after the page was drawn anew."""

from collections.abc import Callable

import streamlit as st

from pages._ui.shared import messages as told

_SAID = "cases_said"


def doing(deed: Callable[[], str]) -> bool:
    """Do something in a callback and remember what to say of it.

    Args:
        deed: Returns a sentence, or nothing to say.

    Returns:
        Whether it was done.
    """
    return told.doing(deed, key=_SAID)


def tell() -> None:
    """Say what was done, or why it was not."""
    text, is_error = st.session_state.pop(_SAID, ("", False))
    if text and is_error:
        st.error(text, icon=":material/error:")
    elif text:
        st.toast(text, icon=":material/check_circle:", duration=6)
