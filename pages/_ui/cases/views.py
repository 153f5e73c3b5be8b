"""Views: a person's saved lists of cases."""

import streamlit as st

from colpo_core.records.cases.lists import CaseFilter, CaseSort, to_words
from colpo_core.services.cases import saved_views
from pages._ui.cases.filters import show_words
from pages._ui.cases.messages import button_action
from pages._ui.shared.context import PageContext, page_context

_NAME = "cases_view_name"


def show_views(ctx: PageContext, where: CaseFilter, sort: CaseSort) -> None:
    """Draw the saved views, and a form that saves the current one."""
    views = saved_views.list_views(ctx.caller)
    with st.popover(f"Views ({len(views)})" if views else "Views", icon=":material/bookmarks:"):
        if not views:
            st.caption("Keep the filters and the order of this list under a name, and find it here.")
        for view in views:
            open_it, forget = st.columns([5, 1], vertical_alignment="center")
            open_it.button(
                view.name, key=f"view_{view.id}", on_click=show_words, args=(to_words(view.where, view.sort),),
                width="stretch",
            )  # fmt: skip
            forget.button(
                "", key=f"forget_view_{view.id}", icon=":material/delete:", on_click=_forget, args=(view.id,),
                help=f"Forget “{view.name}”",
            )  # fmt: skip
        st.text_input("Keep this list as", key=_NAME, max_chars=saved_views.MAX_NAME, placeholder="Missed, to discuss")
        st.button("Keep", icon=":material/bookmark_add:", on_click=_keep, args=(where, sort), width="stretch")


@button_action
def _keep(where: CaseFilter, sort: CaseSort) -> str:
    view = saved_views.save_view(page_context().caller, name=st.session_state[_NAME], where=where, sort=sort)
    st.session_state[_NAME] = ""
    return f"Kept as “{view.name}”."


@button_action
def _forget(view_id: int) -> str:
    saved_views.delete_view(page_context().caller, view_id=view_id)
    return "The view is forgotten; its cases are as they were."
