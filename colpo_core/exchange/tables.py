"""A table in words, as pages and files show it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table in words.

    Attributes:
        heading: Names of its columns.
        rows: Each row as many texts as there are columns.
    """

    heading: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
