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
class ChangedLabels:
    """Cases whose label by histology is another one than the truth that the study holds.

    Attributes:
        n_cases: Cases of the study.
        to_hsil: Normal in the study, HSIL by the label.
        to_normal: HSIL in the study, normal by the label.
        lost: With a truth in the study, and no label by histology any more.
    """

    n_cases: int
    to_hsil: int = 0
    to_normal: int = 0
    lost: int = 0

    @property
    def n(self) -> int:
        """All of them."""
        return self.to_hsil + self.to_normal + self.lost

    @property
    def text(self) -> str:
        """How many of each, such as `1 from normal to HSIL, 2 have no label any more`."""
        parts = (
            (self.to_hsil, "from normal to HSIL"),
            (self.to_normal, "from HSIL to normal"),
            (self.lost, "to no label by histology"),
        )
        return ", ".join(f"{count} {words}" for count, words in parts if count)


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
        cautions: What of the plan weakens what the study can show, in sentences.
        relabelled: Of a sealed study, cases whose label by histology has changed since the seal; None for a draft.
        relabelled_at_closing: The same when the study was closed, where that was written down.
    """

    rule: ExposureRule
    interim_results: bool
    n_interim_looks: int = 0
    exposures: tuple[ReaderExposure, ...] = ()
    amendments: tuple[AmendmentRecord, ...] = ()
    refusals: tuple[Refusal, ...] = field(default=())
    cautions: tuple[str, ...] = ()
    relabelled: ChangedLabels | None = None
    relabelled_at_closing: int | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the results must know first: sentences."""
        warnings = [*self.cautions, *self._on_labels()]
        warnings += [
            f"{reader.display_name} was not given {reader.n_withheld} of {reader.n_cases} cases, having been exposed "
            f"to them ({reader.text}): the set of this reader is incomplete, and what needs all cases leaves this "
            "reader out."
            for reader in self.exposures
            if reader.n_withheld
        ]
        warnings += [
            f"{reader.display_name} read {reader.n_flagged} of {reader.n_cases} cases after an exposure to them "
            f"({reader.text}); they are in the figures, and flagged in the export."
            for reader in self.exposures
            if reader.n_flagged
        ]
        if self.n_interim_looks:
            warnings.append(
                "Results were looked at before the study was closed, as the design allows: "
                f"{self.n_interim_looks} looks."
            )
        return tuple(warnings)

    def _on_labels(self) -> tuple[str, ...]:
        changed = self.relabelled
        if changed is None or not changed.n:
            return ()
        said = (
            f"Since the seal the label by histology of {changed.n} of {changed.n_cases} cases has changed "
            f"({changed.text}). The figures rest on the labels that were sealed."
        )
        if self.relabelled_at_closing is not None and self.relabelled_at_closing != changed.n:
            said += f" When the study was closed it was {self.relabelled_at_closing}."
        return (said,)
