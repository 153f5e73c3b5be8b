"""A study's design: what is read, by whom, against what. Its hash is the seal, taken before the first reading."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.records.typed_json import canonical_json, from_values, to_values
from colpo_core.terms import Arm, Label, LabelSource, Stage

# Designs from before reading plans keep the first format, so that their seal still fits.
FORMAT_BEFORE_PLANS = 1
FORMAT = 2
LEAST_CASES = 2
MOST_CASES = 5000


@dataclass(frozen=True)
class DesignCase:
    """A case of a study.

    Attributes:
        case_id: Row of the case.
        image_id: Row of the one image that is shown for it.
        image_sha256: Hash of that image's file.
        truth: The reference standard when the study was sealed.
    """

    case_id: int
    image_id: int
    image_sha256: str
    truth: Label


@dataclass(frozen=True)
class DesignImage:
    """Another image of a case, which readers may look at beside the one that is read.

    Attributes:
        case_id: Row of the case.
        image_id: Row of the image.
        image_sha256: Hash of its file.
        stage: When it was taken.
    """

    case_id: int
    image_id: int
    image_sha256: str
    stage: Stage


@dataclass(frozen=True)
class DesignCheckpoint:
    """A checkpoint that is compared with the readers; its hash covers its weights and its thresholds."""

    checkpoint_id: int
    sha256: str


@dataclass(frozen=True)
class StudyDesign:
    """All that is fixed before the first reading. Equal designs have equal bytes, in whatever order they were given.

    Attributes:
        name: The study's name.
        question: What it is to answer.
        chosen_by: How the cases were chosen, in words.
        left_out: How many cases were considered and left out, by reason.
        seed: Seed of the readers' orders.
        rules_versions: Versions of the labelling rules behind the truths.
        cases: The cases.
        reader_ids: Who reads.
        checkpoints: What is compared with the readers.
        label_source: What the truths rest on.
        arm: What the readers see beside the image.
        plan: Sessions, washout, repeats and endpoint; None in a study from before plans, which is read once.
        practice: Cases with which a reader practises first, with feedback; none of them is among the cases.
        others: Other images that readers may look at, where the plan shows them.
    """

    name: str
    question: str
    chosen_by: str
    left_out: tuple[tuple[str, int], ...]
    seed: int
    rules_versions: tuple[str, ...]
    cases: tuple[DesignCase, ...]
    reader_ids: tuple[int, ...]
    checkpoints: tuple[DesignCheckpoint, ...] = ()
    label_source: LabelSource = LabelSource.HISTOLOGY
    arm: Arm = Arm.UNAIDED
    plan: ReadingPlan | None = None
    practice: tuple[DesignCase, ...] = ()
    others: tuple[DesignImage, ...] = ()

    def __post_init__(self) -> None:
        """Bring the lists into their one order and check that nothing stands twice.

        Raises:
            ValueError: A case, an image, a reader or a checkpoint stands twice.
        """
        put = object.__setattr__
        put(self, "left_out", tuple(sorted((str(reason), int(count)) for reason, count in self.left_out)))
        put(self, "rules_versions", tuple(sorted(set(self.rules_versions))))
        put(self, "cases", tuple(sorted(self.cases, key=lambda case: case.case_id)))
        put(self, "reader_ids", tuple(sorted(self.reader_ids)))
        put(self, "checkpoints", tuple(sorted(self.checkpoints, key=lambda compared: compared.checkpoint_id)))
        put(self, "practice", tuple(sorted(self.practice, key=lambda case: case.case_id)))
        put(self, "others", tuple(sorted(self.others, key=lambda image: image.image_id)))
        _check_once("case", (case.case_id for case in (*self.cases, *self.practice)))
        _check_once("image", (case.image_id for case in self.cases))
        _check_once("reader", self.reader_ids)
        _check_once("checkpoint", (compared.checkpoint_id for compared in self.checkpoints))

    def to_dict(self) -> dict[str, Any]:
        """The design as plain values, for the store."""
        values: dict[str, Any] = json.loads(self.to_json())
        return values

    def to_json(self) -> bytes:
        """Canonical UTF-8 JSON: sorted keys, no blanks, lists in their one order."""
        content = {"format": FORMAT, **to_values(self)}
        if self.plan is None and not self.practice:
            content["format"] = FORMAT_BEFORE_PLANS
            del content["plan"], content["practice"]
        if not self.others:
            del content["others"]
        if self.plan is not None:
            # A plan from before the ledger or before the aid has no such values, and its seal still fits.
            later = {
                "exposed": None,
                "interim_results": None,
                "aid": Aid.NONE,
                "aid_checkpoint_id": None,
                "asks_points": False,
                "asks_findings": False,
                "shows_stages": False,
                "crossover": True,
            }
            content["plan"] = {
                name: value for name, value in content["plan"].items() if name not in later or value != later[name]
            }
        return canonical_json(content)

    @property
    def how(self) -> ReadingPlan:
        """How the study is read, also where it is from before plans."""
        return self.plan or ReadingPlan()

    @property
    def sha256(self) -> str:
        """Hash of the canonical bytes: the seal."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def check(self) -> None:
        """Check that the design can answer anything.

        Raises:
            InputRejected: It cannot; the message names every reason.
        """
        problems = find_problems(len(self.reader_ids), [case.truth for case in self.cases])
        if problems:
            raise InputRejected(" ".join(problems))


@dataclass(frozen=True)
class StoredImage:
    """An image that a stored design names; what else is known of it is read from the tables."""

    image_id: int


@dataclass(frozen=True)
class StoredDesign:
    """What of a design the store keeps as JSON alone; all else is read from the tables, and sealed as they hold it.

    Attributes:
        chosen_by: As in `StudyDesign`, as all others.
        left_out: Likewise.
        rules_versions: Empty in a study from before they were kept.
        plan: None in a study from before plans, which is read once.
        others: The other images that readers may look at.
    """

    chosen_by: str = ""
    left_out: tuple[tuple[str, int], ...] = ()
    rules_versions: tuple[str, ...] = ()
    plan: ReadingPlan | None = None
    others: tuple[StoredImage, ...] = ()


def stored_design(values: dict[str, Any]) -> StoredDesign:
    """What `StudyDesign.to_dict` gave to the store.

    Raises:
        InputRejected: The values are no design.
    """
    return from_values(StoredDesign, values, name="the design of a study")


def find_problems(n_readers: int, truths: Iterable[Label]) -> tuple[str, ...]:
    """Why a study cannot be sealed: one sentence a reason, none where it can."""
    counts = Counter(truths)
    n_cases = counts.total()
    problems = []
    if n_readers < 1:
        problems.append("A study needs at least one reader: choose a person whose role is reader.")
    if n_cases < LEAST_CASES:
        problems.append(f"A study needs at least {LEAST_CASES} cases with a label by histology, not {n_cases}.")
    elif not all(counts[label] for label in Label):
        only = next(label for label in Label if counts[label])
        problems.append(
            f"Every case of the study is {only.value}, so sensitivity or specificity cannot be measured: "
            "add cases of the other class."
        )
    if n_cases > MOST_CASES:
        problems.append(f"A study takes at most {MOST_CASES:,} cases, not {n_cases:,}: choose fewer.")
    return tuple(problems)


def _check_once(name: str, ids: Iterable[int]) -> None:
    twice = [number for number, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f"{name} {twice[0]} stands twice in the design")
