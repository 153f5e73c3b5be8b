"""The results of a closed study: figures of readers and networks, and their statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from colpo_core.records.models.marks import Mark
from colpo_core.records.statistics.figures import Bounds, CallFigures, Estimate, ReliabilityBin, p_text, value_text
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, Basis, NonInferiority
from colpo_core.records.statistics.rater_agreement import Coefficient
from colpo_core.records.statistics.rating_analysis import Clustered, RatingAnalysis
from colpo_core.records.statistics.reader_figures import ENDPOINT_WORDS, Endpoint, PairedAucs, PairedCalls, ReaderArm
from colpo_core.records.studies.designs import StudyRecord
from colpo_core.terms import Arm, LabelSource


@dataclass(frozen=True)
class ReadingTimes:
    """How long a reader took for a case, in seconds: without breaks where that was measured."""

    n: int
    lower: float
    median: float
    upper: float


@dataclass(frozen=True)
class CallerFigures:
    """One line of the table of results.

    Attributes:
        name: Name of the reader or the checkpoint.
        channels: 3 or 4 for a checkpoint's network, None for a reader.
        n_called: Cases that were called; the figures are on these.
        n_cases: Cases of the study.
        figures: Accuracy, sensitivity, specificity, PPV and NPV.
        n_seen: For a checkpoint, cases of the study that it has learned from, itself or by another case of the patient.
        n_unseen: Called cases that it has not learned from.
        unseen: Figures on those alone, where some but not all called cases were seen.
        times: For a reader, time a case: without breaks where that was measured, else from the first showing to the
            answer; None where nothing was read.
        arm: For a reader, whether the model's output was shown.
        remark: Of a reader, what amendments made of the reading, such as that the reader was taken off; else empty.
        trained_on: For a checkpoint, what its training labels rest on.
        checkpoint_id: Row of the checkpoint.
        marks: For a checkpoint, what to mind of it.
    """

    name: str
    channels: int | None
    n_called: int
    n_cases: int
    figures: CallFigures
    n_seen: int | None = None
    n_unseen: int = 0
    unseen: CallFigures | None = None
    times: ReadingTimes | None = None
    trained_on: LabelSource | None = None
    checkpoint_id: int | None = None
    arm: Arm | None = None
    remark: str = ""
    marks: tuple[Mark, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every case of the study was called."""
        return self.n_called == self.n_cases


@dataclass(frozen=True)
class StudyResults:
    """What a closed study found.

    Attributes:
        study: The study.
        label_source: What the reference standard rests on.
        rules_versions: Versions of the labelling rules.
        readers: A line a reader, also those who read little or nothing.
        checkpoints: Two lines a checkpoint: 3 channels, then 4.
        has_arms: Whether readers read with and without the model's output, so that each of their rows names its arm.
    """

    study: StudyRecord
    label_source: LabelSource
    rules_versions: tuple[str, ...]
    readers: tuple[CallerFigures, ...]
    checkpoints: tuple[CallerFigures, ...]
    has_arms: bool = False

    def title(self, line: CallerFigures) -> str:
        """What one of the lines is called, wherever it stands: `Reader A, aided`, or `model-1, 4 channels`."""
        if line.channels is not None:
            return f"{line.name}, {line.channels} channels"
        return f"{line.name}, {line.arm.value}" if self.has_arms and line.arm is not None else line.name


@dataclass(frozen=True)
class PairedReader:
    """A reader against a network, on the cases that both have judged and the network has not learned from.

    Attributes:
        reader: Name of the reader.
        arm: Without or with the model's output, in a study that has both; else None.
        aucs: Areas, the reader's minus the network's; None with fewer than two such cases of a label.
        calls: `accuracy`, `sensitivity` and `specificity`; None likewise.
    """

    reader: str
    aucs: PairedAucs | None
    calls: dict[str, PairedCalls] | None
    arm: Arm | None = None

    @property
    def title(self) -> str:
        """What its row is called, such as `Reader A, unaided`."""
        return self.reader if self.arm is None else f"{self.reader}, {self.arm.value}"


