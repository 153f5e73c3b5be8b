"""Figures and times in tables."""

from datetime import UTC, datetime

import pytest

from pages._ui.shared.formats import as_size, as_when


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_449_000, "3.4 MB"), (437_000, "437 kB"), (999_600, "1.0 MB"),
     (99_960_000, "100 MB"), (2_000_000_000_000, "2.0 TB"), (5_000_000_000_000_000, "5000 TB")],
)  # fmt: skip
def test_a_size_is_short(size_bytes: int, text: str) -> None:
    assert as_size(size_bytes) == text


def test_a_time_is_written_to_the_minute() -> None:
    assert as_when(datetime(2026, 3, 1, 4, 5, 59, tzinfo=UTC)) == "2026-03-01 04:05"
