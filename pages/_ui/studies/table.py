"""A plain table in the results of a study."""

from collections.abc import Sequence


def study_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as HTML; headings and cells are HTML already, so names in them were escaped."""
    head = "".join(f"<th scope='col'>{heading}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table class='study-results'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='study-wide'>{table}</div>"