@dataclass(frozen=True)
class NetworkComparison:
    """A checkpoint's network against the readers of a study.

    Attributes:
        name: Name of the checkpoint.
        channels: 3 or 4.
        n_cases: Cases that it was compared on: predicted, and not learned from.
        alone: Its own figures on these; None with fewer than two of a label.
        together: All readers against it, for other readers and other cases; None where `refused` says why.
        readers: A line a reader.
        refused: What is not given, and why.
        shares: All readers against it by accuracy, sensitivity and specificity, as `together`.
        by_patient: By figure, all readers minus it with intervals by patients, where patients have several cases.
        roc: Points of its ROC curve on these cases: 1 minus specificity, and sensitivity.
    """

    name: str
    channels: int
    n_cases: int
    alone: ReaderArm | None
    together: AgainstModel | None
    readers: tuple[PairedReader, ...]
    refused: tuple[str, ...]
    shares: dict[Endpoint, AgainstModel] = field(default_factory=dict)
    by_patient: dict[str, Clustered] = field(default_factory=dict)
    roc: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class CallerCalibration:
    """How well a reader's confidence, or a network's probability, tells how often HSIL is there.

    Attributes:
        name: Name of the reader or the checkpoint.
        channels: 3 or 4 for a network, None for a reader.
        n_cases: Cases that were judged; of a network, those that it has not learned from.
        brier: Brier score: 0 is perfect, 0.25 is what a guess on every case gets.
        ece: Expected calibration error.
        overcalling: Mean probability of HSIL minus the share of cases that are HSIL.
        overconfidence: Mean probability of what was called minus the share of calls that are right.
        bins: The calibration curve.
        arm: Of a reader, without or with the model's output, in a study that has both; else None.
    """

    name: str
    channels: int | None
    n_cases: int
    brier: Estimate
    ece: Estimate
    overcalling: Estimate
    overconfidence: Estimate
    bins: tuple[ReliabilityBin, ...]
    arm: Arm | None = None

    @property
    def title(self) -> str:
        """What its row is called, such as `Reader A, unaided` or `model-1, 4 channels`."""
        if self.channels is not None:
            return f"{self.name}, {self.channels} channels"
        return self.name if self.arm is None else f"{self.name}, {self.arm.value}"


@dataclass(frozen=True)
class PrimaryResult:
    """The primary endpoint's result, of one comparison: what is tested against what it is held against.

    Attributes:
        tested: In words, such as the network's name and channels.
        against: In words, such as `the readers`.
        endpoint: What both are judged by.
        figures: Of the tested and of the other, each a mean over readers or a network's own.
        difference: Tested minus the other.
        ci: Its interval of confidence 1 minus alpha, for other readers and other cases; None where `reason` says why.
        p: Two-sided; None likewise.
        alpha: The level that was sealed.
        non_inferiority: Against the sealed margin; None without one.
        n_cases: Cases that were compared.
        basis: What several readers' figures rest on.
        is_cut: Whether the interval would leave -1 to 1 and was cut.
        reason: Why there is no interval and no p.
        cautions: What to mind, a sentence each.
    """

    tested: str
    against: str
    endpoint: Endpoint
    figures: tuple[float, float]
    difference: float
    ci: Bounds | None
    p: float | None
    alpha: float
    non_inferiority: NonInferiority | None
    n_cases: int
    basis: Basis | None = None
    is_cut: bool = False
    reason: str | None = None
    cautions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The result as a sentence."""
        percent = f"{100 * (1 - self.alpha):g}%"
        what = ENDPOINT_WORDS[self.endpoint]
        text = f"{self.tested} minus {self.against}, {what}: "
        if self.ci is None:
            p = "" if self.p is None else f", p {p_text(self.p)}"
            text += value_text(self.difference, None, missing=self.reason, is_signed=True) + p
        else:
            value, inside = value_text(self.difference, self.ci, is_cut=self.is_cut, is_signed=True).split(" (", 1)
            text += f"{value} ({percent} interval {inside.removesuffix(')')}, p {p_text(self.p)})"
        on = f"{self.n_cases} cases"
        if self.basis is not None:
            on += "" if self.basis.n_patients is None else f" of {self.basis.n_patients} patients, who were counted"
            on += f" ({self.basis.text})" if self.basis.text else ""
        held = "" if self.non_inferiority is None else f" {self.non_inferiority.text(self.ci)}"
        return f"{text}, on {on}.{held}{''.join(f' {caution}' for caution in self.cautions)}"


@dataclass(frozen=True)
class StudyAnalysis:
    """The statistics of a closed study, by call and confidence.

    Attributes:
        readers: The readers alone, in one arm; None where `notes` says why.
        networks: A line a network.
        again: By the reader's name, Cohen's kappa of the reader's own calls on cases that were read twice.
        notes: What to mind.
        primary: The primary endpoint's results; empty where it could not be tested, as `notes` says.
        calibration: A line a reader, then a line a network.
        arm: In a study with and without the model's output, the arm of all that is of one arm alone: comparisons with
            networks, agreement within a reader, calibration; else None.
    """

    readers: RatingAnalysis | None
    networks: tuple[NetworkComparison, ...]
    again: dict[str, Coefficient]
    notes: tuple[str, ...]
    primary: tuple[PrimaryResult, ...] = ()
    calibration: tuple[CallerCalibration, ...] = ()
    arm: Arm | None = None

    def title(self, name: str) -> str:
        """A reader's name with the arm of what is of one arm alone."""
        return name if self.arm is None else f"{name}, {self.arm.value}"


class ReadingTable(StrEnum):
    """A table of a closed study's readings: every call, or each reader's first readings as ratings."""

    CALLS = "calls"
    RATINGS = "ratings"


@dataclass(frozen=True)
class StudyFindings:
    """What one look at a closed study gives.

    Attributes:
        results: The table of readers and checkpoints.
        analysis: The statistics.
        tables: CSV of each table of the readings that was asked for.
    """

    results: StudyResults
    analysis: StudyAnalysis
    tables: Mapping[ReadingTable, bytes] = field(default_factory=dict)
