"""Records of predictions and what reviewers say of them."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.models.marks import SIMULATED_IMAGE, Mark, MarkKind
from colpo_core.records.review.explanations import ImageEvidence, ProposedSite
from colpo_core.records.statistics.figures import Proportion
from colpo_core.terms import Finding, Grade, Label, LabelSource, ReviewReason, Verdict


@dataclass(frozen=True)
class ReviewRecord:
    """A clinician's verdict on a prediction.

    Attributes:
        id: Row of the review.
        prediction_id: Row of the prediction.
        reviewer: Display name.
        reviewer_id: Row of the person.
        verdict: Agree, overrule or unsure.
        reason: In the person's own words, or empty.
        at: When.
        because: In one word, or None.
    """

    id: int
    prediction_id: int
    reviewer: str
    reviewer_id: int
    verdict: Verdict
    reason: str
    at: datetime
    because: ReviewReason | None = None


@dataclass(frozen=True)
class ReviewAgreement:
    """How reviewers judged a checkpoint: the newest verdict of each reviewer on each prediction.

    Attributes:
        agreed: Of those that agreed or overruled, how many agreed.
        n_unsure: How many were unsure; they count in neither.
    """

    agreed: Proportion
    n_unsure: int

    def text(self) -> str:
        """For a page, such as `84.3% (70/83; 75.0 to 90.6), and 4 unsure`."""
        return f"{self.agreed.text()}, and {self.n_unsure} unsure" if self.n_unsure else self.agreed.text()


@dataclass(frozen=True)
class Reference:
    """What a case is judged by, shown to a reviewer after the verdict.

    Attributes:
        label: Label from histology, or None where the case is excluded or unlabelled.
        grade: Highest grade of the histology, where there is one.
        reason: Why the label is what it is.
        flagged: Whether a clinician must look at the case.
    """

    label: Label | None
    grade: Grade | None
    reason: str
    flagged: bool


@dataclass(frozen=True)
class PredictionRecord:
    """What one checkpoint says of one image.

    Attributes:
        id: Row of the prediction.
        image_id: Row of the image.
        case_id: Row of its case.
        patient_code: Pseudonymous code of the patient.
        checkpoint_id: Who predicts.
        checkpoint_name: Its name.
        label_source: What the checkpoint's labels rest on.
        width_px: Width of the image.
        height_px: Height of the image.
        prob_hsil_3ch: Probability of HSIL by the network on RGB.
        prob_hsil_4ch: Probability of HSIL by the network on RGB and acetowhite.
        threshold_3ch: Frozen threshold of the first.
        threshold_4ch: Frozen threshold of the second.
        acetowhite_fraction: Share of the image that the mask covers, 0 to 1.
        simulated: Whether the program drew the image.
        checkpoint_simulated: Whether the checkpoint learned from drawn images.
        created_at: When it was predicted.
        marks: What to mind of the checkpoint, wherever its output is shown.
        calibration: For which share of HSIL its probabilities are calibrated, in a sentence; empty where for none.
    """

    id: int
    image_id: int
    case_id: int
    patient_code: str
    checkpoint_id: int
    checkpoint_name: str
    label_source: LabelSource
    width_px: int
    height_px: int
    prob_hsil_3ch: float
    prob_hsil_4ch: float
    threshold_3ch: float
    threshold_4ch: float
    acetowhite_fraction: float
    simulated: bool
    checkpoint_simulated: bool
    created_at: datetime
    marks: tuple[Mark, ...] = ()
    calibration: str = ""

    @property
    def all_marks(self) -> tuple[Mark, ...]:
        """The checkpoint's marks, with SIMULATED too where the image itself was drawn by the program."""
        if not self.simulated or any(mark.kind is MarkKind.SIMULATED for mark in self.marks):
            return self.marks
        return (SIMULATED_IMAGE, *self.marks)

    @property
    def call_3ch(self) -> Label:
        """The 3-channel network's call at its frozen threshold."""
        return Label.called(self.prob_hsil_3ch, threshold=self.threshold_3ch)

    @property
    def call_4ch(self) -> Label:
        """The 4-channel network's call at its frozen threshold."""
        return Label.called(self.prob_hsil_4ch, threshold=self.threshold_4ch)


