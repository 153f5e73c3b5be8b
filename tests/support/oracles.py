"""Public sets of ratings on which reading statistics are checked. They lie beside the checkout, not in it."""

from pathlib import Path

import pytest

from colpo_core.studies.ratings import RatingTable, read_ratings, tabulate

_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "oracles"


def oracle_path(name: str) -> Path:
    """Where a set lies; the test is passed over where it is not at hand."""
    path = _FOLDER / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the checkout")
    return path


def oracle_table(name: str) -> RatingTable:
    """A set laid out by arm, reader and case."""
    return tabulate(read_ratings(oracle_path(name).read_text()))
