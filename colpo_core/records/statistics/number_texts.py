"""Probabilities and thresholds as text: two that differ never look the same, and only certainty reads as certain."""

_MOST_DIGITS = 6


def percent_texts(*shares: float) -> tuple[str, ...]:
    """Shares in percent, all with the fewest decimals that distinguish them: `52.3%` and `51.8%`, but `52%` and `40%`.

    A share that is not 0 does not read as 0, and one that is not 1 does not read as 100%.

    Args:
        shares: Each from 0 to 1.
    """
    return _distinct_texts([100 * share for share in shares], digits=0, ends=(0.0, 100.0), unit="%")


def number_texts(*shares: float, digits: int = 2) -> tuple[str, ...]:
    """The same as decimal numbers: `0.523` and `0.518`.

    Args:
        shares: Each from 0 to 1.
        digits: Decimals at least.
    """
    return _distinct_texts(list(shares), digits=digits, ends=(0.0, 1.0), unit="")


def _distinct_texts(values: list[float], *, digits: int, ends: tuple[float, float], unit: str) -> tuple[str, ...]:
    n_distinct = len(set(values))
    for decimals in range(digits, _MOST_DIGITS + 1):
        texts = [f"{value:.{decimals}f}" for value in values]
        are_distinct = len(set(texts)) == n_distinct
        is_rounded_to_end = any(
            float(text) in ends and value not in ends for text, value in zip(texts, values, strict=True)
        )
        if are_distinct and not is_rounded_to_end:
            break
    return tuple(f"{text}{unit}" for text in texts)
