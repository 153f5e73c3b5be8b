"""The difference of two shares of the same cases, with its interval."""

from math import sqrt

from colpo_core.evaluation.intervals import CONFIDENCE, wilson


def newcombe(
    both: int, first_only: int, second_only: int, neither: int, *, alpha: float = 1 - CONFIDENCE
) -> tuple[float, float, float] | None:
    """First share minus second, with Newcombe's interval from the two Wilson intervals and their correlation.

    Cases must be independent: one row a patient.

    Args:
        both: Cases of which both are true.
        first_only: Cases of which the first alone is true.
        second_only: Cases of which the second alone is true.
        neither: Cases of which neither is true.
        alpha: 1 minus the confidence.

    Returns:
        Difference, lower and upper bound; None without cases.

    Source: Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on
        paired data", method 10.
    """
    n = both + first_only + second_only + neither
    first, second = wilson(both + first_only, n, alpha=alpha), wilson(both + second_only, n, alpha=alpha)
    if first.value is None or first.low is None or first.high is None:
        return None
    if second.value is None or second.low is None or second.high is None:
        return None
    phi = _phi(both, first_only, second_only, neither)
    difference = first.value - second.value
    down, up = first.value - first.low, first.high - first.value
    other_up, other_down = second.high - second.value, second.value - second.low
    low = difference - sqrt(max(0.0, down**2 - 2 * phi * down * other_up + other_up**2))
    high = difference + sqrt(max(0.0, up**2 - 2 * phi * up * other_down + other_down**2))
    return difference, low, high


def _phi(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Correlation of the two, corrected for continuity where it is positive."""
    margins = (both + first_only) * (second_only + neither) * (both + second_only) * (first_only + neither)
    if margins == 0:
        return 0.0
    n = both + first_only + second_only + neither
    surplus = float(both * neither - first_only * second_only)
    if surplus > 0:
        surplus = max(surplus - n / 2, 0.0)
    return surplus / sqrt(margins)
