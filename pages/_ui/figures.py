"""How a checkpoint's figures are read from its card and written on a page."""

from collections.abc import Mapping
from typing import Any

from colpo_core.records.figures import Estimate, Proportion

SHARES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
SEGMENTATION = {
    "iou_acetowhite": "IoU, acetowhite",
    "iou_background": "IoU, background",
    "dice": "Dice, acetowhite",
    "accuracy_acetowhite": "Accuracy, acetowhite",
    "accuracy_background": "Accuracy, background",
    "false_area": "Area marked where there is none",
}


def proportion(block: Mapping[str, Any], name: str) -> Proportion:
    """A share of a card's block of figures."""
    return Proportion(**block[name])


def estimate(block: Mapping[str, Any], name: str) -> Estimate:
    """A mean or an area of a card's block of figures."""
    return Estimate(**block[name])


def short_share(share: Proportion) -> str:
    """For a narrow table: `84% (75–91)`."""
    if share.value is None or share.low is None or share.high is None:
        return "–"
    return f"{share.value:.0%} ({100 * share.low:.0f}–{100 * share.high:.0f})"


def short_estimate(found: Estimate) -> str:
    """For a narrow table: `0.51 (0.42–0.60)`, or `0.51 (no interval)`."""
    if found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} (no interval)"
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f})"
