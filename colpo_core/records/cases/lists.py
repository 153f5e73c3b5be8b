"""Lists of cases: which ones, in which order, and what a row of them shows.

A filter and an order are written as words, such as `{"grade": "cin3", "sort": "probability"}`: in the address of a
page, in the views that people keep, and in links from figures to the cases behind them.
"""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.models.marks import Mark
from colpo_core.terms import AnnotationState, Grade, Label, Outcome, ReviewState

MOST_FROM_HERE = 500
"""So many cases of a list at most are counted."""
MOST_SELECTED = 5_000
"""So many cases can be selected at once."""
CasePlace = tuple[datetime | date | float, int]
"""Where a row stands in a list: its value in the list's order, and the case's row."""


class AnnotationNeed(StrEnum):
    """By how far its annotations are, a case is found; the first word means an image that nobody has annotated."""

    NONE = "none"
    DRAFT = "draft"
    TO_CONFIRM = "to_confirm"
    SUBMITTED = "submitted"
    REJECTED = "rejected"


class LabelChoice(StrEnum):
    """By its label from histology, a case is found; an excluded case has none, and an unlabelled one is not flagged."""

    NORMAL = "normal"
    HSIL = "hsil"
    EXCLUDED = "excluded"
    UNLABELLED = "unlabelled"
    FLAGGED = "flagged"


