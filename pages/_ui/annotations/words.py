"""The wording of the annotation page."""

from colpo_core.records.annotations import VersionRecord
from colpo_core.terms import AnnotationState, MaskOrigin, Start
from pages._ui.shared.words import time_text

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

STARTS = {
    Start.NOTHING: "from an empty mask",
    Start.OWN_VERSION: "from my own version",
    Start.OTHER_VERSION: "from another annotator's mask",
    Start.OTHER_IMAGE: "from another image of the case",
    Start.PROPOSAL: "from the model's proposal",
    Start.COMBINATION: "from the masks of several annotators",
}

MARKS = {
    AnnotationState.DRAFT: "draft",
    AnnotationState.SUBMITTED: "done",
    AnnotationState.TO_CONFIRM: "to confirm",
    AnnotationState.REJECTED: "rejected",
}


def made_text(version: VersionRecord, numbers: dict[int, int]) -> str:
    """How a version was made, such as `from the model's proposal, 83% kept, 12% added · 14 strokes · 3 min 05 s`.

    Args:
        version: The version.
        numbers: Numbers of the versions that stand beside it, by their rows.

    Returns:
        An empty text where it was not recorded.
    """
    parts = [_start_text(version, numbers)]
    if version.strokes is not None:
        parts.append("1 stroke" if version.strokes == 1 else f"{version.strokes:,} strokes")
    if version.active_ms is not None and version.active_ms >= 1000:
        parts.append(time_text(version.active_ms))
    return " · ".join(filter(None, parts))


def _start_text(version: VersionRecord, numbers: dict[int, int]) -> str:
    if version.start is None:
        return ""
    text = STARTS[version.start]
    if version.start is Start.OWN_VERSION and version.start_version_id in numbers:
        text = f"from version {numbers[version.start_version_id]}"
    if version.start is not Start.NOTHING:
        if version.kept_share is not None:
            text += f", {version.kept_share:.0%} kept"
        if version.added_share is not None:
            text += f", {version.added_share:.0%} added"
    if version.proposal_shown and version.start is not Start.PROPOSAL:
        text += " (the model's proposal was shown)"
    return text
