"""HTML that the program writes: templates in files, whose values are escaped."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def templates_in(folder: Path) -> Environment:
    """The templates of a folder.

    Every value is escaped but what a template marks as safe by name, and a name that is not known is an error.

    Args:
        folder: Where they lie.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["utc"] = "{:%Y-%m-%d %H:%M}".format
    return environment


def document(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template names
    """A whole document: one HTML file that stands alone, to read, to print or to send.

    Args:
        template: Name of a template of this room.
        values: What it shows.
    """
    return templates_in(_TEMPLATES).get_template(template).render(values)
