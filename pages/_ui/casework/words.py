"""How the pages of cases say things."""

from datetime import date

from colpo_core.labels import GRADE_NAMES
from colpo_core.records.cases import AnnotationNeed, LabelChoice
from colpo_core.terms import AnnotationState, Colposcopy, Grade, HivStatus, Label, MenopausalState, SpecimenKind

LABELS = {Label.NORMAL: "Normal", Label.HSIL: "HSIL", None: "Excluded"}
LABEL_CHOICES = {
    LabelChoice.NORMAL: "Normal",
    LabelChoice.HSIL: "HSIL",
    LabelChoice.EXCLUDED: "Excluded",
    LabelChoice.UNLABELLED: "Excluded, for want of histology",
    LabelChoice.FLAGGED: "Flagged for a clinician",
}
ANNOTATION_NEEDS = {
    AnnotationNeed.NONE: "An image without any",
    AnnotationNeed.DRAFT: "A draft",
    AnnotationNeed.TO_CONFIRM: "One to confirm",
    AnnotationNeed.SUBMITTED: "A submitted one",
    AnnotationNeed.REJECTED: "A rejected one",
}
STATES = {
    AnnotationState.TO_CONFIRM: "to confirm",
    AnnotationState.DRAFT: "draft",
    AnnotationState.SUBMITTED: "submitted",
    AnnotationState.REJECTED: "rejected",
}
COLPOSCOPIES = {
    Colposcopy.NOT_RECORDED: "Not recorded",
    Colposcopy.NORMAL: "Normal",
    Colposcopy.ABNORMAL: "Abnormal",
}
MENOPAUSAL_STATES = {
    MenopausalState.PREMENOPAUSAL: "Premenopausal",
    MenopausalState.POSTMENOPAUSAL: "Postmenopausal",
}
HIV_STATUSES = {HivStatus.NEGATIVE: "Negative", HivStatus.POSITIVE: "Positive"}
YES_OR_NO = {True: "Yes", False: "No"}
SPECIMENS = {SpecimenKind.PUNCH_BIOPSY: "Punch biopsy", SpecimenKind.LEEP: "LEEP"}
SWEDE = {
    "aceto_uptake": ("Aceto uptake", ("none or transparent", "shady, milky", "distinct, opaque white")),
    "margins": ("Margins and surface", ("none or diffuse", "sharp but irregular; satellites", "sharp and even; level")),
    "vessels": ("Vessels", ("fine, regular", "absent", "coarse or atypical")),
    "lesion_size": ("Lesion size", ("under 5 mm", "5 to 15 mm, or 2 quadrants", "over 15 mm, or 3 to 4 quadrants")),
    "iodine": ("Iodine staining", ("brown", "faintly or patchy yellow", "distinct yellow")),
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


def states_text(n_unannotated: int, states: dict[AnnotationState, int]) -> str:
    """How far a case's annotations are, such as `1 open · 2 submitted`."""
    parts = [f"{n_unannotated} open"] if n_unannotated else []
    parts += [f"{states[state]} {word}" for state, word in STATES.items() if states.get(state)]
    return " · ".join(parts) or "–"


def score_text(total: int | None, *, is_empty: bool) -> str:
    """A Swede score: `6 of 10`, or that it is incomplete, never a part of it as a number out of 10."""
    if total is not None:
        return f"{total} of 10"
    return "not recorded" if is_empty else "incomplete"
