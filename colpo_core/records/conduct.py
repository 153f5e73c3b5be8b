"""Records of how a study was conducted: who was exposed to what, what was amended, what was refused."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from colpo_core.terms import AmendmentKind, ExposureKind, ExposureRule

KIND_WORDS = {
    ExposureKind.LABEL: "label",
    ExposureKind.HISTOLOGY: "histology",
    ExposureKind.PREDICTION: "prediction",
    ExposureKind.MASK: "mask",
    ExposureKind.ANNOTATED: "annotated",
    ExposureKind.READ: "read in another study",
}


@dataclass(frozen=True)
class ReaderExposure:
    """What one reader had seen of a study's cases outside of the study.

    Attributes:
        reader_id: The reader.
        display_name: The reader's name.
        n_cases: Cases of the study.
        n_exposed: Cases of which the reader had seen anything, up to now or to the closing.
        by_kind: The same by kind; a case may count under several.
        n_withheld: Cases that were not read because of that, where the design excludes them.
        n_flagged: Cases that were read after something of them was seen.
    """

    reader_id: int
    display_name: str
    n_cases: int
    n_exposed: int
    by_kind: tuple[tuple[ExposureKind, int], ...]
    n_withheld: int
    n_flagged: int

    @property
    def text(self) -> str:
        """The kinds with their counts, such as `label 3, mask 1`; `none` without any."""
        return ", ".join(f"{KIND_WORDS[kind]} {count}" for kind, count in self.by_kind) or "none"


@dataclass(frozen=True)
class AmendmentRecord:
    """A change to a sealed study.

    Attributes:
        id: Row of the amendment.
        at: When.
        by: Display name of who made it.
        kind: What was changed.
        change: The change itself.
        reason: Why.
        person: Display name of the reader that it is about, where it is about one.
    """

    id: int
    at: datetime
    by: str
    kind: AmendmentKind
    change: dict[str, Any]
    reason: str
    person: str = ""

    @property
    def text(self) -> str:
        """The change in words."""
        return {
            AmendmentKind.READER_ADDED: f"{self.person} was added to the readers",
            AmendmentKind.READER_REMOVED: f"{self.person} was taken off the readers; what was read stays",
            AmendmentKind.CLOSED_EARLY: f"closed early, with {self.change.get('missing')} readings missing",
            AmendmentKind.QUESTION_CORRECTED: (
                f"the question was “{self.change.get('before')}” and is “{self.change.get('after')}”"
            ),
        }[self.kind]


@dataclass(frozen=True)
class Refusal:
    """What a reader asked for during a study and was refused.

    Attributes:
        display_name: The reader.
        what: The address or page.
        times: How often.
        last_at: When last.
    """

    display_name: str
    what: str
    times: int
    last_at: datetime


@dataclass(frozen=True)
class StudyConduct:
    """How a study was conducted, to be printed with its results.

    Attributes:
        rule: What the design does with a case that a reader was exposed to.
        interim_results: Whether the design lets results be seen before the study is closed.
        n_interim_looks: How often they were.
        exposures: A line a reader.
        amendments: Changes since the seal, the oldest first.
        refusals: What readers were refused.
    """

    rule: ExposureRule
    interim_results: bool
    n_interim_looks: int = 0
    exposures: tuple[ReaderExposure, ...] = ()
    amendments: tuple[AmendmentRecord, ...] = ()
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the results must know first: sentences."""
        found = [
            f"{one.display_name} was not given {one.n_withheld} of {one.n_cases} cases, having been exposed to them "
            f"({one.text}): the set of this reader is incomplete, and what needs all cases leaves this reader out."
            for one in self.exposures
            if one.n_withheld
        ]
        found += [
            f"{one.display_name} read {one.n_flagged} of {one.n_cases} cases after an exposure to them ({one.text}); "
            "they are in the figures, and flagged in the export."
            for one in self.exposures
            if one.n_flagged
        ]
        if self.n_interim_looks:
            found.append(
                "Results were looked at before the study was closed, as the design allows: "
                f"{self.n_interim_looks} looks."
            )
        return tuple(found)
