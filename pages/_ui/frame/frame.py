"""The frame around every page: menu by role, who is signed in, and the page itself."""

from collections.abc import Callable

import streamlit as st
from streamlit.navigation.page import Page

from colpo_core.mark import MARK_SVG
from colpo_core.services.common.disk_probe import probe_of
from colpo_core.services.common.permissions import CLINICIANS
from colpo_core.services.studies.refusals import note_refusal
from pages._ui.frame.account import account_menu
from pages._ui.frame.job_notices import tell_of_jobs
from pages._ui.frame.pages import ROOMS, Room
from pages._ui.shared.context import page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import link, remember_pages
from pages._ui.shared.theme import apply_theme, logo

HOME = "home"
_MENU_PX = 232
_DISK_REFUSES = (
    "The store cannot be written: its disk is full or read-only. What was confirmed before is kept; nothing new is, "
    "and jobs wait. Tell whoever runs the machine."
)


def draw() -> None:
    """Draw the page that was asked for, if this person may see it."""
    st.set_page_config(page_title="ColpoDesk", page_icon=MARK_SVG, layout="wide", initial_sidebar_state=_MENU_PX)
    apply_theme()
    ctx = page_context()
    logo()
    allowed = {room.name: _page(room) for room in ROOMS if ctx.caller.actor.role in room.roles}
    remember_pages(allowed)
    chosen = st.navigation(_menu(allowed))
    st.session_state["current_page"] = chosen.url_path
    st.sidebar.caption("Research software. Not a medical device.")
    account_menu(ctx)
    if not probe_of(ctx.caller.store.settings.data_dir).is_writable():
        st.error(_DISK_REFUSES, icon=":material/hard_drive:")
    with showing_errors():
        if ctx.caller.actor.role in CLINICIANS:
            tell_of_jobs(ctx)
        chosen.run()


def _menu(allowed: dict[str, Page]) -> dict[str, list[Page]]:
    """Pages by section. A page that is not for this role stands in no menu, and its address leads to a refusal."""
    menu: dict[str, list[Page]] = {}
    for room in ROOMS:
        if room.name in allowed:
            menu.setdefault(room.section, []).append(allowed[room.name])
    refused = [
        st.Page(_refusal(room), title=room.title, icon=":material/lock:", url_path=room.name, visibility="hidden")
        for room in ROOMS
        if room.name not in allowed
    ]
    menu[""] = menu.get("", []) + refused
    return menu


def _page(room: Room) -> Page:
    return st.Page(room.render, title=room.title, icon=room.icon, url_path=room.name, default=room.name == HOME)


def _refusal(room: Room) -> Callable[[], None]:
    roles = " or ".join(f"{role.value}s" for role in sorted(room.roles))

    def refuse() -> None:
        ctx = page_context()
        note_refusal(ctx.caller, what=f"page {room.name}")
        st.title("Not for your role")
        st.warning(f"“{room.title}” is for {roles}. Ask an administrator if you need it.", icon=":material/lock:")
        link(HOME, "Back to my worklist", icon=":material/home:")

    return refuse
