"""Records of the overview: what waits for a person, and the cohort in figures."""

from dataclasses import dataclass
from enum import StrEnum

from colpo_core.records.models.marks import Mark
from colpo_core.records.review.reviews import ReviewAgreement
from colpo_core.records.statistics.figures import CallFigures
from colpo_core.terms import AnnotationState, Grade, Label, LabelSource, Stage

MOST_COUNTED = 10_000
"""Of what waits no more are counted: in a large store a page would wait for a number that nobody works off."""


def many_text(number: int) -> str:
    """A number that was counted up to `MOST_COUNTED`, such as `10,000+`."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"


class WorkKind(StrEnum):
    """What can wait for a person."""

    TO_CONFIRM = "masks_to_confirm"
    UNANNOTATED = "images_without_annotation"
    DRAFTS = "drafts_not_submitted"
    TO_ADJUDICATE = "masks_to_decide_between"
    TO_REVIEW = "predictions_to_review"
    JOBS = "running_jobs"
    FLAGGED = "flagged_cases"
    UNLABELLED = "cases_without_label"
    STUDY = "study_to_read"


@dataclass(frozen=True)
class WorkItem:
    """One thing that waits, with where to do it.

    Attributes:
        kind: What it is.
        what: What waits, in words, such as `masks to confirm`.
        number: How many wait; `MOST_COUNTED` + 1 means more than that.
        page: Page to do it on.
        params: Parameters of that page's address.
        total: Of how many, where that says something; a study's cases, say.
    """

    kind: WorkKind
    what: str
    number: int
    page: str
    params: tuple[tuple[str, str], ...] = ()
    total: int | None = None

    @property
    def number_text(self) -> str:
        """How many wait, as it is shown."""
        return many_text(self.number)


@dataclass(frozen=True)
class Progress:
    """How far the clinic is, in a handful of counts.

    Attributes:
        cases: All cases.
        cases_labelled: Cases with a label from histology (or from a colposcopy recorded as normal).
        images: All images.
        images_to_annotate: Acetic-acid images that show the cervix.
        images_annotated: Those of them with a submitted annotation of acetowhite epithelium.
        snapshots: Frozen snapshots.
        checkpoints: Trained checkpoints.
        current_checkpoint: Name of the clinic's current model, or None.
        simulated_cases: Cases that the program drew.
    """

    cases: int
    cases_labelled: int
    images: int
    images_to_annotate: int
    images_annotated: int
    snapshots: int
    checkpoints: int
    current_checkpoint: str | None
    simulated_cases: int


@dataclass(frozen=True)
class Worklist:
    """What waits for one person.

    Attributes:
        items: What waits, the most pressing first; nothing that counts 0.
        progress: How far the clinic is; None for a reader, who is told nothing of the cases.
    """

    items: tuple[WorkItem, ...]
    progress: Progress | None


class Acquaintance(StrEnum):
    """Whether a checkpoint has met a patient before."""

    SEEN = "seen"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class ModelFigures:
    """How one network of a checkpoint agrees with the labels of cases that it has met, or has not.

    Attributes:
        acquaintance: Whether the cases' patients stood in its training or validation.
        channels: 3 or 4.
        n_cases: Cases with a label and a prediction.
        n_patients: Patients behind them.
        figures: Agreement of its calls with the labels; `hsil` is positive.
    """

    acquaintance: Acquaintance
    channels: int
    n_cases: int
    n_patients: int
    figures: CallFigures


@dataclass(frozen=True)
class ModelAgreement:
    """How the clinic's current model agrees with the labels and with its reviewers.

    Attributes:
        checkpoint_name: The model.
        trained_on: What the labels rest on that it was trained with.
        compared_with: What the labels rest on that it is compared with here.
        trained_on_simulated: Whether it learned from images that the program drew.
        rows: Figures by acquaintance and network.
        n_cases_predicted: Cases with a prediction, labelled or not.
        reviews: How reviewers judged it.
        marks: What to mind of it.
    """

    checkpoint_name: str
    trained_on: LabelSource
    compared_with: LabelSource
    trained_on_simulated: bool
    rows: tuple[ModelFigures, ...]
    n_cases_predicted: int
    reviews: ReviewAgreement
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Dashboard:
    """The cohort in figures.

    Attributes:
        includes_simulated: Whether simulated cases were counted.
        patients: How many patients.
        cases: How many cases.
        images: How many images.
        simulated_cases: How many of the cases the program drew.
        grades: Cases by highest grade of their histology; None for those without any.
        labels: Cases by label from histology; None for excluded ones.
        impressions: Cases by label from an impression, which is no histology; None for incomplete scores.
        exclusions: Cases without a label, by reason, the most frequent first.
        stages: Images by stage.
        not_cervix: Images that do not show the cervix.
        annotation_states: Annotations by state.
        unannotated: Acetic-acid images that wait for their first annotation.
        agreement: The current model against the labels; None where none is promoted.
        problem: Why the agreement cannot be told although a model is promoted; else empty.
    """

    includes_simulated: bool
    patients: int
    cases: int
    images: int
    simulated_cases: int
    grades: tuple[tuple[Grade | None, int], ...]
    labels: tuple[tuple[Label | None, int], ...]
    impressions: tuple[tuple[Label | None, int], ...]
    exclusions: tuple[tuple[str, int], ...]
    stages: tuple[tuple[Stage, int], ...]
    not_cervix: int
    annotation_states: tuple[tuple[AnnotationState, int], ...]
    unannotated: int
    agreement: ModelAgreement | None
    problem: str = ""
