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


def template(html: str) -> str:
    """HTML as a JavaScript constant `TEMPLATE`, for a component that makes its own elements.

    Streamlit replaces the elements that it made itself whenever it likes; those of the component stay.
    """
    return f"const TEMPLATE = {json.dumps(html)};\n"
