"""Figures that carry their doubt."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proportion:
    """A share with its count and interval.

    Attributes:
        k: Successes.
        n: Trials; with 0 there is no value.
        value: k / n, or None.
        low: Lower bound of the 95% Wilson interval, or None.
        high: Upper bound, or None.
    """

    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None

    def text(self) -> str:
        """For a page: `84.3% (70/83; 75.0 to 90.6)`."""
        if self.value is None or self.low is None or self.high is None:
            return f"not defined ({self.k}/{self.n})"
        return f"{self.value:.1%} ({self.k}/{self.n}; {100 * self.low:.1f} to {100 * self.high:.1f})"


@dataclass(frozen=True)
class Estimate:
    """A mean or an area with a 95% interval from a bootstrap over patients.

    Attributes:
        value: The estimate, or None where it is not defined.
        low: Lower bound, or None.
        high: Upper bound, or None.
        n_patients: How many patients stand behind it.
        n_images: How many images stand behind it.
    """

    value: float | None
    low: float | None
    high: float | None
    n_patients: int
    n_images: int

    def text(self) -> str:
        """For a page: `0.51 (0.42 to 0.60; 12 patients)`."""
        if self.value is None:
            return f"not defined ({self.n_patients} patients)"
        if self.low is None or self.high is None:
            return f"{self.value:.2f} (no interval: {self.n_patients} patients)"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}; {self.n_patients} patients)"


@dataclass(frozen=True)
class CallFigures:
    """How calls of `normal` or `hsil` agree with the reference standard; `hsil` is positive.

    Source: Kim et al. 2022, Fig. 5.
    """

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    accuracy: Proportion
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion


@dataclass(frozen=True)
class PairedCounts:
    """How two sets of calls on the same cases (or images) agree in being right.

    Attributes:
        both_right: Both called what the reference standard says.
        only_first_right: The first did, the second did not.
        only_second_right: The second did, the first did not.
        neither_right: Neither did.
    """

    both_right: int
    only_first_right: int
    only_second_right: int
    neither_right: int
