"""Tables of the comparison with controls, and of a model against the clinic's current one."""

from collections.abc import Mapping
from typing import Any

from colpo_core.exchange.tables import TextTable
from colpo_core.records.models.cards import (
    COMPARED,
    CONTROLS,
    Block,
    comparison,
    counted,
    differences,
    estimate,
    pair_name,
)
from colpo_core.records.statistics.figures import Estimate, p_text, value_text

_FIGURES = COMPARED | {"brier": "Brier score"}


def arms_table(card: Block) -> TextTable:
    """The arms of the comparison, each with what it is there for."""
    arms: Mapping[str, Any] = (comparison(card) or {}).get("arms", {})
    rows = [
        (_capitalised(arm["name"]), CONTROLS[name], *(estimate(arm, figure).text() for figure in _FIGURES))
        for name, arm in arms.items()
    ]
    return TextTable(("Arm", "What it is there for", *_FIGURES.values()), rows)


def differences_table(card: Block) -> TextTable:
    """The paired differences, second arm minus first."""
    rows = [
        (_capitalised(pair_name(card, pair)), *(estimate(pair, figure).text(is_signed=True) for figure in _FIGURES))
        for pair in differences(card)
    ]
    return TextTable(("Difference", *_FIGURES.values()), rows)


def seeds_table(card: Block) -> TextTable:
    """McNemar's and DeLong's test of each training seed."""
    rows: list[tuple[str, ...]] = []
    for pair in differences(card):
        for number, seed in enumerate(pair["by_seed"], start=1):
            mcnemar = tuple(_mcnemar(seed[name]) for name in ("accuracy", "sensitivity", "specificity"))
            rows.append((_capitalised(pair_name(card, pair)), str(number), *mcnemar, _delong(seed["auc"], pair)))
    heading = ("Difference", "Seed", "Accuracy: McNemar", "Sensitivity: McNemar", "Specificity: McNemar", "AUC: DeLong")
    return TextTable(heading, rows)


def _mcnemar(test: Block) -> str:
    which = "mid-p" if "p_exact" in test else "p"
    return f"{which} {p_text(test['p'])} (right alone: first {test['b']}, second {test['c']})"


def _delong(test: Block, pair: Block) -> str:
    n_cases = counted(pair["n"], "case")
    bounds = None if test["low"] is None or test["high"] is None else (test["low"], test["high"])
    text = value_text(
        test["difference"], bounds, digits=2, missing=test.get("missing") or n_cases, is_signed=True, sample=n_cases
    )
    return text if test["difference"] is None or bounds is None else f"{text}, p {p_text(test['p'])}"


def against_table(against: Block) -> TextTable:
    """This model against the clinic's current one on the same test images.

    Args:
        against: `against_current` of a card's figures.
    """
    pair = against["calls"]
    rows = []
    for name, title in _FIGURES.items():
        current, this = (estimate(pair[which], name).text() for which in ("first", "second"))
        rows.append((title, current, this, estimate(pair, name).text(is_signed=True)))
    rows.append(("Dice of the mask", "", "", Estimate(**against["dice"]).text(is_signed=True)))
    return TextTable(("Figure", "Current model", "This model", "Difference"), rows)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
