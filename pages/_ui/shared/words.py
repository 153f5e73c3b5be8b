"""Words and colours that several screens share."""

from collections.abc import Sequence
from datetime import date

from colpo_core.labels import GRADE_NAMES
from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.colours import OVERLAYS
from colpo_core.terms import (
    AnnotationState,
    Finding,
    Grade,
    Label,
    Stage,
)

FINDINGS = {
    Finding.ACETOWHITE: "Acetowhite epithelium",
    Finding.MOSAIC: "Mosaic",
    Finding.PUNCTATION: "Punctation",
    Finding.ATYPICAL_VESSELS: "Atypical vessels",
    Finding.SQUAMOCOLUMNAR_JUNCTION: "Squamocolumnar junction",
    Finding.CERVIX: "Cervix outline",
}

STAGES = {
    Stage.NATIVE: "Native",
    Stage.ACETIC_ACID: "Acetic acid",
    Stage.GREEN_FILTER: "Green filter",
    Stage.LUGOL: "Lugol's iodine",
}


def stage_text(image: ImageRecord) -> str:
    """Such as `Acetic acid, 60 s`."""
    seconds = "" if image.seconds_after_acid is None else f", {image.seconds_after_acid}\u00a0s"
    return STAGES[image.stage] + seconds


def area_text(share: float) -> str:
    """Such as `3.4% of the image`, or that nothing is marked."""
    return f"{share:.1%} of the image" if share else "nothing marked"


def time_text(active_ms: int | float) -> str:
    """Milliseconds for reading, such as `42 s`, `3 min 05 s` or `1 h 02 min`."""
    minutes, seconds = divmod(round(active_ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}\u00a0h {minutes:02}\u00a0min"
    return f"{minutes}\u00a0min {seconds:02}\u00a0s" if minutes else f"{seconds}\u00a0s"


def joined(words: Sequence[str]) -> str:
    """Words in a row, such as `one, two and three`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


LABELS = {Label.NORMAL: "Normal", Label.HSIL: "HSIL", None: "Excluded"}
STATES = {
    AnnotationState.TO_CONFIRM: "to confirm",
    AnnotationState.DRAFT: "draft",
    AnnotationState.SUBMITTED: "submitted",
    AnnotationState.REJECTED: "rejected",
}
GRADE_COLOURS = {
    Grade.NORMAL: "#2e7d4f",
    Grade.CHRONIC_CERVICITIS: "#5b7a2c",
    Grade.CIN1: "#8a6d00",
    Grade.CIN2: "#c2570c",
    Grade.CIN3: "#c62828",
    Grade.ADENOCARCINOMA_IN_SITU: "#8e24aa",
    Grade.INVASIVE_CARCINOMA: "#5e0f6b",
}


def grade_text(grade: Grade | None) -> str:
    """A grade for reading, such as `CIN2` or `Chronic cervicitis`; a dash where there is none."""
    if grade is None:
        return "–"
    name = GRADE_NAMES[grade]
    return name[0].upper() + name[1:]


def date_text(day: date | None) -> str:
    """A day for reading."""
    return "no date" if day is None else day.isoformat()


def colour_name(index: int) -> str:
    """The name of the colour of the mask at a place, from 0; they come round again after the last."""
    names = list(OVERLAYS)
    return names[index % len(names)]


GRADES = {grade: grade_text(grade) for grade in Grade}
