"""Figures of readers who have read the same cases: one reader's, several readers' together, and how they agree."""

from dataclasses import dataclass, field
from enum import StrEnum

from colpo_core.records.statistics.figures import Bounds, Proportion


class Endpoint(StrEnum):
    """What a reader is judged by."""

    AUC = "auc"
    ACCURACY = "accuracy"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"


ENDPOINT_WORDS = {
    Endpoint.AUC: "area under the curve",
    Endpoint.ACCURACY: "accuracy",
    Endpoint.SENSITIVITY: "sensitivity",
    Endpoint.SPECIFICITY: "specificity",
}


class Covariance(StrEnum):
    """How the covariance of readers' figures, who have read the same cases, is estimated."""

    DELONG = "delong"
    JACKKNIFE = "jackknife"
    BOOTSTRAP = "bootstrap"


U_STATISTIC = "u-statistic"
"""In place of a covariance: an analysis of all ratings that there are, where not every reader has read every case."""


@dataclass(frozen=True)
class ReaderShare:
    """A share of cases with two intervals.

    Attributes:
        k: Cases of which it is true.
        n: Cases in all.
        value: k / n; None where n is 0.
        clopper_pearson: The exact interval, never too narrow; None where n is 0.
        wilson: Wilson's score interval, near its nominal level on average; None where n is 0.
    """

    k: int
    n: int
    value: float | None
    clopper_pearson: Bounds | None
    wilson: Bounds | None

    def text(self) -> str:
        """For a table: `84.2% (96/114; 76.2 to 90.4)`, with the exact interval."""
        if self.value is None or self.clopper_pearson is None:
            return f"not defined ({self.k}/{self.n})"
        low, high = self.clopper_pearson
        return f"{self.value:.1%} ({self.k}/{self.n}; {100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True)
class AtPrevalence:
    """A predictive value at a prevalence that is not the study's own.

    Attributes:
        value: The predictive value; None where it is not defined.
        ci: Its interval; None where there is no value.
        missing: Why there is none.
    """

    value: float | None
    ci: Bounds | None
    missing: str | None = None


@dataclass(frozen=True)
class ReaderArm:
    """One reader in one arm.

    Attributes:
        n: Cases read.
        auc: Area under the ROC curve; None where the ratings are yes or no alone.
        auc_ci: Its interval, by `auc_ci_method`; None where there are too few cases of a class.
        sensitivity: At the threshold, as all from here on; None without one.
        specificity: Likewise.
        ppv: Likewise, at the study's own prevalence.
        npv: Likewise.
        accuracy: Likewise.
        ppv_at_prevalence: At the prevalence that was given; None without one.
        npv_at_prevalence: Likewise.
        auc_ci_method: `newcombe-5`: Newcombe's method 5, widened where DeLong's variance is larger;
            `newcombe-5-by-patients`: the same with Obuchowski's variance for several cases a patient.
        auc_ci_missing: Why there is no interval of the area.
        auc_ci_delong: DeLong's interval, for comparison with other programs; None where its variance is 0. It covers
            too little in few cases and near an area of 1.
    """

    n: int
    auc: float | None
    auc_ci: Bounds | None
    sensitivity: ReaderShare | None = None
    specificity: ReaderShare | None = None
    ppv: ReaderShare | None = None
    npv: ReaderShare | None = None
    accuracy: ReaderShare | None = None
    ppv_at_prevalence: AtPrevalence | None = None
    npv_at_prevalence: AtPrevalence | None = None
    auc_ci_method: str | None = None
    auc_ci_missing: str | None = None
    auc_ci_delong: Bounds | None = None


@dataclass(frozen=True)
class PairedAucs:
    """Two areas of one reader on the same cases.

    Attributes:
        difference: First arm minus second.
        ci: Interval of the difference, which ends at -1 and 1; None where its variance is 0 or the cases of a class are
            too few, as `z` and `p`.
        z: The difference in standard errors.
        p: Two-sided.
        method: `delong`; `obuchowski` where patients stand behind several cases and were counted as patients.
        reason: Why there is no interval and no p.
        n: Cases that it rests on: those read in both, where either arm alone may rest on more.
    """

    difference: float | None
    ci: Bounds | None
    z: float | None
    p: float | None
    method: str = "delong"
    reason: str | None = None
    n: int | None = None


