"""The store and the signed-in person, which every page asks for first."""

from dataclasses import dataclass, field
from urllib.parse import quote

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from colpo_core.services.common.callers import Caller
from colpo_core.services.common.store_access import Store, open_store
from colpo_core.services.people import signing_in
from colpo_core.settings import Settings
from colpo_core.web.browser_sessions import SESSIONS
from colpo_core.web.cookies import token_in

_OWNER = "person_of_this_session"


@dataclass(frozen=True)
class PageContext:
    """The context of one run of a page.

    Attributes:
        caller: The open store and the signed-in person, looked up at this run; services take it first.
        token: This browser's session, for what ends all other sessions.
    """

    caller: Caller
    token: str = field(default="", repr=False)


def page_context() -> PageContext:
    """The store and the person; ends the run with a notice where the session has ended."""
    store = _store_of(Settings.from_environment())
    token = session_token()
    actor = signing_in.actor_for_token(store, token=token)
    if actor is None:
        _say_signed_out()
        st.stop()
    if st.session_state.setdefault(_OWNER, actor.person_id) != actor.person_id:
        _say_signed_out()  # somebody else signed in at this browser: what the page remembers is not hers
        st.stop()
    running = get_script_run_ctx()
    if running is not None:
        SESSIONS.claim(running.session_id, actor.person_id)
    return PageContext(Caller(store, actor), token)


def session_token() -> str:
    """The cookie's token of this browser, empty where there is none."""
    return token_in(st.context.cookies)


def _say_signed_out() -> None:
    st.title("You are signed out")
    target = "/login?next=" + quote("/" + str(st.session_state.get("current_page", "")))
    st.html(f'<p>Your work was saved. <a href="{target}" target="_self">Sign in again</a></p>')


@st.cache_resource(max_entries=1, show_spinner=False, on_release=lambda store: store.close())
def _store_of(settings: Settings) -> Store:
    """One store a process; the settings are the key, so that another folder opens another store."""
    return open_store(settings)
