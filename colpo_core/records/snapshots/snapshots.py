"""Snapshots: what is asked for, what would be frozen, and what was."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.cases.images import AskedImage, Contradiction
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.terms import LabelSource, MaskPolicy, Split

_NAME_LENGTH = 80


def label_source_text(source: LabelSource) -> str:
    """What labels rest on, in the words that stand beside every figure from them."""
    if source is LabelSource.HISTOLOGY:
        return "labels by histology"
    return "labels by impression (Swede score ≥ 5), not histology"


def mask_policy_text(policy: MaskPolicy, annotator: str | None = None) -> str:
    """Which mask of an image counts, in the words that stand beside a snapshot and its models."""
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
        n_images: How many images carry a mask of theirs that training may use.
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
    origins = ", ".join(
        f"{by_split['total']} {origin}" for origin, by_split in counts.get("masks_by_origin", {}).items()
    )
    return mask_policy_text(policy, annotator) + (f" ({origins})" if origins else "")
