"""What a button has done, kept for the page to say once it is drawn anew.

`tell` shows a plain sentence. What `doing` keeps has beside it whether it is an error; `say_what_happened` shows that
in the page, and the cases page in a way of its own.
"""

from collections.abc import Callable

import streamlit as st

from colpo_core.errors import ColpoError


def doing(deed: Callable[[], str], *, key: str) -> bool:
    """Do something in a callback and remember what to say of it.

    Args:
        deed: Returns a sentence, or nothing to say.
        key: Where the session keeps the sentence and whether it is an error.

    Returns:
        Whether it was done.
    """
    try:
        said = deed()
    except ColpoError as error:
        st.session_state[key] = (str(error), True)
        return False
    if said:
        st.session_state[key] = (said, False)
    return True


def tell(key: str) -> None:
    """Say once what the run before did.

    Args:
        key: Where the session keeps the sentence.
    """
    told = st.session_state.pop(key, None)
    if told:
        st.success(told, icon=":material/check:")


def say_what_happened(key: str) -> None:
    """Show in the page what `doing` has kept: what a button has done, or why it could not.

    Args:
        key: Where the session keeps the sentence.
    """
    said = st.session_state.pop(key, None)
    if said is None:
        return
    text, is_error = said
    if is_error:
        st.error(text, icon=":material/error:")
    else:
        st.success(text, icon=":material/check_circle:")
