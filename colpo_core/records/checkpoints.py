"""Records of learning's results: snapshots, checkpoints, predictions and their reviews."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.explanations import ImageEvidence, ProposedSite
from colpo_core.records.figures import Proportion
from colpo_core.terms import Grade, Label, LabelSource, MaskPolicy, ReviewReason, Split, Verdict

_NAME_LENGTH = 80


def label_source_text(source: LabelSource) -> str:
    """What labels rest on, in the words that stand beside every figure from them."""
    if source is LabelSource.HISTOLOGY:
        return "labels by histology"
    return "labels by impression (Swede score ≥ 5), not histology"


def mask_policy_text(policy: MaskPolicy, annotator: str | None = None) -> str:
    """Which mask of an image counts, in the words that stand beside a snapshot and its models.

    Args:
        policy: The policy.
        annotator: Who, for one annotator's masks.
    """
    return {
        MaskPolicy.NEWEST: "the newest mask of each image",
        MaskPolicy.ANNOTATOR: f"the masks of {annotator or 'one annotator'}",
        MaskPolicy.MAJORITY: "a majority of the annotators' masks",
        MaskPolicy.STAPLE: "STAPLE of the annotators' masks",
        MaskPolicy.ADJUDICATED: "adjudicated masks",
    }[policy]


@dataclass(frozen=True)
class SnapshotQuery:
    """What to freeze.

    Attributes:
        name: Name of the snapshot, unique in the store.
        label_source: What labels rest on; `impression` has to be asked for by name.
        fractions: Share of patients wished for train, validation and test.
        seed: Seed of the split.
        include_simulated: Whether cases that the program drew take part.
        mask_policy: Which mask of an image counts.
        mask_annotator_id: Whose masks count, for the policy `annotator` alone.
        external: Whether it is an external test set: all of it stands in test whatever `fractions` says, no training
            may start on it, and its patients stand in no other snapshot from then on.
        patient_codes: Codes of the patients who take part, whatever their upper and lower case; all when empty.
        date_from: First day of the examinations that take part, or None.
        date_to: Last day, or None.
    """

    name: str
    label_source: LabelSource = LabelSource.HISTOLOGY
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    seed: int = 0
    include_simulated: bool = True
    mask_policy: MaskPolicy = MaskPolicy.NEWEST
    mask_annotator_id: int | None = None
    external: bool = False
    patient_codes: tuple[str, ...] = ()
    date_from: date | None = None
    date_to: date | None = None

    def __post_init__(self) -> None:
        """Bring it into its one form and check what can be checked without the store.

        Raises:
            InputRejected: The name is empty or too long, the policy lacks its annotator, or the days are reversed.
        """
        object.__setattr__(self, "name", self.name.strip())
        codes = {code.strip().lower() for code in self.patient_codes}
        object.__setattr__(self, "patient_codes", tuple(sorted(codes - {""})))
        if self.external:
            object.__setattr__(self, "fractions", (0.0, 0.0, 1.0))
        if self.date_from is not None and self.date_to is not None and self.date_from > self.date_to:
            raise InputRejected("The first day of the examinations lies after the last. Exchange them.")
        if not 1 <= len(self.name) <= _NAME_LENGTH:
            raise InputRejected(f"Give the snapshot a name of 1 to {_NAME_LENGTH} characters.")
        if self.mask_policy is MaskPolicy.ANNOTATOR and self.mask_annotator_id is None:
            raise InputRejected("Name the annotator whose masks the snapshot takes.")
        if self.mask_policy is not MaskPolicy.ANNOTATOR and self.mask_annotator_id is not None:
            raise InputRejected("An annotator is named only where the snapshot takes one annotator's masks.")

    @property
    def is_restricted(self) -> bool:
        """Whether it takes some patients or days alone."""
        return bool(self.patient_codes) or self.date_from is not None or self.date_to is not None


@dataclass(frozen=True)
class MaskAuthor:
    """A person with submitted masks of acetowhite epithelium, who may be chosen for a snapshot.

    Attributes:
        person_id: Row of the person.
        name: Display name.
        n_images: How many images carry a mask of hers that training may use.
    """

    person_id: int
    name: str
    n_images: int


@dataclass(frozen=True)
class SnapshotPreview:
    """What a query would freeze now.

    Attributes:
        sha256: Hash that the snapshot would have.
        counts: As `Manifest.counts` gives them.
        simulated: Whether any image was drawn by the program.
        equals: Name of the snapshot that holds the same content already, or None.
        problems: Why a training on it could not start; empty when it could, and for an external test set.
        warnings: What its figures would lack.
        mask_policy: Which mask of an image counts.
        mask_annotator: Display name of whose masks count, for the policy `annotator`; None elsewhere.
        external: Whether it would be an external test set.
    """

    sha256: str
    counts: dict[str, Any]
    simulated: bool
    equals: str | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    mask_policy: MaskPolicy
    mask_annotator: str | None
    external: bool

    @property
    def masks_text(self) -> str:
        """Which masks it would take, and how many of each origin."""
        return _masks_text(self.mask_policy, self.mask_annotator, self.counts)


@dataclass(frozen=True)
class SnapshotRecord:
    """A frozen list of images, masks and labels with their split.

    Attributes:
        id: Row of the snapshot.
        name: Its name.
        sha256: Hash of its manifest, by which the blob is found.
        label_source: What its labels rest on.
        rules_version: Which version of the rules labelled it.
        seed: Seed of its split.
        counts: As `Manifest.counts` gives them.
        simulated: Whether any image was drawn by the program.
        mask_policy: Which mask of an image counts.
        mask_annotator_id: Row of whose masks count, for the policy `annotator`; None elsewhere.
        mask_annotator: Display name of that person.
        created_by: Display name of who froze it.
        created_at: When.
        external: Whether it is an external test set, on which nothing is trained.
    """

    id: int
    name: str
    sha256: str
    label_source: LabelSource
    rules_version: str
    seed: int
    counts: dict[str, Any]
    simulated: bool
    mask_policy: MaskPolicy
    mask_annotator_id: int | None
    mask_annotator: str | None
    created_by: str
    created_at: datetime
    external: bool

    @property
    def masks_text(self) -> str:
        """Which masks it holds, and how many of each origin."""
        return _masks_text(self.mask_policy, self.mask_annotator, self.counts)

    def count(self, what: str, split: Split | None = None) -> int:
        """How many `images`, `cases`, `patients` or `masks` there are, on one side or in all."""
        return int(self.counts[what]["total" if split is None else split.value])


def _masks_text(policy: MaskPolicy, annotator: str | None, counts: dict[str, Any]) -> str:
    # A snapshot of an older version did not count its masks by origin.
    origins = ", ".join(f"{found['total']} {origin}" for origin, found in counts.get("masks_by_origin", {}).items())
    return mask_policy_text(policy, annotator) + (f" ({origins})" if origins else "")


@dataclass(frozen=True)
class CheckpointRecord:
    """Trained weights with what made them.

    Attributes:
        id: Row of the checkpoint.
        name: Its name, and its folder's.
        sha256: Hash of its card and weights.
        snapshot_id: What it was trained on.
        snapshot_name: That snapshot's name.
        job_id: The training that made it.
        label_source: What the labels behind every one of its figures rest on.
        simulated: Whether it learned from images that the program drew.
        card: The model card: settings, metrics, thresholds, limits.
        created_at: When it was published.
        promoted_at: When it was promoted last, or None.
        is_current: Whether it is the clinic's current model.
    """

    id: int
    name: str
    sha256: str
    snapshot_id: int
    snapshot_name: str
    job_id: int | None
    label_source: LabelSource
    simulated: bool
    card: dict[str, Any]
    created_at: datetime
    promoted_at: datetime | None
    is_current: bool


@dataclass(frozen=True)
class PromotionRecord:
    """One line of the promotion history.

    Attributes:
        id: Row of the promotion.
        checkpoint_id: Which checkpoint.
        checkpoint_name: Its name.
        promoted_by: Display name of who promoted it.
        reason: Why, with what was overruled and why, where it was.
        at: When.
        overruled: The doubts that held it back and were overruled.
    """

    id: int
    checkpoint_id: int
    checkpoint_name: str
    promoted_by: str
    reason: str
    at: datetime
    overruled: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvaluationRecord:
    """One look at how a checkpoint does on an external test set.

    Attributes:
        id: Row of the evaluation.
        checkpoint_id: Which checkpoint.
        snapshot_id: Row of the external test set.
        snapshot_name: Its name.
        metrics: Figures in the form of a card's.
        created_by: Display name of who looked.
        created_at: When.
        look: The how manyth look at that set this was, by anybody, with any checkpoint.
    """

    id: int
    checkpoint_id: int
    snapshot_id: int
    snapshot_name: str
    metrics: dict[str, Any]
    created_by: str
    created_at: datetime
    look: int


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

    @property
    def call_3ch(self) -> Label:
        """The 3-channel network's call at its frozen threshold."""
        return Label.HSIL if self.prob_hsil_3ch >= self.threshold_3ch else Label.NORMAL

    @property
    def call_4ch(self) -> Label:
        """The 4-channel network's call at its frozen threshold."""
        return Label.HSIL if self.prob_hsil_4ch >= self.threshold_4ch else Label.NORMAL


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
        in_expert_mask: The maps beside the newest annotated mask that I may see; None where there is none, or it is
            empty.
        expert: Who annotated that mask; empty without one.
        expert_version_id: Row of the version that holds that mask.
        sites: Places that are proposed for a biopsy, by the 4-channel map for HSIL inside the model's mask.
        has_cervix: Whether their hours are read from an outline of the cervix; else from the middle of the image.
        problems: What of it cannot be shown, and why: a file that is missing or damaged.
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
    expert_version_id: int | None = None
    sites: tuple[ProposedSite, ...] = ()
    has_cervix: bool = False
    problems: tuple[str, ...] = ()

    @property
    def empty_maps(self) -> frozenset[str]:
        """Names of the maps that show no positive evidence."""
        return frozenset(name for name, strength in self.map_strengths.items() if strength == 0)


@dataclass(frozen=True)
class ReviewQueue:
    """One page of predictions that wait for me.

    Attributes:
        rows: The predictions.
        next_after: Row to hand over for the next page; None on the last.
        waiting: How many wait in all.
        checkpoint_name: Whose they are, or None where no checkpoint is promoted.
        n_kept_back: How many more wait, of images that I have yet to paint in a task without proposals.
    """

    rows: tuple[PredictionRecord, ...]
    next_after: int | None
    waiting: int
    checkpoint_name: str | None
    n_kept_back: int = 0
