"""From histology to label, by the rules of Kim et al. 2022, versioned.

Source: Kim et al., Scientific Reports 2022, "Data resource and data labeling".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from colpo_core.terms import Colposcopy, Grade, Label, LabelSource

RULES_VERSION = "kim-2022.1"
SUSPICIOUS_SWEDE_SCORE = 5
GRADE_LABELS: dict[Grade, Label | None] = {
    Grade.NORMAL: Label.NORMAL,
    Grade.CHRONIC_CERVICITIS: Label.NORMAL,
    Grade.CIN1: Label.NORMAL,
    Grade.CIN2: Label.HSIL,
    Grade.CIN3: Label.HSIL,
    Grade.ADENOCARCINOMA_IN_SITU: None,
    Grade.INVASIVE_CARCINOMA: None,
}
GRADE_NAMES: dict[Grade, str] = {
    Grade.NORMAL: "normal",
    Grade.CHRONIC_CERVICITIS: "chronic cervicitis",
    Grade.CIN1: "CIN1",
    Grade.CIN2: "CIN2",
    Grade.CIN3: "CIN3",
    Grade.ADENOCARCINOMA_IN_SITU: "adenocarcinoma in situ",
    Grade.INVASIVE_CARCINOMA: "invasive carcinoma",
}


@dataclass(frozen=True)
class LabelDecision:
    """A case's label, or why it has none.

    Attributes:
        label: The label, or None where the case is excluded.
        reason: A sentence that says why.
        source: What the decision rests on.
        rules_version: Which version of the rules decided.
        grade: The highest grade of the histology, where there is one.
        flagged: Whether a clinician must look at the case.
    """

    label: Label | None
    reason: str
    source: LabelSource
    rules_version: str = RULES_VERSION
    grade: Grade | None = None
    flagged: bool = False


def highest_grade(grades: Iterable[Grade]) -> Grade | None:
    """The reference standard's grade: the highest of all specimens, or None without any."""
    return max(grades, key=lambda grade: grade.severity, default=None)


def label_from_histology(grades: Iterable[Grade], colposcopy: Colposcopy) -> LabelDecision:
    """Decide a case's label from its histology.

    Args:
        grades: Grade of each specimen that counts.
        colposcopy: What the record says of the colposcopy; it matters only without a specimen.
    """
    listed = list(grades)
    top = highest_grade(listed)
    if top is None:
        return _label_without_biopsy(colposcopy)
    label = GRADE_LABELS[top]
    name = GRADE_NAMES[top]
    several = f"highest of {len(listed)} specimens: " if len(listed) > 1 else ""
    if label is None:
        reason = f"excluded: {several}{name} is not part of the comparison and needs a clinician's attention"
        return LabelDecision(None, reason, LabelSource.HISTOLOGY, grade=top, flagged=True)
    meaning = "needs treatment" if label is Label.HSIL else "can be watched"
    return LabelDecision(label, f"{several}{name}, which {meaning}", LabelSource.HISTOLOGY, grade=top)


def label_from_impression(swede_score: int | None) -> LabelDecision:
    """Decide a case's label from a colposcopic impression, which is NOT histology.

    Args:
        swede_score: Complete Swede score from 0 to 10, or None where it is unknown or incomplete.

    Raises:
        ValueError: The score is outside 0 to 10.
    """
    if swede_score is None:
        return LabelDecision(None, "excluded: no complete Swede score", LabelSource.IMPRESSION)
    if not 0 <= swede_score <= 10:
        raise ValueError(f"a Swede score lies between 0 and 10, not {swede_score}")
    suspicious = swede_score >= SUSPICIOUS_SWEDE_SCORE
    label = Label.HSIL if suspicious else Label.NORMAL
    side = f"{SUSPICIOUS_SWEDE_SCORE} or more" if suspicious else f"under {SUSPICIOUS_SWEDE_SCORE}"
    return LabelDecision(
        label, f"impression, not histology: Swede score {swede_score} ({side})", LabelSource.IMPRESSION
    )


def _label_without_biopsy(colposcopy: Colposcopy) -> LabelDecision:
    if colposcopy is Colposcopy.NORMAL:
        return LabelDecision(Label.NORMAL, "no biopsy, and the colposcopy is recorded as normal", LabelSource.HISTOLOGY)
    reason = "excluded: no histology, and no colposcopy recorded as normal"
    return LabelDecision(None, reason, LabelSource.HISTOLOGY)
