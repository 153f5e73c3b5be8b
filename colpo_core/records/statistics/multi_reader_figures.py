"""Figures of several readers of the same cases together: two arms, one arm, an arm against a model."""

from dataclasses import dataclass
from enum import StrEnum

from colpo_core.records.statistics.figures import Bounds


class Covariance(StrEnum):
    """How the covariance of readers' figures, who have read the same cases, is estimated."""

    DELONG = "delong"
    JACKKNIFE = "jackknife"
    BOOTSTRAP = "bootstrap"


U_STATISTIC = "u-statistic"
"""In place of a covariance: an analysis of all ratings that there are, where not every reader has read every case."""


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


@dataclass(frozen=True, kw_only=True)
class ManyReaders(Comparison):
    """Two arms, read by the same readers on the same cases: compared with random readers and random cases.

    Attributes:
        auc: The endpoint's mean over readers, by arm. Named for the usual endpoint, whatever the endpoint is.
        difference: First arm minus second.
        cov1: Mean covariance of one reader in two arms; None by U-statistics, as the next three.
        cov2: Mean covariance of two readers in one arm.
        cov3: Mean covariance of two readers in two arms.
        error_variance: Mean variance.
        fixed_readers: The same difference for these readers alone, on other cases; None by U-statistics, as the next.
        fixed_cases: The same difference on these cases alone, for other readers.
        non_inferiority: With random readers and cases; None without a margin.
        basis: What it rests on.
        cautions: What to mind, a sentence each.
    """

    auc: dict[str, float]
    difference: float
    cov1: float | None
    cov2: float | None
    cov3: float | None
    error_variance: float | None
    fixed_readers: Comparison | None
    fixed_cases: Comparison | None
    basis: Basis
    non_inferiority: NonInferiority | None = None
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