@dataclass(frozen=True)
class PairedCalls:
    """Two arms' calls of one reader on the same cases.

    Attributes:
        b: Cases that the first arm alone calls right.
        c: Cases that the second arm alone calls right.
        n: Cases.
        p: McNemar's mid-p, two-sided: it decides whether a difference is shown; by patients of the t test. None where
            `reason` says why, or nothing differs.
        difference: First arm minus second; None where n is 0.
        ci: Newcombe's interval of the difference; by patients the t interval. None where n is 0, or as `p`.
        method: `mcnemar`; `patients` where patients stand behind several cases and were counted as patients.
        reason: Why there is no interval and no p.
        p_exact: McNemar's exact p, which is never too small and mostly too large; None by patients.
        at_odds: What is said where the p and the interval do not agree whether there is a difference; None where they
            do.
    """

    b: int
    c: int
    n: int
    p: float | None
    difference: float | None
    ci: Bounds | None
    method: str = "mcnemar"
    reason: str | None = None
    p_exact: float | None = None
    at_odds: str | None = None


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        arms: By the arm's name.
        delong: Two arms' areas; None unless there are two arms with ratings.
        mcnemar: `accuracy`, `sensitivity` and `specificity`; None unless there are two arms and a threshold.
    """

    arms: dict[str, ReaderArm]
    delong: PairedAucs | None = None
    mcnemar: dict[str, PairedCalls] | None = None


@dataclass(frozen=True)
class Comparison:
    """Two arms under one view of what was drawn by chance.

    Attributes:
        se: Standard error of the difference; None where nothing varies, as `f`, `p` and `ci`.
        f: Statistic of the F test, with one degree of freedom above.
        df2: Degrees of freedom below; None where they are infinite.
        p: Two-sided.
        ci: Interval of the difference, between -1 and 1.
        is_cut: Whether the interval would leave these bounds and was cut.
        reason: Why there is no interval (and, where there are too few, no p); None where there is one.
    """

    se: float | None
    f: float | None
    df2: float | None
    p: float | None
    ci: Bounds | None
    is_cut: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class Basis:
    """What the figures of several readers together rest on.

    Attributes:
        method: `obuchowski-rockette`, or `u-statistic`.
        n_cases: Cases.
        readers: Names of the readers.
        n_patients: Patients behind the cases, where they were counted and not the cases; None where each case was taken
            as a patient of its own.
        cases_left_out: Cases that some of these readers have read, and not all of them; 0 where they count.
        readers_left_out: Names of readers who have read less than half.
        n_missing: Readings of these readers that are missing, where each is judged on what that reader has read.
    """

    method: str
    n_cases: int
    readers: tuple[str, ...]
    n_patients: int | None = None
    cases_left_out: int = 0
    readers_left_out: tuple[str, ...] = ()
    n_missing: int = 0

    @property
    def text(self) -> str:
        """In words, such as `complete cases: 55, 5 left out`; empty where nobody and nothing is left out."""
        if self.method == U_STATISTIC:
            return "all readings, by U-statistics"
        said = []
        if self.n_missing:
            said.append(f"each reader on the cases that this reader has read, {self.n_missing} readings missing")
        if self.cases_left_out:
            said.append(f"complete cases: {self.n_cases}, {self.cases_left_out} left out")
        if self.readers_left_out:
            said.append(f"without {', '.join(self.readers_left_out)}, who read less than half")
        return ", ".join(said)


@dataclass(frozen=True)
class NonInferiority:
    """Whether one arm, or the model, is worse than another by less than a margin.

    Attributes:
        margin: Above 0.
        low: Lower bound of the interval of the difference, what is tested minus what it is held against.
        is_shown: Whether the interval, and `skewed_low`, lie above minus the margin; None where there is no interval.
        skewed_low: Another lower bound, which minds how skewed figures are near 1; None where there is none.
    """

    margin: float
    low: float | None
    is_shown: bool | None
    skewed_low: float | None = None

    def text(self, ci: Bounds | None = None) -> str:
        """In words: whether non-inferiority at the margin is shown, is not, or cannot be told.

        Args:
            ci: The interval of the difference that stands beside it, so that another bound is told.
        """
        said = {None: "cannot be told", True: "is shown", False: "is not shown"}[self.is_shown]
        other = ""
        if ci is not None and self.skewed_low is not None and self.is_shown is False and ci[0] > -self.margin:
            other = f": the lower bound that minds how skewed figures near 1 are is {self.skewed_low:+.3f}"
        return f"Non-inferiority at a margin of {self.margin:g} {said}{other}."


@dataclass(frozen=True)
class ManyReaders:
    """Two arms, read by the same readers on the same cases.

    Attributes:
        auc: The endpoint's mean over readers, by arm. Named for the usual endpoint, whatever the endpoint is.
        difference: First arm minus second.
        se: With random readers and random cases, as `f`, `df2`, `p` and `ci`; see `Comparison`.
        cov1: Mean covariance of one reader in two arms; None by U-statistics, as the next three.
        cov2: Mean covariance of two readers in one arm.
        cov3: Mean covariance of two readers in two arms.
        error_variance: Mean variance.
        fixed_readers: The same difference for these readers alone, on other cases; None by U-statistics, as the next.
        fixed_cases: The same difference on these cases alone, for other readers.
        non_inferiority: With random readers and cases; None without a margin.
        basis: What it rests on.
        is_cut: Whether the interval would leave -1 to 1 and was cut.
        reason: Why there is no interval (and, where there are too few, no p); None where there is one.
        cautions: What to mind, a sentence each.
    """

    auc: dict[str, float]
    difference: float
    se: float | None
    f: float | None
    df2: float | None
    p: float | None
    ci: Bounds | None
    cov1: float | None
    cov2: float | None
    cov3: float | None
    error_variance: float | None
    fixed_readers: Comparison | None
    fixed_cases: Comparison | None
    basis: Basis
    non_inferiority: NonInferiority | None = None
    is_cut: bool = False
    reason: str | None = None
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class SingleArm:
    """One arm's mean over readers, for other readers on other cases.

    Attributes:
        auc: The endpoint's mean over readers. Named for the usual endpoint, whatever the endpoint is.
        se: Its standard error; None where nothing varies, as `ci`.
        df: Degrees of freedom; None where they are infinite.
        ci: The t interval as published and as other programs give it, cut at 0 and 1: for comparison, since it covers
            too rarely near 1.
        logit_ci: The interval on the logit scale, which is the one to quote.
        is_cut: Whether `ci` would leave 0 to 1 and was cut.
        reason: Why there is no interval to quote; None where there is one.
        basis: What it rests on.
        cautions: What to mind, a sentence each.
    """

    auc: float
    se: float | None
    df: float | None
    ci: Bounds | None
    logit_ci: Bounds | None = None
    is_cut: bool = False
    reason: str | None = None
    basis: Basis | None = None
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgainstModel:
    """An arm's readers against one standalone model on the same cases, for other readers and other cases.

    Attributes:
        model: The model's own figure.
        difference: The readers' mean minus the model's.
        se: Its standard error; None where nothing varies, as `t`, `p` and `ci`.
        t: The difference in standard errors.
        df: Degrees of freedom; None where they are infinite.
        p: Two-sided.
        ci: Interval of the difference, between -1 and 1.
        non_inferiority: Of the model to the readers; None without a margin.
        is_cut: Whether the interval would leave these bounds and was cut.
        reason: Why there is no interval (and, where there are too few, no p); None where there is one.
        basis: What it rests on.
        cautions: What to mind, a sentence each.
    """

    model: float
    difference: float
    se: float | None
    t: float | None
    df: float | None
    p: float | None
    ci: Bounds | None
    non_inferiority: NonInferiority | None = None
    is_cut: bool = False
    reason: str | None = None
    basis: Basis | None = None
    cautions: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class RatingCounts:
    """What a file of ratings holds.

    Attributes:
        readers: Their names.
        arms: Their names; the first minus the second is the difference.
        cases: How many.
        positive: How many of them have the condition.
    """

    readers: tuple[str, ...]
    arms: tuple[str, ...]
    cases: int
    positive: int


@dataclass(frozen=True)
class ShareAnalysis:
    """Several readers judged by a share of calls at the threshold.

    Attributes:
        mrmc: Two arms; None where it was refused, or there is one.
        single_arm: By the arm's name.
        against_model: By the arm's name; empty without a model.
    """

    mrmc: ManyReaders | None
    single_arm: dict[str, SingleArm]
    against_model: dict[str, AgainstModel]


@dataclass(frozen=True)
class SeveralReaders:
    """Several readers together, in another way than the one to quote.

    Attributes:
        mrmc: As in `RatingAnalysis`.
        single_arm: Likewise.
        against_model: Likewise.
        shares: Likewise.
    """

    mrmc: ManyReaders | None
    single_arm: dict[str, SingleArm]
    against_model: dict[str, AgainstModel]
    shares: dict[Endpoint, ShareAnalysis] = field(default_factory=dict)


@dataclass(frozen=True)
class Clustered:
    """A figure with an interval that minds that several cases may be of one patient.

    Attributes:
        value: The figure; None where it is not defined.
        ci: Over patients; None where patients are too few, or nothing varies.
    """

    value: float | None
    ci: Bounds | None


@dataclass(frozen=True)
class ClusteredAnalysis:
    """Figures by patients: for these readers alone, on other patients.

    Attributes:
        n_patients: How many there are.
        resamples: 0, since the intervals come from a formula and from no bootstrap.
        readers: By the reader's name, by arm, by figure: `auc`, `accuracy`, `sensitivity`, `specificity`, `ppv`, `npv`.
        differences: By the reader's name, by figure: first arm minus second, on the cases read in both.
        together: By arm, by figure: the mean over readers, where each has read every case.
        difference: By figure: the mean over readers of first arm minus second, likewise.
        against_model: By arm, by figure: the readers' mean minus the model's, likewise.
    """

    n_patients: int
    resamples: int
    readers: dict[str, dict[str, dict[str, Clustered]]]
    differences: dict[str, dict[str, Clustered]]
    together: dict[str, dict[str, Clustered]]
    difference: dict[str, Clustered]
    against_model: dict[str, dict[str, Clustered]]


@dataclass(frozen=True)
class RatingAnalysis:
    """All that was found in ratings.

    Attributes:
        counts: What they hold.
        options: What was asked: threshold, covariance, alpha and the like.
        readers: By the reader's name.
        mrmc: Several readers, two arms, by area under the curve; None where it was refused.
        single_arm: By the arm's name, by area under the curve.
        against_model: By the arm's name; empty without a model.
        agreement: By the arm's name.
        refused: What was not computed, and why.
        shares: By endpoint but the area, several readers together; empty without a threshold.
        by_patient: Where patients stand behind several cases: the figures of these readers with intervals by patients.
        independent: Where patients stand behind several cases: several readers together with each case taken as a
            patient of its own, so that intervals are too narrow and p too small; what stands in `mrmc`, `single_arm`,
            `against_model` and `shares` then counts patients.
        complete_cases: Where readings are missing: several readers together on the cases that all of them have read;
            what stands in `mrmc` and the others then judges each reader on the cases that this reader has read.
        notes: What to mind.
        table_notes: Of ratings from a file, what a person should know of how it was read.
    """

    counts: RatingCounts
    options: dict[str, str | float | None]
    readers: dict[str, Reader]
    mrmc: ManyReaders | None
    single_arm: dict[str, SingleArm]
    against_model: dict[str, AgainstModel]
    agreement: dict[str, ArmAgreement]
    refused: tuple[str, ...]
    shares: dict[Endpoint, ShareAnalysis] = field(default_factory=dict)
    by_patient: ClusteredAnalysis | None = None
    independent: SeveralReaders | None = None
    complete_cases: SeveralReaders | None = None
    notes: tuple[str, ...] = ()
    table_notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PowerEstimate:
    """How likely a study is to find a difference that is assumed.

    Attributes:
        simulated: Share of simulated studies that found it, with its interval.
        by_formula: The same by the noncentral F distribution.
    """

    simulated: Proportion
    by_formula: float
