"""Removes a page from the screen when its session has ended, even while nobody uses it."""

import streamlit as st

# A page that stays open would go on showing what it shows after signing out elsewhere, or when the session expires
# on a machine that somebody left: every few seconds, and when the tab is looked at again, the browser asks.
_WATCH = st.components.v2.component(
    "colpodesk_session_watch",
    html="<span></span>",
    js="""
export default function () {
  if (window.colpoDeskWatch) return;
  const ask = async () => {
    let answer;
    try {
      answer = await fetch("/colpo/session", { cache: "no-store", credentials: "same-origin" });
    } catch (error) {
      return; // the program is down or restarting: Streamlit says so itself
    }
    if (answer.status === 401) {
      location.replace("/login?next=" + encodeURIComponent(location.pathname + location.search));
    }
  };
  window.colpoDeskWatch = setInterval(ask, 10000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
}
""",
)


def watch_session() -> None:
    """Put the watch on the page; it shows nothing."""
    _WATCH(key="session_watch")
