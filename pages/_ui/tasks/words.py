"""The wording of the pages of tasks."""

from colpo_core.terms import TaskOrder

ORDERS = {
    TaskOrder.DATE: "By date of the examination",
    TaskOrder.RANDOM: "At random, anew for each person",
    TaskOrder.UNCERTAINTY: "What the model is least sure of first",
}
