"""The power of a study that is planned."""

from dataclasses import dataclass

from colpo_core.records.statistics.figures import Proportion


@dataclass(frozen=True)
class PowerEstimate:
    """How likely a study is to find a difference that is assumed.

    Attributes:
        simulated: Share of simulated studies that found it, with its interval.
        by_formula: The same by the noncentral F distribution.
    """

    simulated: Proportion
    by_formula: float
