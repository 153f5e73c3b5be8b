"""Records of a study's report: all that a reviewer needs, and every number of it with a name."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.studies.conduct import StudyConduct
from colpo_core.records.studies.designs import StudyDetail
from colpo_core.records.studies.results import StudyAnalysis, StudyResults


@dataclass(frozen=True)
class FigureChange:
    """A figure that is another one than at the closing.

    Attributes:
        name: What it is, in one line.
        before: As it was found at the closing, with its interval.
        now: As it is found now.
    """

    name: str
    before: str
    now: str


@dataclass(frozen=True)
class ComputedAnew:
    """How what is computed now of a closed study relates to what was found at its closing.

    Attributes:
        code_version: Version of the program that closed it; None where nobody wrote that down.
        methods_version: Version of the statistical methods by which it was judged then.
        methods_now: Version by which it is judged now.
        changes: What the methods do otherwise since, in sentences.
        primary_before: The primary results as sentences of then, where they differ.
        primary_differs: Whether they do.
        figures: All figures that differ.
        n_figures: How many were kept at the closing.
        refused: Why no figure was found at the closing; empty where they were.
    """

    code_version: str | None
    methods_version: int
    methods_now: int
    changes: tuple[str, ...] = ()
    primary_before: tuple[str, ...] = ()
    primary_differs: bool = False
    figures: tuple[FigureChange, ...] = ()
    n_figures: int = 0
    refused: str = ""

    @property
    def text(self) -> str:
        """Whether these are the figures of the closing, in a sentence or two."""
        if self.code_version is None:
            return (
                "This study was closed by a version of the program that did not keep its figures, so that they cannot "
                f"be held against those of now. {self._methods}"
            )
        if self.refused:
            return f"No figure was found at the closing: {self.refused} {self._methods}".strip()
        if not self.figures and not self.primary_differs:
            return (
                f"These are the figures that were found at the closing (ColpoDesk {self.code_version}, methods "
                f"{self.methods_version}): all {self.n_figures} were computed anew and are the same."
            )
        return (
            f"{len(self.figures)} of {self.n_figures} figures are other ones now than at the closing (ColpoDesk "
            f"{self.code_version}, methods {self.methods_version}). {self._methods}"
        ).strip()

    @property
    def _methods(self) -> str:
        if self.changes:
            return f"Since methods {self.methods_version} is computed otherwise (methods {self.methods_now} now):"
        return "The methods are the same: what they were computed from has changed."


@dataclass(frozen=True)
class StudyReport:
    """A study's report.

    Attributes:
        detail: The study with who read and what was compared.
        results: The table of calls.
        analysis: The statistics.
        conduct: Exposures, amendments, looks and refusals.
        seed: Seed of the readers' orders.
        code_version: Version of the program that judged it.
        made_at: When, UTC: of a closed study when it was closed, so that its report is the same whenever it is made.
        anew: How these figures relate to those of the closing; None before it.
    """

    detail: StudyDetail
    results: StudyResults
    analysis: StudyAnalysis
    conduct: StudyConduct
    seed: int
    code_version: str
    made_at: datetime
    anew: ComputedAnew | None = None


@dataclass(frozen=True)
class ReportFigure:
    """One number of a report, with all that is needed to compute it anew from the readings.

    Attributes:
        figure: What it is, such as `sensitivity` or `auc_difference`.
        method: How its interval was made.
        caller_kind: `reader`, `readers` (all together) or `checkpoint`.
        caller: Name of the reader or the checkpoint; empty for all readers.
        channels: 3 or 4 of a checkpoint.
        arm: Of readers, the arm.
        scope: Of a checkpoint `all` or `unseen`: whether cases that it learned from are in it; else `all`.
        versus: Name of the checkpoint (or the other reader) that it is held against.
        versus_channels: Its channels.
        versus_arm: The arm that it is held against.
        alpha: 1 minus the interval's confidence.
        quantile: Of a time, which quantile.
        value: The number; None where it is not defined.
        low: Lower bound.
        high: Upper bound.
        p: Two-sided p.
        k: Successes.
        n: Trials, or cases.
        b: Cases that the first alone called right.
        c: Cases that the second alone called right.
    """

    figure: str
    method: str
    caller_kind: str
    caller: str = ""
    channels: int | None = None
    arm: str | None = None
    scope: str = "all"
    versus: str | None = None
    versus_channels: int | None = None
    versus_arm: str | None = None
    alpha: float = 0.05
    quantile: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    k: int | None = None
    n: int | None = None
    b: int | None = None
    c: int | None = None

    @property
    def name(self) -> str:
        """What it is, in one line."""
        caller = self.caller or "all readers"
        caller += f" {self.channels} channels" if self.channels else ""
        caller += f" {self.arm}" if self.arm else ""
        against = ""
        if self.versus:
            against = f" - {self.versus}" + (f" {self.versus_channels} channels" if self.versus_channels else "")
        elif self.versus_arm:
            against = f" - {self.versus_arm}"
        quantile = "" if self.quantile is None else f" {self.quantile:g}"
        scope = "" if self.scope == "all" else f" ({self.scope} cases)"
        return f"{self.figure}{quantile}: {caller}{against}{scope}, {self.method}"
