"""Which version of the statistics of reading studies this is, and what each version computes otherwise.

A report that is made anew of an old study can so say which of its figures were computed in another way at the closing.
"""

METHODS_VERSION = 2
"""Rises by 1 with every change after which a figure of the same readings may come out differently."""

METHODS_CHANGES: tuple[tuple[int, str], ...] = (
    (
        2,
        "Where a patient stands behind several cases, all readers together (primary endpoint, intervals, p and "
        "non-inferiority) are analysed by patients; before, their cases were taken as independent.",
    ),
    (
        2,
        "Where readings are missing, each reader is judged on the cases that this reader has read, and all readers "
        "together on these figures; before, all readers together were not analysed.",
    ),
    (
        2,
        "The interval for these readers alone rests on the whole covariance of their figures; before, a negative "
        "part of it was taken as 0, so the interval was wider.",
    ),
    (
        2,
        "The interval of several readers is cut where it would leave what the figure can be, and none is given "
        "where cases or readers are too few.",
    ),
    (
        2,
        "Where a patient stands behind several cases, tests of one reader count patients; before, they took the "
        "cases as independent. Intervals by patients come from a formula; before, from a bootstrap.",
    ),
    (
        2,
        "The interval of one area under the curve is Newcombe's, and none is given with fewer than five cases of a "
        "class; before, it was DeLong's.",
    ),
    (
        2,
        "Shares of calls have the exact interval of Clopper and Pearson; before, the tables gave Wilson's, which is "
        "narrower and too narrow near 0 and 1.",
    ),
    (
        2,
        "McNemar's p is the mid-p; before, it was the exact one, which is larger. Differences of two areas have an "
        "interval and a p from ten cases of a class on; before, from two.",
    ),
    (
        2,
        "Cohen's kappa of two readers rests on the cases that both have read; before, on those that all readers had "
        "read. Intervals of agreement are by patients; before, from a bootstrap over cases.",
    ),
    (
        2,
        "Intervals of the Brier score, overconfidence and overcalling come from what patients differ in; before, from "
        "a bootstrap over patients.",
    ),
    (
        2,
        "By the paper's protocol a model has learned from all cases of its snapshot: those of the test side, and other "
        "cases of their patients, are no longer among the unseen cases on which it is compared.",
    ),
    (
        2,
        "Where a copy or near copy of a photograph that a model learned from is filed under another patient's code, "
        "the model has met that patient too: her cases are no longer among the unseen ones.",
    ),
    (
        2,
        "A reader who was taken off the study without having read anything no longer counts among those who have not "
        "read every case.",
    ),
)
"""The version since which it is so, and what changed, in a sentence for a report; oldest first."""


def changes_since(version: int) -> tuple[str, ...]:
    """What is computed otherwise since a version of the methods, oldest first; nothing where it is this one."""
    return tuple(sentence for since, sentence in METHODS_CHANGES if since > version)
