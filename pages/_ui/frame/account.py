"""Who is signed in, at the top right: password and signing out."""

import streamlit as st

from colpo_core.services.people.accounts import change_password
from pages._ui.frame.session_watch import watch_session
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors

# A real form: it works while Streamlit is busy, and the answer takes the cookie away and leads to the sign-in form.
_SIGN_OUT = st.components.v2.component(
    "colpodesk_sign_out",
    html='<form method="post" action="/logout"><button type="submit">Sign out</button></form>',
    css="""
form { margin: 0; }
button { width: 100%; padding: .45rem .75rem; font: inherit; font-size: .875rem; cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius); }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
)


def account_menu(ctx: PageContext) -> None:
    """Draw the menu of the person who is here.

    Args:
        ctx: The page's context.
    """
    actor = ctx.caller.actor
    with st.container(key="session_watch_box"):
        watch_session()
    with (
        st.container(key="account", horizontal=True, horizontal_alignment="right"),
        st.popover(actor.display_name, icon=":material/account_circle:", type="tertiary"),
    ):
        st.markdown(f"**{actor.display_name}**")
        st.caption(f"{actor.username} · {actor.role.value}")
        with st.expander("Change password", icon=":material/key:"):
            _password_form(ctx)
        _SIGN_OUT(key="sign_out")


@st.fragment
def _password_form(ctx: PageContext) -> None:
    with st.form("change_password", clear_on_submit=True, border=False):
        current = st.text_input("Present password", type="password", autocomplete="current-password")
        new = st.text_input("New password", type="password", autocomplete="new-password", help="At least 10 characters")
        again = st.text_input("New password again", type="password", autocomplete="new-password")
        pressed = st.form_submit_button("Change password", width="stretch")
    if not pressed:
        return
    if new != again:
        st.error("The two new passwords differ. Type the same one twice.")
        return
    with showing_errors():
        change_password(ctx.caller, current=current, password=new, keep_token=ctx.token)
        st.success("The password was changed. Everywhere else you are signed out.")
