"""The wording of the pages of cases."""

from colpo_core.ifcpc import Iodine, Junction, LesionLocation, Sign, SignGroup
from colpo_core.records.cases.findings import FindingsProposal
from colpo_core.records.cases.lists import AnnotationNeed, CaseSort, LabelChoice, OutcomeChoice
from colpo_core.terms import (
    AnnotationState,
    Colposcopy,
    HivStatus,
    MenopausalState,
    Outcome,
    ReviewState,
    SpecimenKind,
)
from pages._ui.shared.words import STATES

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
OUTCOMES = {
    OutcomeChoice.WRONG: "Wrong, either way",
    OutcomeChoice.FALSE_NEGATIVE: "Missed: HSIL called normal",
    OutcomeChoice.FALSE_POSITIVE: "False alarm: normal called HSIL",
    OutcomeChoice.RIGHT: "Right, either way",
    OutcomeChoice.TRUE_POSITIVE: "Right: HSIL found",
    OutcomeChoice.TRUE_NEGATIVE: "Right: normal left",
}
OUTCOME_WORDS = {
    None: "",
    Outcome.TRUE_POSITIVE: "right",
    Outcome.TRUE_NEGATIVE: "right",
    Outcome.FALSE_POSITIVE: "false alarm",
    Outcome.FALSE_NEGATIVE: "missed",
}
REVIEW_STATES = {
    ReviewState.WAITING: "Waits for a verdict",
    ReviewState.AGREED: "Agreed",
    ReviewState.UNSURE: "Unsure",
    ReviewState.OVERRULED: "Overruled",
}
SORTS = {
    CaseSort.NEWEST: "Newest first",
    CaseSort.EXAMINED: "By day of examination",
    CaseSort.PROBABILITY: "Most likely HSIL first, by the model",
    CaseSort.UNCERTAINTY: "Nearest to the model's threshold first",
    CaseSort.DISAGREEMENT: "Where annotators disagree most first",
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
ADEQUACY = {True: "Adequate", False: "Inadequate"}
JUNCTIONS = {Junction.COMPLETELY: "Completely", Junction.PARTIALLY: "Partially", Junction.NOT: "Not"}
LOCATIONS = {LesionLocation.INSIDE: "Inside", LesionLocation.OUTSIDE: "Outside", LesionLocation.BOTH: "Partly"}
IODINE = {Iodine.STAINED: "Stained", Iodine.NON_STAINED: "Non-stained"}
SIGN_GROUPS = {
    SignGroup.INADEQUATE: "Inadequate because of",
    SignGroup.NORMAL: "Normal findings",
    SignGroup.GRADE_1: "Grade 1, minor",
    SignGroup.GRADE_2: "Grade 2, major",
    SignGroup.NON_SPECIFIC: "Non-specific",
    SignGroup.INVASION: "Suspicious for invasion",
    SignGroup.MISCELLANEOUS: "Miscellaneous",
}
SIGN_WORDS = {
    Sign.OBSCURED_BY_BLOOD: "Blood",
    Sign.OBSCURED_BY_INFLAMMATION: "Inflammation",
    Sign.OBSCURED_BY_SCAR: "Scar",
    Sign.ORIGINAL_MATURE: "Squamous, mature",
    Sign.ORIGINAL_ATROPHIC: "Squamous, atrophic",
    Sign.ECTOPY: "Ectopy",
    Sign.METAPLASIA: "Metaplasia",
    Sign.NABOTHIAN_CYSTS: "Nabothian cysts",
    Sign.CRYPT_OPENINGS: "Crypt openings",
    Sign.DECIDUOSIS: "Deciduosis (pregnancy)",
    Sign.THIN_ACETOWHITE: "Thin acetowhite",
    Sign.IRREGULAR_BORDER: "Irregular, geographic border",
    Sign.FINE_MOSAIC: "Fine mosaic",
    Sign.FINE_PUNCTATION: "Fine punctation",
    Sign.DENSE_ACETOWHITE: "Dense acetowhite",
    Sign.RAPID_APPEARANCE: "Rapid appearance",
    Sign.CUFFED_CRYPT_OPENINGS: "Cuffed crypt openings",
    Sign.COARSE_MOSAIC: "Coarse mosaic",
    Sign.COARSE_PUNCTATION: "Coarse punctation",
    Sign.SHARP_BORDER: "Sharp border",
    Sign.INNER_BORDER_SIGN: "Inner border sign",
    Sign.RIDGE_SIGN: "Ridge sign",
    Sign.LEUKOPLAKIA: "Leukoplakia",
    Sign.EROSION: "Erosion",
    Sign.ATYPICAL_VESSELS: "Atypical vessels",
    Sign.FRAGILE_VESSELS: "Fragile vessels",
    Sign.IRREGULAR_SURFACE: "Irregular surface",
    Sign.EXOPHYTIC_LESION: "Exophytic lesion",
    Sign.NECROSIS: "Necrosis",
    Sign.ULCERATION: "Ulceration",
    Sign.TUMOUR: "Tumour",
    Sign.CONGENITAL_TRANSFORMATION_ZONE: "Congenital transformation zone",
    Sign.CONDYLOMA: "Condyloma",
    Sign.POLYP_ECTOCERVICAL: "Polyp, ectocervical",
    Sign.POLYP_ENDOCERVICAL: "Polyp, endocervical",
    Sign.INFLAMMATION: "Inflammation",
    Sign.STENOSIS: "Stenosis",
    Sign.CONGENITAL_ANOMALY: "Congenital anomaly",
    Sign.POST_TREATMENT: "After treatment",
    Sign.ENDOMETRIOSIS: "Endometriosis",
}


def proposal_text(proposal: FindingsProposal) -> str:
    """What a mask proposes, such as `Version 2 of your mask: 2 quadrants, 31% of the cervix, around the centre.`."""
    source = "Your draft" if proposal.is_draft else f"Version {proposal.version_number} of your mask"
    if not proposal.quadrants:
        return f"{source} marks no lesion: 0 quadrants."
    parts = [f"{proposal.quadrants} quadrant{'s' if proposal.quadrants > 1 else ''}"]
    if proposal.cervix_percent is not None:
        parts.append(f"{proposal.cervix_percent:g}% of the cervix")
    else:
        parts.append(f"{proposal.image_percent:g}% of the image")
    if proposal.centre_hour is not None:
        parts.append(f"centre at {proposal.centre_hour} o'clock, {proposal.centre_distance:.0%} of the way out")
    else:
        parts.append("around the centre")
    return f"{source}: {', '.join(parts)}."


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
