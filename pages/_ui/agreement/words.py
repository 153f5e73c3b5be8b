"""The wording of the agreement page."""

from colpo_core.records.agreement import AdjudicationRecord
from colpo_core.terms import AdjudicationMethod, Combination
from pages._ui.shared.formats import as_when

COMBINATIONS = {
    Combination.MAJORITY: "Majority",
    Combination.STAPLE: "STAPLE",
    Combination.UNION: "Union",
    Combination.INTERSECTION: "Intersection",
}

COMBINATION_HELP = {
    Combination.MAJORITY: "What more than half of the annotators marked; an even split is background",
    Combination.STAPLE: "An estimate that weighs each annotator by how well he agrees with the others (Warfield 2004)",
    Combination.UNION: "What anybody marked",
    Combination.INTERSECTION: "What everybody marked",
}

METHODS = {
    AdjudicationMethod.TAKEN: "taken as it was",
    AdjudicationMethod.COMBINED: "combined from several",
    AdjudicationMethod.PAINTED: "painted",
}


def distance_text(pixels: float | None) -> str:
    """Such as `12.3 px`, or a dash where there is no distance."""
    return "–" if pixels is None else f"{pixels:.1f} px"


def decision_text(decision: AdjudicationRecord) -> str:
    """Who decided what and when, such as `A. Senior, 2026-03-01 14:05 UTC: the mask of B. Painter, taken as it was`."""
    whose = f"the mask of {decision.author}, " if decision.method is AdjudicationMethod.TAKEN else ""
    return f"{decision.decided_by}, {as_when(decision.at)} UTC: {whose}{METHODS[decision.method]}"
