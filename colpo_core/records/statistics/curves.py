"""What charts are drawn from, on screens and in files alike: curves, distributions, figures with intervals."""

from collections.abc import Iterable
from dataclasses import dataclass

from colpo_core.records.statistics.figures import Estimate, Proportion, ReliabilityBin

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curve:
    """One network's ROC curve or calibration curve.

    Attributes:
        name: Its name in the legend.
        network: `3ch` or `4ch`, which gives its colour.
        points: (x, y) of each point: 1 - specificity and sensitivity, or mean probability and share of HSIL.
        shares: Of a calibration curve, the share of HSIL at each point with its interval; empty of a ROC curve.
        is_before: Whether it is the curve before the calibration, which is drawn dotted and without intervals.
    """

    name: str
    network: str
    points: Points
    shares: tuple[Proportion, ...] = ()
    is_before: bool = False


def calibration_curve(name: str, network: str, bins: Iterable[ReliabilityBin], *, is_before: bool = False) -> Curve:
    """The curve through the bins that hold a case; see `Curve`."""
    filled = [(each.mean_prob, each.observed.value, each.observed) for each in bins]
    known = [(mean_prob, value, share) for mean_prob, value, share in filled if value is not None]
    points = tuple((mean_prob, value) for mean_prob, value, _ in known)
    return Curve(name, network, points, () if is_before else tuple(share for *_, share in known), is_before)


@dataclass(frozen=True)
class Distribution:
    """The values of one figure over the images and over the patients.

    Attributes:
        title: Name of the figure.
        images: A value an image.
        patients: A value a patient.
        mean: Mean over the images; None where it is not known.
    """

    title: str
    images: tuple[float, ...]
    patients: tuple[float, ...]
    mean: Estimate | None

    @property
    def groups(self) -> dict[str, tuple[float, ...]]:
        """The values by what they are of."""
        return {"images": self.images, "patients": self.patients}


@dataclass(frozen=True)
class NamedEstimate:
    """One row of a forest plot.

    Attributes:
        name: What was compared.
        estimate: The difference with its interval.
    """

    name: str
    estimate: Estimate


def error_bars(figures: Iterable[Estimate | Proportion]) -> tuple[list[float], list[float]]:
    """How far each interval reaches below and above its value; 0 where there is no interval."""
    reaches = [
        (0.0, 0.0)
        if figure.value is None or figure.bounds is None
        else (max(0.0, figure.value - figure.bounds[0]), max(0.0, figure.bounds[1] - figure.value))
        for figure in figures
    ]
    return [below for below, _ in reaches], [above for _, above in reaches]


def axis_reach(rows: Iterable[NamedEstimate]) -> float:
    """How far from zero the axis of a forest plot must reach for all values and intervals; at least 0.05."""
    known = (number for row in rows for number in (row.estimate.value, row.estimate.low, row.estimate.high))
    return max([0.05, *(abs(number) for number in known if number is not None)])
