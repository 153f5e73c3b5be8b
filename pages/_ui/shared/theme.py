"""The look that all pages share, beyond what `.streamlit/config.toml` says."""

import base64

import streamlit as st

from colpo_core.mark import MARK_SVG

_WORDS = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 190 48"><svg width="48" height="48">'
    + MARK_SVG
    + '</svg><text x="57" y="32" font-family="Segoe UI, Helvetica, Arial, sans-serif" font-size="24" '
    'font-weight="700" letter-spacing="-.4" fill="#1d2b2f">ColpoDesk</text></svg>'
)

# The key of a container whose column stays in sight while the one beside it is scrolled.
STAYS = "stays_in_sight"

_STYLE = """
<style>
.block-container { padding-top: 3rem; padding-bottom: 3rem; padding-left: 2.5rem;
  padding-right: 2.5rem; max-width: 1600px; }
h1 { font-size: 1.7rem !important; padding-bottom: .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem !important; }
h3 { font-size: 1.05rem !important; }
[data-testid="stSidebarNav"] { padding-top: .25rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-account, > .st-key-session_watch_box) { position: absolute; }
.st-key-account { position: fixed; top: .35rem; right: 1rem; width: auto !important; z-index: 999991; }
[data-testid="stHeader"] { background: linear-gradient(#fff 2.5rem, transparent 3rem); }
[data-testid="stColumn"]:has(.st-key-stays_in_sight) { position: sticky; top: 3rem; align-self: flex-start; }
[data-testid="stStatusWidget"] { margin-right: 13rem; }
[data-testid="stMetric"] { background: #fff; }
@media (max-width: 640px) { .block-container { padding-left: 1rem; padding-right: 1rem; } }
</style>
"""


def apply_theme() -> None:
    """Put the shared styles into the page."""
    st.html(_STYLE)


def logo() -> None:
    """Put the program's mark over the menu."""
    st.logo(_as_uri(_WORDS), size="large", icon_image=_as_uri(MARK_SVG))


def _as_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
