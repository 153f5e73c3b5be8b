"""Components of plain JavaScript: their parts are files beside the Python that mounts them; nothing is built."""

import json
from functools import cache
from pathlib import Path


@cache
def read_part(beside: str, name: str) -> str:
    """One part of a component.

    Args:
        beside: `__file__` of the module that the part belongs to.
        name: Name of the part's file.
    """
    return (Path(beside).parent / name).read_text(encoding="utf-8")


def script(*parts: str, html: str = "") -> str:
    """The JavaScript of a component that makes its own elements and keeps them from one run of the page to the next.

    Streamlit replaces the elements that it made itself whenever it likes; those of the component stay.

    Args:
        parts: The component's own files, in order. They find `mounted` and `TEMPLATE`.
        html: What becomes `TEMPLATE`.
    """
    return "\n".join([f"const TEMPLATE = {json.dumps(html)};", read_part(__file__, "mounting.js"), *parts])
