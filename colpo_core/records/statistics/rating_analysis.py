"""Everything that was computed from a table of ratings."""

from dataclasses import dataclass, field

from colpo_core.records.statistics.figures import Bounds
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, ManyReaders, SingleArm
from colpo_core.records.statistics.rater_agreement import ArmAgreement
from colpo_core.records.statistics.reader_figures import Endpoint, Reader


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
    """Several readers judged by one endpoint, such as a share of calls at the threshold.

    Attributes:
        mrmc: Two arms; None where it was refused, or there is one.
        single_arm: By the arm's name.
        against_model: By the arm's name; empty without a model.
    """

    mrmc: ManyReaders | None
    single_arm: dict[str, SingleArm]
    against_model: dict[str, AgainstModel]


@dataclass(frozen=True)
class SeveralReaders(ShareAnalysis):
    """Several readers together, by area and by `shares`, in another way than the one to quote; see `RatingAnalysis`."""

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
