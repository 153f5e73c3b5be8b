"""How few cases of a class are too few for an interval or a p, and the sentence that stands in their place.

Where the cases of a patient may be several, patients are counted, not cases: only they are independent.

Source: simulations of `benchmarks/interval_coverage.py`, 4,000 replicates. One area: from five of a class on, the
interval of `evaluation.areas` covers at least 0.94. Two areas on the same cases: with 50 normal cases and an area of
0.70, DeLong's test at 0.05 rejects equal areas in 0.17 of the studies with two HSIL, 0.08 with five, 0.07 with eight
and 0.06 with ten.
"""

FEWEST_FOR_AN_INTERVAL = 5
"""Of either class, for the interval of one area or of several readers' mean."""

FEWEST_FOR_A_DIFFERENCE = 10
"""Of either class, for the interval and the p of the difference of two areas on the same cases by DeLong."""


def too_few(n_first: int, n_second: int, *, fewest: int = FEWEST_FOR_AN_INTERVAL, of: str = "cases") -> str | None:
    """The sentence that stands in place of an interval or a p; None where there are enough.

    Args:
        n_first: Cases (or patients) of one class.
        n_second: Those of the other.
        fewest: How many of either class it takes.
        of: What is counted, in the plural.
    """
    least = min(n_first, n_second)
    return (
        None
        if least >= fewest
        else f"{least} {of.removesuffix('s') if least == 1 else of} of a class, and it takes {fewest} of each"
    )
