"""How figures and times are written in tables."""

from datetime import datetime

from colpo_core.records.statistics.figures import Estimate, Proportion

_UNITS = ("B", "kB", "MB", "GB", "TB")


def as_size(size_bytes: int) -> str:
    """A size for reading, such as `3.4 MB`; units of 1000."""
    value = float(size_bytes)
    unit = 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1000
        unit += 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= 99.95 else f"{value:.1f} {_UNITS[unit]}"


def share(part: int, whole: int) -> float:
    """A part of a whole, 0 to 1; 0 where the whole is 0."""
    return min(1.0, part / whole) if whole else 0.0


def count_text(number: int, word: str) -> str:
    """Such as `1 image` or `12 images`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def as_when(moment: datetime) -> str:
    """A time for reading, such as `2026-03-01 14:05`, in the zone that it has."""
    return f"{moment:%Y-%m-%d %H:%M}"


def short_share(share: Proportion) -> str:
    """For a narrow table: `84% (75–91)`."""
    if share.value is None or share.low is None or share.high is None:
        return "–"
    return f"{share.value:.0%} ({100 * share.low:.0f}–{100 * share.high:.0f})"


def short_estimate(estimate: Estimate) -> str:
    """For a narrow table: `0.51 (0.42–0.60)`, or `0.51 (no interval)`."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f} (no interval)"
    return f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"
