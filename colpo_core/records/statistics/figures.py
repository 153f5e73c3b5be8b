"""Figures that carry their uncertainty, and how each reads in words."""

from dataclasses import dataclass

Bounds = tuple[float, float]


def value_text(
    value: float | None,
    bounds: Bounds | None,
    *,
    digits: int = 3,
    missing: str | None = None,
    is_signed: bool = False,
    is_cut: bool = False,
    sample: str = "",
) -> str:
    """A value with its interval, or the reason why there is none.

    Such as `0.843 (0.751 to 0.906)`, `+0.100 (-0.020 to +0.220)`, `0.950 (0.850 to 1.000, cut at 1)`,
    `0.51 (0.42 to 0.60; 12 patients)` and `+0.100 (no interval: 6 cases of a class, and it takes 10 of each)`.

    Args:
        value: The value.
        bounds: Its interval.
        digits: Digits after the point.
        missing: Why there is no interval, where there is none.
        is_signed: Whether a plus sign is written: of a difference.
        is_cut: Whether the interval would leave what the value can be, and was cut.
        sample: What the value was computed from, such as `12 patients`; not written where it is empty.
    """
    if value is None:
        return f"not defined ({sample})" if sample else "not defined"
    form = f"{'+' if is_signed else ''}.{digits}f"
    if bounds is None:
        return f"{value:{form}} (no interval{'' if missing is None else f': {missing}'})"
    cut = f", cut at {' and '.join(f'{bound:g}' for bound in bounds if bound in {-1.0, 0.0, 1.0})}" if is_cut else ""
    return f"{value:{form}} ({bounds[0]:{form}} to {bounds[1]:{form}}{cut}{sample and f'; {sample}'})"


def p_text(p: float | None, *, digits: int = 3) -> str:
    """A p value as one writes it."""
    if p is None:
        return "not defined"
    least = 10.0**-digits
    return f"< {least:.{digits}f}" if p < least else f"{p:.{digits}f}"


@dataclass(frozen=True)
class Proportion:
    """A share with its count and interval.

    Attributes:
        k: Successes.
        n: Trials; with 0 there is no value.
        value: k / n, or None.
        low: Lower bound of the 95% interval (the exact one, unless the figures say otherwise), or None.
        high: Upper bound, or None.
        missing: Why there is no interval, where there is a value.
    """

    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None
    missing: str | None = None

    @property
    def bounds(self) -> Bounds | None:
        """The interval; None where there is none."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def text(self) -> str:
        """For a page: `84.3% (70/83; 75.0 to 90.6)`."""
        if self.value is None:
            return f"not defined ({self.k}/{self.n})"
        if self.low is None or self.high is None:
            why = "" if self.missing is None else f": {self.missing}"
            return f"{self.value:.1%} ({self.k}/{self.n}; no interval{why})"
        return f"{self.value:.1%} ({self.k}/{self.n}; {100 * self.low:.1f} to {100 * self.high:.1f})"


@dataclass(frozen=True)
class Estimate:
    """A mean or an area with a 95% interval by patients.

    Attributes:
        value: The estimate, or None where it is not defined.
        low: Lower bound, or None.
        high: Upper bound, or None.
        n_patients: How many patients stand behind it.
        n_images: How many images (or cases, in figures by case) stand behind it.
        method: How the interval was made, by a name of `evaluation`; None where there is none, and in figures of
            earlier versions, which drew patients with replacement.
        missing: Why there is no interval, where there is a value.
    """

    value: float | None
    low: float | None
    high: float | None
    n_patients: int
    n_images: int
    method: str | None = None
    missing: str | None = None

    @property
    def bounds(self) -> Bounds | None:
        """The interval; None where there is none."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def text(self, *, is_signed: bool = False) -> str:
        """For a page: `0.51 (0.42 to 0.60; 12 patients)`, of a difference `+0.03 (-0.02 to +0.08; 12 patients)`.

        Args:
            is_signed: Whether a plus sign is written: of a difference.
        """
        patients = f"{self.n_patients} patients"
        return value_text(
            self.value, self.bounds, digits=2, missing=self.missing or patients, is_signed=is_signed, sample=patients
        )


@dataclass(frozen=True)
class CallFigures:
    """How calls of `normal` or `hsil` agree with the reference standard; `hsil` is positive.

    Attributes:
        true_positive: HSIL called `hsil`.
        false_positive: Normal called `hsil`.
        true_negative: Normal called `normal`.
        false_negative: HSIL called `normal`.
        accuracy: Share called right.
        sensitivity: Share of HSIL called `hsil`.
        specificity: Share of normal called `normal`.
        ppv: Share of HSIL among those called `hsil`.
        npv: Share of normal among those called `normal`.

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
        hd95_px: 95th-percentile Hausdorff distance of the two outlines in pixels; None where either mask is empty.
        hd95_percent: The same in percent of the image's diagonal.
        kappa: Cohen's kappa over the pixels, -1 to 1; None where both masks say the same of every pixel.
    """

    iou_acetowhite: float | None
    iou_background: float | None
    accuracy_acetowhite: float | None
    accuracy_background: float | None
    dice: float | None
    false_area: float | None
    hd95_px: float | None
    hd95_percent: float | None
    kappa: float | None


