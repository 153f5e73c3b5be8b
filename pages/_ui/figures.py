"""How a figure is written in a narrow table."""

from colpo_core.records.statistics.figures import Estimate, Proportion


def short_share(share: Proportion) -> str:
    """For a narrow table: `84% (75–91)`."""
    if share.value is None or share.low is None or share.high is None:
        return "–"
    return f"{share.value:.0%} ({100 * share.low:.0f}–{100 * share.high:.0f})"


def short_estimate(found: Estimate) -> str:
    """For a narrow table: `0.51 (0.42–0.60)`, or `0.51 (no interval)`."""
    if found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} (no interval)"
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f})"
