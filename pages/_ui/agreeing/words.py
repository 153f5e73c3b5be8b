"""How the agreement page says things, and in which colour it draws whose mask."""

from colpo_core.records.agreement import AdjudicationRecord
from colpo_core.terms import AdjudicationMethod, Combination
from pages._ui.tables import as_when

# Names that the overlay routes know, with the colour that they stand for. Neighbours are told apart with a deficiency
# of colour vision too (after Okabe and Ito 2008). Cyan comes last: the adjudicator's own mask is painted in it.
COLOURS = {
    "amber": "#ffbf00",
    "blue": "#0072b2",
    "green": "#3cdc78",
    "magenta": "#cc79a7",
    "white": "#ffffff",
    "cyan": "#00e5ff",
}

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


def colour_name(place: int) -> str:
    """The name of the colour of the mask at a place, from 0; they come round again after the last."""
    names = list(COLOURS)
    return names[place % len(names)]


def distance_text(pixels: float | None, percent: float | None = None) -> str:
    """Such as `12.3 px (1.5% of the diagonal)`, or a dash where there is no distance."""
    if pixels is None:
        return "–"
    return f"{pixels:.1f} px" + (f" ({percent:.1f}% of the diagonal)" if percent is not None else "")


def decision_text(decision: AdjudicationRecord) -> str:
    """Who decided what and when, such as `A. Senior, 2026-03-01 14:05 UTC: the mask of B. Painter, taken as it was`."""
    whose = f"the mask of {decision.author}, " if decision.method is AdjudicationMethod.TAKEN else ""
    return f"{decision.decided_by}, {as_when(decision.at)} UTC: {whose}{METHODS[decision.method]}"
