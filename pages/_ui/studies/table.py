"""A table in the results of a study, as HTML whose texts the template escapes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from colpo_core.exchange.html import templates_in


@dataclass(frozen=True)
class Cell:
    """A figure over what stands behind it.

    Attributes:
        value: The figure.
        detail: What stands behind it.
        warnings: What to mind of it, a line each above the detail.
    """

    value: str
    detail: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row that looks other than the rest.

    Attributes:
        cells: What stands in it; a single cell takes the whole width.
        kind: `part` heads the rows that follow, `unseen` belongs to the row above, `together` is of all readers.
    """

    cells: Sequence[str | Cell]
    kind: Literal["", "part", "unseen", "together"] = ""


def study_table(headings: Sequence[str], rows: Iterable[Row | Sequence[str | Cell]]) -> str:
    """A table as HTML.

    Args:
        headings: One a column.
        rows: From top to bottom, each with a cell a column.
    """
    drawn = [row if isinstance(row, Row) else Row(row) for row in rows]
    return templates_in(Path(__file__).parent).get_template("table.html").render(headings=headings, rows=drawn)
