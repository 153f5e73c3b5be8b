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


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table for a terminal: its lines, in columns as wide as their widest cell."""
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
