"""What a model learned from, said wherever its output is shown: one list of marks for screens, files and commands."""

from dataclasses import dataclass
from enum import StrEnum

from colpo_core.records.models.cards import Block, calibration_share, leaks
from colpo_core.terms import LabelSource


class MarkKind(StrEnum):
    """Why output of a model is to be read with care."""

    LEAKS = "leaks"
    SIMULATED = "simulated"
    IMPRESSION = "impression"
    UNCALIBRATED = "uncalibrated"


@dataclass(frozen=True)
class Mark:
    """One mark.

    Attributes:
        kind: What it is about.
        text: What stands in capitals beside the output.
        meaning: The same in a sentence.
    """

    kind: MarkKind
    text: str
    meaning: str


NOT_CALIBRATED_TEXT = (
    "Its probabilities are not calibrated for a clinic's share of HSIL: it was taught both labels as equally frequent, "
    "so they are too high wherever HSIL is the rarer one. Its calls are not affected. Train again for calibrated ones."
)
_MARKS = {
    MarkKind.SIMULATED: (
        "SIMULATED",
        "Images that it learned from were drawn by the program: what it says of a patient must not be relied on.",
    ),
    MarkKind.IMPRESSION: (
        "BY IMPRESSION, NOT HISTOLOGY",
        "It learned from colposcopic impressions, not from histology.",
    ),
    MarkKind.UNCALIBRATED: ("NOT CALIBRATED", NOT_CALIBRATED_TEXT),
}


SIMULATED_IMAGE = Mark(MarkKind.SIMULATED, "SIMULATED", "The image itself was drawn by the program.")


def model_marks(card: Block, *, label_source: LabelSource, simulated: bool) -> tuple[Mark, ...]:
    """The marks of a model, and of figures from it.

    Args:
        card: The model's card, of this or an earlier version.
        label_source: What the labels rest on that it learned from, or that the figures are against.
        simulated: Whether it learned from images that the program drew, or the figures are on such.
    """
    leaking = [Mark(MarkKind.LEAKS, "LEAKS", " ".join(sentences))] if (sentences := leaks(card)) else []
    holds = {
        MarkKind.SIMULATED: simulated,
        MarkKind.IMPRESSION: label_source is LabelSource.IMPRESSION,
        MarkKind.UNCALIBRATED: calibration_share(card) is None,
    }
    return (*leaking, *(Mark(kind, *_MARKS[kind]) for kind, is_so in holds.items() if is_so))


def marks_of_card(card: Block) -> tuple[Mark, ...]:
    """The marks of a model by its card alone, as in a checkpoint's folder."""
    source = LabelSource(card.get("label_source", LabelSource.HISTOLOGY))
    return model_marks(card, label_source=source, simulated=bool(card.get("simulated")))


def marks_text(marks: tuple[Mark, ...], *, without: tuple[MarkKind, ...] = ()) -> str:
    """The marks in a line: `LEAKS · SIMULATED`; empty without any.

    Args:
        marks: As `model_marks` gives them.
        without: Kinds that are told in other words beside the line.
    """
    return " · ".join(mark.text for mark in marks if mark.kind not in without)
