"""How readers of the same cases agree with each other."""

from dataclasses import dataclass

from colpo_core.records.statistics.figures import Bounds


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement with its interval.

    Attributes:
        value: 1 for full agreement, 0 for what chance brings; None where chance alone would agree in all.
        ci: Its interval, within -1 and 1; None where there is no value or there are too few patients.
        n: Cases that it rests on.
    """

    value: float | None
    ci: Bounds | None
    n: int


@dataclass(frozen=True)
class PairAgreement:
    """How two readers of one arm agree, on the cases that both have read, whatever the others have read.

    Attributes:
        first: Name of one.
        second: Name of the other.
        cohen_linear: Cohen's kappa of the ratings, linearly weighted.
        cohen_quadratic: Likewise, quadratically weighted.
        cohen: Cohen's kappa of the calls; None without a threshold.
    """

    first: str
    second: str
    cohen_linear: Coefficient
    cohen_quadratic: Coefficient
    cohen: Coefficient | None = None

    @property
    def n(self) -> int:
        """Cases that both have read."""
        return self.cohen_linear.n


@dataclass(frozen=True)
class ArmAgreement:
    """How the readers of one arm agree.

    Attributes:
        pairs: Each pair of readers, on their own cases.
        fleiss: Of the calls of all readers, on the cases that all of them have read; None without a threshold or such
            cases.
        gwet_ac1: Likewise, Gwet's coefficient.
        krippendorff_alpha: Of the calls of all readers, on the cases that two or more have read.
        krippendorff_alpha_ordinal: Likewise, of the ratings, as ranks.
    """

    pairs: tuple[PairAgreement, ...] = ()
    fleiss: Coefficient | None = None
    gwet_ac1: Coefficient | None = None
    krippendorff_alpha: Coefficient | None = None
    krippendorff_alpha_ordinal: Coefficient | None = None
