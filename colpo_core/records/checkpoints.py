"""Records of learning's results: snapshots, checkpoints, predictions and their reviews."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.images import AskedImage, Contradiction
from colpo_core.records.model_marks import Mark, model_marks
from colpo_core.records.shortcuts import ShortcutReport
from colpo_core.terms import LabelSource, MaskPolicy, Split

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
        contradictions: Copies of one photograph in cases whose labels contradict each other; neither is taken.
        asked: Images of the patients and days that are asked for about which something is asked.
        shortcuts: What the label can be told from that has nothing to do with the cervix.
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
    contradictions: tuple[Contradiction, ...] = ()
    asked: tuple[AskedImage, ...] = ()
    shortcuts: ShortcutReport = field(default_factory=ShortcutReport)

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
        shortcuts: What came of the last search for shortcuts in it; None where an earlier version froze it and nobody
            has asked since.
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
    shortcuts: ShortcutReport | None = None

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

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What to mind of it, wherever its output or its figures are shown."""
        return model_marks(self.card, label_source=self.label_source, simulated=self.simulated)


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
        unchecked: What could not be checked then.
    """

    id: int
    checkpoint_id: int
    checkpoint_name: str
    promoted_by: str
    reason: str
    at: datetime
    overruled: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromotionChecks:
    """What was asked before a promotion.

    Attributes:
        doubts: What speaks against it; an administrator may overrule it in writing.
        unchecked: What could not be checked, and why: nothing is known of it either way.
    """

    doubts: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The one sentence that says how it came out."""
        if self.doubts:
            return "This speaks against it:"
        if self.unchecked:
            return "Nothing that was checked speaks against it, but not everything could be checked."
        return "Nothing speaks against it."


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
