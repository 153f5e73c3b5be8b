"""The wording of the pages of tasks."""

from colpo_core.terms import TaskOrder

ORDERS = {
    TaskOrder.DATE: "By date of the examination",
    TaskOrder.RANDOM: "At random, anew for each person",
    TaskOrder.UNCERTAINTY: "What the model is least sure of first",
}


def share(part: int, whole: int) -> float:
    """A part of a whole, 0 to 1; 0 where the whole is 0."""
    return min(1.0, part / whole) if whole else 0.0
