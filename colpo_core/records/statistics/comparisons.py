"""Two ways of judging the same cases beside each other, and one way judging the same case several times."""

from dataclasses import dataclass

from colpo_core.records.statistics.figures import Estimate, Proportion
from colpo_core.terms import Label


@dataclass(frozen=True)
class McNemarTest:
    """Whether one set of calls is right more often than another on the same cases.

    Attributes:
        b: Cases that only the first calls right.
        c: Cases that only the second calls right.
        p: Two-sided mid-p; 1 where both are 0.
        p_exact: Two-sided exact p, which is never too small and mostly too large.
    """

    b: int
    c: int
    p: float
    p_exact: float


@dataclass(frozen=True)
class AucInterval:
    """An area under the ROC curve with its 95% interval, DeLong's unless it says otherwise; None where not defined.

    Attributes:
        auc: The area, 0 to 1; None without both labels.
        low: Lower bound; None where the variance is 0 or cannot be had.
        high: Upper bound likewise.
    """

    auc: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AreaInterval(AucInterval):
    """An area under the ROC curve with an interval that covers in few cases and near 1 as well.

    Attributes:
        method: How the interval was made, `newcombe-5` or `newcombe-5-by-patients`; None where there is none.
        missing: Why there is no interval.
    """

    method: str | None = None
    missing: str | None = None


@dataclass(frozen=True)
class DeLongTest:
    """Whether two rankings of the same cases differ in the area under the ROC curve.

    Attributes:
        auc_first: Area of the first; None without both labels, as for all the others.
        auc_second: Area of the second.
        difference: Second minus first.
        low: Lower bound of its 95% interval; None where the variance is 0 or cannot be had, as for all below.
        high: Upper bound.
        z: The difference in standard errors.
        p: Two-sided p by the normal distribution.
        missing: Why bounds, z and p are not given where the difference is.
    """

    auc_first: float | None
    auc_second: float | None
    difference: float | None
    low: float | None
    high: float | None
    z: float | None
    p: float | None
    missing: str | None = None


@dataclass(frozen=True)
class ArmFigures:
    """Figures of one arm, each the mean over its trainings.

    Attributes:
        auc: Area under the ROC curve.
        accuracy: Share called right.
        sensitivity: Share of HSIL called `hsil`.
        specificity: Share of normal called `normal`.
        brier: Brier score; lower is better.
    """

    auc: Estimate
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    brier: Estimate


@dataclass(frozen=True)
class SeedComparison:
    """The two arms of one training seed, by tests that take the cases as independent.

    Attributes:
        accuracy: McNemar's test on all cases.
        sensitivity: The same on HSIL alone.
        specificity: The same on normal alone.
        auc: DeLong's test.
    """

    accuracy: McNemarTest
    sensitivity: McNemarTest
    specificity: McNemarTest
    auc: DeLongTest


@dataclass(frozen=True)
class ArmDifference:
    """Two arms on the same cases: second minus first, each a mean over the trainings.

    Attributes:
        n: Cases (or images).
        n_patients: Patients behind them.
        n_seeds: Trainings of each arm.
        clustered: Whether some patient stands behind several cases: then the tests in `by_seed` take for independent
            what is not, and only the intervals here are to be read.
        interval: How the intervals were made, and what is not in them.
        auc: Difference of the areas under the ROC curve.
        accuracy: Difference of the shares called right.
        sensitivity: Difference of the shares of HSIL called `hsil`.
        specificity: Difference of the shares of normal called `normal`.
        brier: Difference of the Brier scores; below 0 the second is better.
        first: The first arm itself.
        second: The second arm itself.
        by_seed: One entry a training seed, in the order given.
    """

    n: int
    n_patients: int
    n_seeds: int
    clustered: bool
    interval: str
    auc: Estimate
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    brier: Estimate
    first: ArmFigures
    second: ArmFigures
    by_seed: tuple[SeedComparison, ...]


@dataclass(frozen=True)
class CaseFlip:
    """A case whose images were called both ways: the two that are furthest apart.

    Attributes:
        case_id: Row of the case.
        low_image_id: Row of the image with the lowest probability; None where it was not named.
        low_prob: Its probability of HSIL.
        high_image_id: Row of the image with the highest probability likewise.
        high_prob: Its probability of HSIL.
    """

    case_id: int
    low_image_id: int | None
    low_prob: float
    high_image_id: int | None
    high_prob: float


@dataclass(frozen=True)
class RepeatabilityFigures:
    """How far the probabilities of one case's images lie apart, over cases with two images or more.

    Attributes:
        n_cases: Cases with two images or more.
        n_images: Images of these.
        threshold: `hsil` is called at this probability and above.
        spread: Mean over cases of the highest minus the lowest probability.
        within_case_sd: Standard deviation of a single image's probability within its case.
        both_sides: Share of the cases with calls on both sides of the threshold; see
            `evaluation.intervals.share_by_patients` for the interval.
        flips: The widest of these cases, widest first, at most 20.
    """

    n_cases: int
    n_images: int
    threshold: float
    spread: Estimate
    within_case_sd: Estimate
    both_sides: Proportion
    flips: tuple[CaseFlip, ...]


@dataclass(frozen=True)
class FlippedCase:
    """A case that two models call differently, one of them right.

    Attributes:
        case_id: Row of the case.
        patient_code: Pseudonymous code.
        label: Its label from histology.
        prob_first: The first model's probability of HSIL, a mean over the acetic-acid images.
        prob_second: The second's.
        is_second_right: Whether the second calls it right; else the first does.
    """

    case_id: int
    patient_code: str
    label: Label
    prob_first: float
    prob_second: float
    is_second_right: bool


@dataclass(frozen=True)
class ModelComparison:
    """Two models on the same cases, of patients that neither has met.

    Attributes:
        first: Name of the first.
        second: Name of the second.
        channels: Which of their networks, 3 or 4.
        difference: Second minus first, with intervals by patients; None without a case that both have predicted.
        n_met: Labelled cases left out because one of the two has met their patients.
        n_missing_first: Unseen labelled cases that the first has not predicted.
        n_missing_second: Those that the second has not.
        flips: The cases that flipped, both ways; those kept back from who asks are left out here.
        scores: Of every case its label and both probabilities, for a plot.
    """

    first: str
    second: str
    channels: int
    difference: ArmDifference | None
    n_met: int
    n_missing_first: int
    n_missing_second: int
    flips: tuple[FlippedCase, ...]
    scores: tuple[tuple[Label, float, float], ...]
