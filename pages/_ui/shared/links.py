"""Links between pages.

A page that is a function has no path for Streamlit to look up, so the shell remembers the page objects of this run,
and `go` and `link` find them by name.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import Page

from colpo_core.errors import InputRejected, PermissionDenied

_KEY = "_pages"


def remember_pages(pages: Mapping[str, Page]) -> None:
    """Keep the pages that the person here may open.

    Args:
        pages: Page objects by name.
    """
    st.session_state[_KEY] = dict(pages)


def may_open(page_name: str) -> bool:
    """Whether the person here has this page."""
    return page_name in st.session_state.get(_KEY, {})


def go(page_name: str, **params: object) -> None:
    """Switch to another page at once; nothing after the call runs.

    Args:
        page_name: Such as `annotate`.
        params: For the address, such as `image=34`; None leaves one out.

    Raises:
        PermissionDenied: The person has no such page.
    """
    page = st.session_state.get(_KEY, {}).get(page_name)
    if page is None:
        raise PermissionDenied("This page is not for your role. Ask an administrator if you need it.")
    st.switch_page(page, query_params=_as_query(params))


def link(page_name: str, label: str, *, icon: str | None = None, **params: object) -> None:
    """A link to another page; nothing where the person does not have that page.

    Args:
        page_name: Such as `cases`.
        label: What the link says.
        icon: Such as `:material/brush:`.
        params: For the address, such as `case=12`; None leaves one out.
    """
    page = st.session_state.get(_KEY, {}).get(page_name)
    if page is not None:
        st.page_link(page, label=label, icon=icon, query_params=_as_query(params))


def asked_row(name: str, *, choose_from: str) -> int | None:
    """The row that this page's address names, or None where it names none.

    Args:
        name: Such as `image`.
        choose_from: What to choose one from instead, such as `cases`.

    Raises:
        InputRejected: What stands there is no row's number.
    """
    asked = row_or_none(name)
    if asked is None and name in st.query_params:
        raise InputRejected(f"This address names no {name}. Choose one from the {choose_from}.")
    return asked


def row_or_none(name: str, *, digits: int = 15) -> int | None:
    """The same, and None too where what stands there is no row's number, of so many digits at most."""
    asked = st.query_params.get(name, "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= digits else None


def _as_query(params: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value is not None}