@dataclass(frozen=True)
class ImageMaskFigures:
    """The figures of one image.

    Attributes:
        image_id: Row of the image, or None where it was not named.
        patient_id: Row of the patient.
        figures: How the masks agree.
    """

    image_id: int | None
    patient_id: int
    figures: MaskFigures


@dataclass(frozen=True)
class PatientMaskFigures:
    """The figures of one patient: means over her images with annotated acetowhite epithelium, None without any."""

    patient_id: int
    n_images: int
    iou_acetowhite: float | None
    dice: float | None


@dataclass(frozen=True)
class BlindMask:
    """A mask that looks at no image, held against the same annotated masks as the segmenter.

    Attributes:
        area: Share of the image that it marks, as a mean over the images.
        iou_acetowhite: See `SegmentationFigures`, as are the figures that follow.
        iou_background: See there.
        accuracy_acetowhite: See there.
        accuracy_background: See there.
        dice: See there.
        hd95_percent: See there.
        kappa: See there.
        iou_difference: The segmenter's IoU of acetowhite minus this mask's, paired by image.
        dice_difference: The same of Dice.
    """

    area: float | None
    iou_acetowhite: Estimate
    iou_background: Estimate
    accuracy_acetowhite: Estimate
    accuracy_background: Estimate
    dice: Estimate
    hd95_percent: Estimate
    kappa: Estimate
    iou_difference: Estimate
    dice_difference: Estimate


@dataclass(frozen=True)
class BlindFigures:
    """What masks reach that look at no image; see `evaluation.blind`.

    Attributes:
        mean_mask: The mean training mask, cut where it does best on the training side.
        disc: A disc in the middle, of the training masks' mean area.
        difference: The segmenter's IoU of acetowhite minus the mean mask's, paired by image.
        threshold: Where the mean mask is cut, 0 to 1.
        n_masks: Training masks behind both.
    """

    mean_mask: BlindMask
    disc: BlindMask
    difference: Estimate
    threshold: float
    n_masks: int


@dataclass(frozen=True)
class SegmentationFigures:
    """Means of `MaskFigures` over images, each with an interval by patients.

    Attributes:
        iou_acetowhite: Mean over the images with annotated acetowhite epithelium, as are its accuracy and Dice.
        iou_background: Mean over all images.
        accuracy_acetowhite: See `MaskFigures`.
        accuracy_background: See `MaskFigures`.
        dice: See `MaskFigures`.
        hd95_percent: Mean over the images where both masks mark something. An image whose acetowhite was not found at
            all has no distance: read it beside Dice, which counts such an image 0.
        kappa: Mean over the images with annotated acetowhite epithelium, where it is defined.
        false_area: Mean over the images without annotated acetowhite epithelium: the share of the image marked.
        lesion_free_area: The same over those of them that a person has confirmed to show none.
        n_images: All images.
        n_images_without_acetowhite: Those of them whose annotation is empty.
        n_clean_without_acetowhite: Of these, how many were left untouched; see `evaluation.intervals.share_by_patients`
            for the interval where a patient has several of them.
        by_image: The distribution over images, in the order given.
        by_patient: The distribution over patients, in the order of their first images.
        blind: What masks reach on these images that look at none of them; None where no training mask is known.
    """

    iou_acetowhite: Estimate
    iou_background: Estimate
    accuracy_acetowhite: Estimate
    accuracy_background: Estimate
    dice: Estimate
    hd95_percent: Estimate
    kappa: Estimate
    false_area: Estimate
    lesion_free_area: Estimate
    n_images: int
    n_images_without_acetowhite: int
    n_clean_without_acetowhite: Proportion
    by_image: tuple[ImageMaskFigures, ...]
    by_patient: tuple[PatientMaskFigures, ...]
    blind: BlindFigures | None = None


@dataclass(frozen=True)
class ReliabilityBin:
    """Cases of similar probability, and how many of them were HSIL.

    Attributes:
        low: Lower edge; a probability equal to it belongs to the bin.
        high: Upper edge, which belongs to the next bin; 1 belongs to the last.
        mean_prob: Mean probability of HSIL of the cases in it.
        observed: Share of HSIL among them; see `evaluation.intervals.share_by_patients` for the interval.
    """

    low: float
    high: float
    mean_prob: float
    observed: Proportion


@dataclass(frozen=True, kw_only=True)
class ProbabilityFigures(CallFigures):
    """How probabilities of HSIL agree with the reference standard at a threshold, over images or over cases.

    Attributes:
        n: Images or cases.
        n_patients: Patients behind them.
        threshold: `hsil` is called at this probability and above.
        clustered: Whether some patient stands behind several of them, so that they are not independent.
        interval: How the intervals of the shares were made.
        auc: Area under the ROC curve, with an interval by patients.
        brier: Mean squared distance of the probability from what was the case (0 or 1); lower is better.
        ece: Expected calibration error, see `evaluation.calibration`; lower is better.
        reliability: The calibration curve, from the lowest probabilities to the highest.
        roc: Points (false positive rate, true positive rate) of the ROC curve from (0, 0) to (1, 1), at most 200;
            empty without both labels.
    """

    n: int
    n_patients: int
    threshold: float
    clustered: bool
    interval: str
    auc: Estimate
    brier: Estimate
    ece: Estimate
    reliability: tuple[ReliabilityBin, ...]
    roc: tuple[tuple[float, float], ...]
