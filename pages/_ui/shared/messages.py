"""What a button has done, kept in the session for the page to show once it is drawn anew."""

from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec

import streamlit as st

from colpo_core.errors import ColpoError

Params = ParamSpec("Params")


def run_action(action: Callable[[], str], *, key: str) -> None:
    """Run a button's action in a callback, and keep its message, or why it failed, for `show_message`.

    Args:
        action: Returns a sentence, or nothing to say.
        key: Where the session keeps the sentence and whether it is an error.
    """
    try:
        keep_message(key, action())
    except ColpoError as error:
        st.session_state[key] = (str(error), True)


def keep_message(key: str, text: str) -> None:
    """Keep a sentence about what was done for `show_message`; an empty one leaves what is kept as it is."""
    if text:
        st.session_state[key] = (text, False)


def button_action(key: str) -> Callable[[Callable[Params, str]], Callable[Params, None]]:
    """Make a callback of a function that returns a sentence, or nothing to say; see `run_action`.

    Args:
        key: Where the session keeps the sentence and whether it is an error.
    """

    def decorate(action: Callable[Params, str]) -> Callable[Params, None]:
        @wraps(action)
        def callback(*args: Params.args, **kwargs: Params.kwargs) -> None:
            run_action(partial(action, *args, **kwargs), key=key)

        return callback

    return decorate


def show_message(key: str, *, as_toast: bool = False) -> None:
    """Show once what `run_action` or `keep_message` has kept: what a button has done, or why it could not.

    Args:
        key: Where the session keeps the sentence and whether it is an error.
        as_toast: Whether what was done is shown in a corner for a few seconds, not in the page; errors always stay.
    """
    text, is_error = st.session_state.pop(key, ("", False))
    if is_error:
        st.error(text, icon=":material/error:")
    elif text and as_toast:
        st.toast(text, icon=":material/check_circle:", duration=6)
    elif text:
        st.success(text, icon=":material/check_circle:")
