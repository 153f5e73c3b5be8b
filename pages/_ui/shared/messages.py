"""What a button has done, kept in the session for the page to show once it is drawn anew."""

from collections.abc import Callable

import streamlit as st

from colpo_core.errors import ColpoError


def run_action(action: Callable[[], str], *, key: str) -> bool:
    """Run a button's action in a callback, and keep its message, or why it failed, for `show_message` or `show_toast`.

    Args:
        action: Returns a sentence, or nothing to say.
        key: Where the session keeps the sentence and whether it is an error.

    Returns:
        Whether it was done.
    """
    try:
        message = action()
    except ColpoError as error:
        st.session_state[key] = (str(error), True)
        return False
    if message:
        st.session_state[key] = (message, False)
    return True


def show_success(key: str) -> None:
    """Show once a sentence that the run before has kept.

    Args:
        key: Where the session keeps the sentence alone.
    """
    message = st.session_state.pop(key, None)
    if message:
        st.success(message, icon=":material/check:")


def show_message(key: str) -> None:
    """Show in the page, once, what `run_action` has kept: what a button has done, or why it could not.

    Args:
        key: Where the session keeps the sentence and whether it is an error.
    """
    text, is_error = st.session_state.pop(key, ("", False))
    if is_error:
        st.error(text, icon=":material/error:")
    elif text:
        st.success(text, icon=":material/check_circle:")


def show_toast(key: str) -> None:
    """The same, with what was done in a corner of the window for a few seconds.

    Args:
        key: Where the session keeps the sentence and whether it is an error.
    """
    text, is_error = st.session_state.pop(key, ("", False))
    if is_error:
        st.error(text, icon=":material/error:")
    elif text:
        st.toast(text, icon=":material/check_circle:", duration=6)
