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
    """For a narrow table: `84% (70/83)`."""
    return "–" if share.value is None else f"{share.value:.0%} ({share.k}/{share.n})"


def short_estimate(found: Estimate) -> str:
    """For a narrow table: `0.51`."""
    return "–" if found.value is None else f"{found.value:.2f}"
