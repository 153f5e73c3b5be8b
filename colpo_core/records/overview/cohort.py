"""Records of the clinic's cohort: how it grew, what the model says of it, and whether it moves away."""

from dataclasses import dataclass
from enum import StrEnum

from colpo_core.records.statistics.figures import Estimate, Proportion, ReliabilityBin
from colpo_core.terms import Grade, JobState, Label


@dataclass(frozen=True)
class MonthCount:
    """Cases of one month.

    Attributes:
        month: Such as `2026-03`; of the examination, or of coming in where that is unknown.
        grade: Highest grade of their histology.
        label: Their label from histology.
        n: How many.
    """

    month: str
    grade: Grade | None
    label: Label | None
    n: int


@dataclass(frozen=True)
class AreaSpread:
    """How much of the image the current model marks, over cases of one grade: the mean over a case's images.

    Attributes:
        grade: Highest grade of the histology.
        n: Cases.
        lowest: Share of the image, 0 to 1; so are the next four.
        lower_quartile: A quarter of the cases lies below.
        median: Half of them.
        upper_quartile: Three quarters.
        highest: The largest.
    """

    grade: Grade | None
    n: int
    lowest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    highest: float


@dataclass(frozen=True)
class ReviewerRate:
    """How often one reviewer overruled the current model.

    Attributes:
        person_id: Row of the person.
        name: Display name.
        overruled: Of the newest verdicts that agreed or overruled, how many overruled.
        n_unsure: How many were unsure.
    """

    person_id: int
    name: str
    overruled: Proportion
    n_unsure: int


class DriftAlarm(StrEnum):
    """What a stability index says."""

    STEADY = "steady"
    WATCH = "watch"
    ALARM = "alarm"
    TOO_FEW = "too_few"


@dataclass(frozen=True)
class Drift:
    """Whether one figure has moved since the model was judged.

    Attributes:
        name: The figure.
        index: Population stability index; None with too few values.
        alarm: What it says.
        n_reference: Values where the model was judged.
        n_current: Values since.
    """

    name: str
    index: float | None
    alarm: DriftAlarm
    n_reference: int
    n_current: int


@dataclass(frozen=True)
class UnseenFigures:
    """One network of the current model on labelled cases whose patients it has not met.

    Attributes:
        channels: 3 or 4.
        n_cases: Cases taken: the newest, where there are very many.
        n_all: How many there are.
        auc: Area under the ROC curve, with an interval by patients.
        roc: Points (false positive rate, true positive rate) of the curve.
        reliability: The calibration curve.
    """

    channels: int
    n_cases: int
    n_all: int
    auc: Estimate
    roc: tuple[tuple[float, float], ...]
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class QueueState:
    """What is under way.

    Attributes:
        jobs: How many jobs are in which state, of all time.
        n_silent: How many run whose process has not been heard within its lease.
    """

    jobs: dict[JobState, int]
    n_silent: int


@dataclass(frozen=True)
class OverlapRow:
    """An image whose masks overlap little.

    Attributes:
        case_id: Row of its case.
        image_id: Row of the image.
        prediction_id: What the model says of it.
        patient_code: Code of its patient.
        iou: Intersection over union of the model's and the annotated mask.
    """

    case_id: int
    image_id: int
    prediction_id: int
    patient_code: str
    iou: float


@dataclass(frozen=True)
class OverlapFigures:
    """How the model's masks overlap the annotators' on images of patients that it has not met.

    Attributes:
        iou: Mean intersection over union of acetowhite epithelium, with an interval by patients.
        median: Its median; None without an image.
        counts: Images by tenths of IoU, from 0 to 1.
        n_compared: Images behind these figures.
        n_unseen: Images of unmet patients that both have marked, among them those that are left out.
        n_from_proposal: How many were left out because their mask was made from a model's proposal.
        lowest: The images with the least overlap that the actor may see, the lowest first.
        blind: Mean IoU of the mean training mask, which looks at no image, with the same masks; None where the model's
            card does not know it.
        difference: The model's IoU minus that one, paired by image; None likewise.
        lesion_free_area: Mean share of the image that the model marks on images of unmet patients that a person has
            confirmed to show nothing acetowhite.
    """

    iou: Estimate
    median: float | None
    counts: tuple[int, ...]
    n_compared: int
    n_unseen: int
    n_from_proposal: int
    lowest: tuple[OverlapRow, ...]
    blind: Estimate | None
    difference: Estimate | None
    lesion_free_area: Estimate


@dataclass(frozen=True)
class AgreementSpread:
    """How far two annotators of one case agree: the lowest Dice of each case that several have painted.

    Attributes:
        n: Cases behind it.
        n_uncompared: Cases whose masks wait to be compared.
        lower_quartile: None without a case, as the two that follow.
        median: Of the middle case.
        upper_quartile: Likewise.
    """

    n: int
    n_uncompared: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


@dataclass(frozen=True)
class AnnotatorProgress:
    """How far an annotator of acetowhite epithelium is, and how long an image takes.

    Attributes:
        person_id: Row of the person.
        name: Display name.
        n_images: Images of which she has submitted a mask.
        n_waiting: Images that wait for her in open tasks.
        median_seconds: Median time of painting of an image; None where it was not recorded.
        n_timed: Images behind it.
    """

    person_id: int
    name: str
    n_images: int
    n_waiting: int
    median_seconds: float | None
    n_timed: int
