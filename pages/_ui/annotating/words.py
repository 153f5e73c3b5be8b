"""How the annotation page says things."""

from colpo_core.records.images import ImageRecord
from colpo_core.terms import AnnotationState, Finding, MaskOrigin, Stage

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

ORIGINS = {
    MaskOrigin.PAINTED: "Painted here",
    MaskOrigin.SIMULATED: "True mask of a simulated image",
    MaskOrigin.CLOSED: "The outline was closed",
    MaskOrigin.BORDER: "The outline was closed by the border of the image",
    MaskOrigin.CHORD: "The outline was open: a straight line joins its two ends",
    MaskOrigin.LINKED: "The outline had gaps: loose ends that face each other were joined",
    MaskOrigin.EXTENDED: "The outline had loose ends: they were drawn on until they met a line",
    MaskOrigin.OPEN: "The outline stayed open: only its line, or little more, could be filled",
    MaskOrigin.PARTIAL: "Only a part of the outline could be filled",
    MaskOrigin.MAJORITY: "What most annotators marked",
    MaskOrigin.STAPLE: "Estimated from all annotators' masks (STAPLE)",
    MaskOrigin.ADJUDICATED: "Adjudicated",
}

MARKS = {
    AnnotationState.DRAFT: "draft",
    AnnotationState.SUBMITTED: "done",
    AnnotationState.TO_CONFIRM: "to confirm",
    AnnotationState.REJECTED: "rejected",
}


def stage_text(image: ImageRecord) -> str:
    """Such as `Acetic acid, 60 s`."""
    seconds = "" if image.seconds_after_acid is None else f", {image.seconds_after_acid}\u00a0s"
    return STAGES[image.stage] + seconds


def area_text(share: float) -> str:
    """Such as `3.4% of the image`, or that nothing is marked."""
    return f"{share:.1%} of the image" if share else "nothing marked"