class OutcomeChoice(StrEnum):
    """By the current model's call against histology, a case is found."""

    WRONG = "wrong"
    RIGHT = "right"
    TRUE_POSITIVE = Outcome.TRUE_POSITIVE.value
    FALSE_POSITIVE = Outcome.FALSE_POSITIVE.value
    TRUE_NEGATIVE = Outcome.TRUE_NEGATIVE.value
    FALSE_NEGATIVE = Outcome.FALSE_NEGATIVE.value

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes that it means."""
        if self is OutcomeChoice.WRONG:
            return (Outcome.FALSE_POSITIVE, Outcome.FALSE_NEGATIVE)
        if self is OutcomeChoice.RIGHT:
            return (Outcome.TRUE_POSITIVE, Outcome.TRUE_NEGATIVE)
        return (Outcome(self.value),)


class CaseSort(StrEnum):
    """The order of a list."""

    NEWEST = "newest"
    EXAMINED = "examined"
    PROBABILITY = "probability"
    UNCERTAINTY = "uncertainty"
    DISAGREEMENT = "disagreement"

    @property
    def has_all(self) -> bool:
        """Whether every case has a place in it; else those without a figure are left out."""
        return self in (CaseSort.NEWEST, CaseSort.EXAMINED)


@dataclass(frozen=True)
class CaseFilter:
    """Which cases a list shows; what is None does not narrow it.

    Attributes:
        patient_code: Beginning of the patient's code, upper or lower case alike.
        grade: Highest grade of the histology.
        label: Label from histology, or its absence.
        annotation: How far the annotations are: at least one image is that far.
        simulated: Only simulated cases, or only others.
        outcome: The current model's call against the label.
        networks_differ: Whether the networks of 3 and 4 channels call it differently.
        uncertain_within: The 4-channel probability lies at most so far from its threshold.
        dice_below: Two annotators of one image agree less than this Dice.
        review: How far reviewers are with the current model's predictions.
        reviewer_id: Somebody who has given a verdict on them.
        examined_from: First day of the examination, or of coming in where that is unknown.
        examined_to: Last such day.
        device: The colposcope.
        case_ids: Only these rows of cases.
    """

    patient_code: str = ""
    grade: Grade | None = None
    label: LabelChoice | None = None
    annotation: AnnotationNeed | None = None
    simulated: bool | None = None
    outcome: OutcomeChoice | None = None
    networks_differ: bool | None = None
    uncertain_within: float | None = None
    dice_below: float | None = None
    review: ReviewState | None = None
    reviewer_id: int | None = None
    examined_from: date | None = None
    examined_to: date | None = None
    device: str | None = None
    case_ids: tuple[int, ...] | None = None

    @property
    def asks_model(self) -> bool:
        """Whether it asks for what the model says."""
        return any(
            value is not None
            for value in (self.outcome, self.networks_differ, self.uncertain_within, self.review, self.reviewer_id)
        )


@dataclass(frozen=True)
class CaseRow:
    """One case as a list shows it.

    Attributes:
        id: Row of the case.
        patient_code: Pseudonymous code.
        case_date: Day of the examination.
        n_images: Images of all stages.
        first_image_id: Image for the thumbnail: the first with acetic acid, else the first.
        n_unannotated: Acetic-acid images that show the cervix and that nobody has annotated.
        annotation_states: How many annotations are how far.
        grade: Highest grade of the histology.
        label: Label from histology.
        reason: Why.
        flagged: Whether a clinician must look.
        simulated: Whether the program drew it.
        created_at: When it came in.
        device: The colposcope.
        prob_hsil_4ch: The current model's mean probability over its acetic-acid images; None without a prediction, and
            where it is kept back from the one who asks. So are the next three.
        outcome: Its call against the label.
        networks_differ: Whether both networks call it differently.
        review: How far reviewers are with it.
        lowest_dice: The lowest Dice of two of its annotators; None where there are no two, or they are kept back.
    """

    id: int
    patient_code: str
    case_date: date | None
    n_images: int
    first_image_id: int | None
    n_unannotated: int
    annotation_states: dict[AnnotationState, int]
    grade: Grade | None
    label: Label | None
    reason: str
    flagged: bool
    simulated: bool
    created_at: datetime
    device: str | None = None
    prob_hsil_4ch: float | None = None
    outcome: Outcome | None = None
    networks_differ: bool | None = None
    review: ReviewState | None = None
    lowest_dice: float | None = None


@dataclass(frozen=True)
class CasePage:
    """One page of a list.

    Attributes:
        rows: The cases, in the list's order.
        next_after: What to hand over for the next page; None on the last.
        n_from_here: How many cases the list has from this page on, `MOST_FROM_HERE` meaning that many or more.
        n_uncompared: Where the list asks how annotators agree: how many cases are not compared yet, and not in it.
        model_marks: What to mind of the current model, whose probabilities stand in the rows.
    """

    rows: tuple[CaseRow, ...]
    next_after: CasePlace | None
    n_from_here: int
    n_uncompared: int = 0
    model_marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class ListChoices:
    """What the filters of a list offer.

    Attributes:
        devices: The colposcopes that cases name.
        reviewers: Row and name of everybody who has given a verdict on the current model.
    """

    devices: tuple[str, ...]
    reviewers: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class ViewRecord:
    """A list that somebody keeps under a name."""

    id: int
    name: str
    where: CaseFilter
    sort: CaseSort


def _yes_or_no(word: str) -> bool:
    if word not in ("yes", "no"):
        raise ValueError(word)
    return word == "yes"


def _row(word: str) -> int:
    if not (word.isascii() and word.isdecimal() and len(word) <= 18):
        raise ValueError(word)
    return int(word)


def _share(word: str) -> float:
    value = float(word)
    if not 0 <= value <= 1:
        raise ValueError(word)
    return value


# Name in an address -> attribute of the filter, and how its word is read.
_WORDS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "code": ("patient_code", str),
    "grade": ("grade", Grade),
    "label": ("label", LabelChoice),
    "annotation": ("annotation", AnnotationNeed),
    "simulated": ("simulated", _yes_or_no),
    "model": ("outcome", OutcomeChoice),
    "flip": ("networks_differ", _yes_or_no),
    "uncertain": ("uncertain_within", _share),
    "dice": ("dice_below", _share),
    "review": ("review", ReviewState),
    "reviewer": ("reviewer_id", _row),
    "from": ("examined_from", date.fromisoformat),
    "to": ("examined_to", date.fromisoformat),
    "device": ("device", str),
}


FILTER_WORDS = (*_WORDS, "month", "sort")
"""The names of an address that `from_words` reads."""


def to_words(where: CaseFilter, sort: CaseSort = CaseSort.NEWEST) -> dict[str, str]:
    """A filter and an order as words; a selection of cases has none, and is left out."""
    words = {}
    for name, (attribute, _read) in _WORDS.items():
        value = getattr(where, attribute)
        if value is not None and value != "":
            words[name] = _word(value)
    if sort is not CaseSort.NEWEST:
        words["sort"] = sort.value
    return words


def from_words(words: Mapping[str, str]) -> tuple[CaseFilter, CaseSort]:
    """The filter and the order that words name. `month=2026-03` stands for its first and last day.

    Other names are not looked at, since an address also holds what is not a filter.

    Raises:
        InputRejected: A word is not one of those that can stand there.
    """
    chosen: dict[str, Any] = {}
    for name, word in words.items():
        if name in _WORDS:
            attribute, read = _WORDS[name]
            try:
                chosen[attribute] = read(word)
            except ValueError as error:
                raise InputRejected(f"“{word}” is not something that the filter “{name}” can be.") from error
    if "month" in words:
        chosen["examined_from"], chosen["examined_to"] = _month(words["month"])
    try:
        sort = CaseSort(words.get("sort", CaseSort.NEWEST.value))
    except ValueError as error:
        raise InputRejected(f"“{words['sort']}” is no order of a list of cases.") from error
    return CaseFilter(**chosen), sort


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _month(word: str) -> tuple[date, date]:
    try:
        first = date.fromisoformat(f"{word}-01")
    except ValueError as error:
        raise InputRejected(f"“{word}” is no month. Write it as 2026-03.") from error
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
