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


@dataclass(frozen=True)
class MaskFigures:
    """How a predicted mask agrees with the annotated one on one image; None where a figure is not defined.

    Attributes:
        iou_acetowhite: Intersection over union of acetowhite epithelium; None where none was annotated.
        iou_background: The same of the background.
        accuracy_acetowhite: Share of annotated acetowhite pixels that were found; None where none was annotated.
        accuracy_background: Share of background pixels that were left.
        dice: Dice coefficient of acetowhite epithelium; None where none was annotated.
        false_area: Share of the image wrongly called acetowhite, where none was annotated; None elsewhere.
    """

    iou_acetowhite: float | None
    iou_background: float | None
    accuracy_acetowhite: float | None
    accuracy_background: float | None
    dice: float | None
    false_area: float | None


@dataclass(frozen=True)
class SegmentationFigures:
    """Means of `MaskFigures` over images, each with an interval by patients.

    Attributes:
        iou_acetowhite: Mean over the images with annotated acetowhite epithelium, as are its accuracy and Dice.
        iou_background: Mean over all images.
        accuracy_acetowhite: See `MaskFigures`.
        accuracy_background: See `MaskFigures`.
        dice: See `MaskFigures`.
        false_area: Mean over the images without annotated acetowhite epithelium.
        n_images: All images.
        n_images_without_acetowhite: Those of them whose annotation is empty.
        iou_acetowhite_by_image: The distribution behind the mean, from the lowest to the highest.
    """

    iou_acetowhite: Estimate
    iou_background: Estimate
    accuracy_acetowhite: Estimate
    accuracy_background: Estimate
    dice: Estimate
    false_area: Estimate
    n_images: int
    n_images_without_acetowhite: int
    iou_acetowhite_by_image: tuple[float, ...]


@dataclass(frozen=True)
class ProbabilityFigures:
    """How probabilities of HSIL agree with the reference standard at a threshold, over images or over cases.

    Attributes:
        n: Images or cases.
        n_patients: Patients behind them.
        threshold: `hsil` is called at this probability and above.
        clustered: Whether some patient stands behind several of them, so that they are not independent.
        interval: How the intervals of the shares were made.
        true_positive: HSIL called `hsil`.
        false_positive: Normal called `hsil`.
        true_negative: Normal called `normal`.
        false_negative: HSIL called `normal`.
        accuracy: Share called right.
        sensitivity: Share of HSIL called `hsil`.
        specificity: Share of normal called `normal`.
        ppv: Share of HSIL among those called `hsil`.
        npv: Share of normal among those called `normal`.
        auc: Area under the ROC curve, with an interval by patients.
    """

    n: int
    n_patients: int
    threshold: float
    clustered: bool
    interval: str
    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    accuracy: Proportion
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion
    auc: Estimate
