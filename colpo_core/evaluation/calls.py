"""Calls of `normal` or `hsil` against the reference standard, and two sets of calls against each other."""

from collections.abc import Sequence

from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.judged import Judged
from colpo_core.records.statistics.figures import CallFigures, PairedCounts
from colpo_core.terms import Label


def call_figures(truth: Sequence[Label], calls: Sequence[Label]) -> CallFigures:
    """Accuracy, sensitivity, specificity, PPV and NPV with exact intervals; `hsil` is positive.

    Args:
        truth: Label of each case (or image) by the reference standard.
        calls: What was called, in the same order.

    Raises:
        ValueError: The two are not of one length.

    Source: Kim et al. 2022, Fig. 5.
    """
    pairs = list(zip(truth, calls, strict=True))
    tp = sum(label is Label.HSIL and call is Label.HSIL for label, call in pairs)
    fp = sum(label is Label.NORMAL and call is Label.HSIL for label, call in pairs)
    tn = sum(label is Label.NORMAL and call is Label.NORMAL for label, call in pairs)
    fn = sum(label is Label.HSIL and call is Label.NORMAL for label, call in pairs)
    if tp + fp + tn + fn != len(pairs):
        raise ValueError("a truth and a call are each a Label, normal or hsil")
    return CallFigures(
        true_positive=tp,
        false_positive=fp,
        true_negative=tn,
        false_negative=fn,
        accuracy=exact_share(tp + tn, len(pairs)),
        sensitivity=exact_share(tp, tp + fn),
        specificity=exact_share(tn, tn + fp),
        ppv=exact_share(tp, tp + fp),
        npv=exact_share(tn, tn + fn),
    )


def paired_counts(truth: Sequence[Label], first: Sequence[Label], second: Sequence[Label]) -> PairedCounts:
    """How two sets of calls on the same cases agree in being right.

    Raises:
        ValueError: The three are not of one length.
    """
    right = [(label is a, label is b) for label, a, b in zip(truth, first, second, strict=True)]
    return PairedCounts(
        both_right=right.count((True, True)),
        only_first_right=right.count((True, False)),
        only_second_right=right.count((False, True)),
        neither_right=right.count((False, False)),
    )


def calls_at(probabilities: Sequence[float], threshold: float) -> list[Label]:
    """Call `hsil` where the probability of HSIL reaches the threshold."""
    return [Label.called(probability, threshold=threshold) for probability in probabilities]


def all_one_call(judged: Sequence[Judged], threshold: float) -> Label | None:
    """The one call that every row gets at this threshold; None where both are called, or there is no row.

    A model that says the same of everybody has learned nothing that a clinic could use, however good its accuracy.
    """
    calls = set(calls_at([row.prob_hsil for row in judged], threshold))
    return calls.pop() if len(calls) == 1 else None
