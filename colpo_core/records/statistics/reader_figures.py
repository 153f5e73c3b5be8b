"""Figures of one reader: shares of calls, areas under the curve, and two arms compared on the same cases."""

from dataclasses import dataclass
from enum import StrEnum

from colpo_core.records.statistics.figures import Bounds


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
