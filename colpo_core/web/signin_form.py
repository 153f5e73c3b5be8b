"""The sign-in form: one HTML page that needs no other file, because everything else is behind the gate."""

from pathlib import Path

from colpo_core.exchange.html import templates_in
from colpo_core.mark import MARK_SVG

_TEMPLATES = templates_in(Path(__file__).parent / "templates")
_ICON = "data:image/svg+xml," + MARK_SVG.replace("#", "%23").replace('"', "'")


def sign_in_form(*, target: str, username: str = "", error: str = "", notice: str = "") -> str:
    """The form for somebody with an account.

    Args:
        target: Where to go afterwards, a checked path of this program.
        username: What was typed before.
        error: Why the last attempt was refused.
        notice: Something else to say.
    """
    return _page(is_first=False, target=target, username=username, error=error, notice=notice)


def first_administrator_form(*, username: str = "", display_name: str = "", error: str = "") -> str:
    """The form of the first start, which makes the administrator.

    Args:
        username: What was typed before.
        display_name: What was typed before.
        error: Why the last attempt was refused.
    """
    return _page(is_first=True, username=username, display_name=display_name, error=error, notice="")


def asked_from_elsewhere(target: str) -> str:
    """What somebody sees who followed a link of another site to a page of this program.

    Args:
        target: The page's path and query.
    """
    path = "/" + target.lstrip("/\\")  # never another site
    return _TEMPLATES.get_template("elsewhere.html").render(target=path, icon=_ICON, mark=MARK_SVG)


def _page(**values: str | bool) -> str:
    return _TEMPLATES.get_template("signin.html").render(values, icon=_ICON, mark=MARK_SVG)