@dataclass(frozen=True)
class ReviewMask:
    """An annotated mask of an image, as a layer."""

    version_id: int
    annotator: str
    annotator_id: int
    finding: Finding


@dataclass(frozen=True)
class ReviewImage:
    """One image of the case under review, with what may be laid over it.

    Attributes:
        image: The image.
        prediction_id: What the same checkpoint says of it; None where it has not predicted it, or that is kept back.
        has_probabilities: Whether that prediction kept its probability of acetowhite epithelium for each place.
        masks: Annotated masks that I may see, by finding and annotator; none before my verdict on the image's
            prediction, so that they sway nobody.
    """

    image: ImageRecord
    prediction_id: int | None
    has_probabilities: bool
    masks: tuple[ReviewMask, ...]


@dataclass(frozen=True)
class ReviewDesk:
    """All that the review page shows of one prediction.

    Attributes:
        prediction: The prediction.
        map_strengths: Peak of each map as a share of the highest peak of its network's maps; 0 says "no positive
            evidence". None at all where the maps cannot be read.
        reviews: Verdicts on it, newest first.
        reference: The case's reference standard; to be shown after the verdict.
        next_id: The next prediction of the same checkpoint that waits for me, or None.
        waiting: How many of the same checkpoint wait for me.
        in_model_mask: The maps beside the model's own mask; None where that is empty.
        in_expert_mask: The maps beside the newest annotated mask that I may see; None before my verdict, so that it
            sways nobody, and where there is none or it is empty.
        expert: Who annotated that mask; empty without one.
        sites: Places that are proposed for a biopsy, by the 4-channel map for HSIL inside the model's mask.
        has_cervix: Whether their hours are read from an outline of the cervix; else from the middle of the image.
        problems: What of it cannot be shown, and why: a file that is missing or damaged.
        series: The images of the case by stage, this one among them.
        mask_threshold: From which probability on a place counts as acetowhite, by the checkpoint.
    """

    prediction: PredictionRecord
    map_strengths: dict[str, float]
    reviews: tuple[ReviewRecord, ...]
    reference: Reference
    next_id: int | None
    waiting: int
    in_model_mask: ImageEvidence | None = None
    in_expert_mask: ImageEvidence | None = None
    expert: str = ""
    sites: tuple[ProposedSite, ...] = ()
    has_cervix: bool = False
    problems: tuple[str, ...] = ()
    series: tuple[ReviewImage, ...] = ()
    mask_threshold: float = 0.5

    @property
    def empty_maps(self) -> frozenset[str]:
        """Names of the maps that show no positive evidence."""
        return frozenset(name for name, strength in self.map_strengths.items() if strength == 0)


@dataclass(frozen=True)
class ReviewNext:
    """What of the current model waits for me, with nothing of what it says.

    Attributes:
        prediction_id: The first prediction that waits; None where none does.
        checkpoint_name: Whose it is, or None where no checkpoint is promoted.
        n_kept_back: How many more wait, of images that I have yet to paint in a task without proposals.
    """

    prediction_id: int | None
    checkpoint_name: str | None
    n_kept_back: int


@dataclass(frozen=True)
class ReviewQueue:
    """One page of predictions that wait for me.

    Attributes:
        rows: The predictions.
        next_after: Row to hand over for the next page; None on the last.
        waiting: How many wait in all; one more than `records.overview.MOST_COUNTED` means more than that.
        checkpoint_name: Whose they are, or None where no checkpoint is promoted.
        n_kept_back: How many more wait, of images that I have yet to paint in a task without proposals.
    """

    rows: tuple[PredictionRecord, ...]
    next_after: int | None
    waiting: int
    checkpoint_name: str | None
    n_kept_back: int = 0
