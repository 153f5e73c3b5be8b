"""Pages for whoever is not let in yet: each is one HTML file, because everything else is behind the gate."""

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
    return _page("signin", is_first=False, target=target, username=username, error=error, notice=notice)


def first_administrator_form(*, username: str = "", display_name: str = "", error: str = "") -> str:
    """The form of the first start, which makes the administrator.

    Args:
        username: What was typed before.
        display_name: What was typed before.
        error: Why the last attempt was refused.
    """
    return _page("signin", is_first=True, username=username, display_name=display_name, error=error, notice="")


def asked_from_elsewhere(target: str) -> str:
    """What somebody sees who followed a link of another site to a page of this program.

    Args:
        target: The page's path and query.
    """
    path = "/" + target.lstrip("/\\")  # never another site
    return _page("elsewhere", target=path)


def store_refused_page(sentence: str) -> str:
    """What everybody sees where the store cannot be opened.

    Args:
        sentence: Why, and what to do.
    """
    return _page("refused_store", sentence=sentence)


def _page(template: str, **values: str | bool) -> str:
    return _TEMPLATES.get_template(f"{template}.html").render(values, icon=_ICON, mark=MARK_SVG)
