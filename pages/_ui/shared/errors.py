"""Errors on a page: as a sentence where the cause is known, else as an incident number."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from colpo_core.errors import Blinding, ColpoError, NotFound, PermissionDenied
from colpo_core.services.common.incidents import log_incident
from colpo_core.services.common.machine_errors import machine_error
from colpo_core.services.studies.refusals import note_refusal
from pages._ui.shared.context import page_context

_REFUSALS = (Blinding, NotFound, PermissionDenied)


@contextmanager
def showing_errors() -> Iterator[None]:
    """Show what goes wrong inside as a sentence on the page, and go on after the block.

    A ColpoError is shown as it is, and what the machine refuses as a sentence. Anything else gets an incident number;
    the log has the rest.
    """
    try:
        yield
    except ColpoError as error:
        if isinstance(error, _REFUSALS):
            ctx = page_context()
            page = st.session_state.get("current_page", "")
            note_refusal(ctx.caller, what=f"page {page}: {type(error).__name__}")
        st.error(str(error), icon=":material/error:")
    except Exception as error:
        _show(error)


def _show(error: Exception) -> None:
    known = machine_error(error)
    if known is None:
        show_incident(log_incident(error))
    else:
        st.error(str(known), icon=":material/error:")


def show_incident(number: str) -> None:
    """Show that something unforeseen happened, and the number to quote."""
    st.error(
        f"Something unforeseen went wrong. What was confirmed before it is kept. Look at what is there before you try "
        f"again; if it comes back, tell your administrator the incident number **{number}**.",
        icon=":material/report:",
    )


def on_script_error(error: Exception) -> bool:
    """What Streamlit calls for an error that no page caught, such as one in a callback.

    Returns:
        True: nothing more is to be shown.
    """
    _show(error)
    return True
