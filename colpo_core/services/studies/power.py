"""Planning a study before it is made: how likely it is to find what is assumed."""

from enum import StrEnum

from colpo_core.records.statistics.power import PowerEstimate
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.studies.power import Assumed, estimate_power
from colpo_core.studies.roe_metz import RoeMetz


class ReaderSpread(StrEnum):
    """How much readers differ from each other."""

    LITTLE = "little"
    USUAL = "usual"
    MUCH = "much"


READER_SPREADS = {ReaderSpread.LITTLE: 0.0055, ReaderSpread.USUAL: 0.03, ReaderSpread.MUCH: 0.056}
"""Variances of readers, after Roe and Metz 1997, table 1."""


def plan_power(
    plan: ReadingPlan,
    *,
    figures: tuple[float, float],
    n_readers: int,
    n_positive: int,
    n_negative: int,
    spread: ReaderSpread = ReaderSpread.USUAL,
    studies: int = 1000,
) -> PowerEstimate:
    """Power of a study for the primary endpoint that is planned, its margin and alpha.

    Args:
        plan: How it is read and what it is to show. Without an aid it is a network against the readers; with one it is
            reading with it against reading without it.
        figures: The endpoint that is assumed of the network, and of the readers; or with the aid, and without it.
        n_readers: Readers, at least 2.
        n_positive: Cases of HSIL, at least 2.
        n_negative: Normal cases, at least 2.
        spread: How much the readers differ.
        studies: How many are simulated.

    Raises:
        InputRejected: A value makes no sense.
    """
    variance = READER_SPREADS[spread]
    assumed = Assumed(
        figures,
        n_readers,
        n_positive,
        n_negative,
        endpoint=plan.endpoint,
        standalone=plan.aid is Aid.NONE,
        margin=plan.margin,
        model=RoeMetz(reader=variance, arm_reader=variance),
        alpha=plan.alpha,
    )
    return estimate_power(assumed, studies=studies, seed=0)
