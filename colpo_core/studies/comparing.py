"""Readers and checkpoints on the same cases, judged alike."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from colpo_core.evaluation.calls import call_figures
from colpo_core.records.statistics.figures import CallFigures
from colpo_core.terms import Label


@dataclass(frozen=True)
class Comparison:
    """How one caller's calls agree with the reference standard.

    Attributes:
        n_cases: Cases of the study.
        n_called: Cases that the caller called; the figures are on these.
        figures: On all called cases.
        n_unseen: Called cases that the caller was not trained on.
        unseen: On those alone; None where every called case is unseen (the same figures) or none is.
    """

    n_cases: int
    n_called: int
    figures: CallFigures
    n_unseen: int
    unseen: CallFigures | None


def compare_calls(truth: Mapping[int, Label], calls: Mapping[int, Label], *, seen: Collection[int] = ()) -> Comparison:
    """Judge one caller.

    Args:
        truth: Reference standard of each case of the study.
        calls: The caller's call on each case that it called.
        seen: Cases that the caller was trained on.

    Raises:
        ValueError: A call is on a case that is not in the study.
    """
    strange = set(calls) - set(truth)
    if strange:
        raise ValueError(f"case {min(strange)} was called, but is not in the study")
    called = [case for case in truth if case in calls]
    unseen = [case for case in called if case not in seen]
    partly = 0 < len(unseen) < len(called)
    return Comparison(
        n_cases=len(truth),
        n_called=len(called),
        figures=_figures(truth, calls, called),
        n_unseen=len(unseen),
        unseen=_figures(truth, calls, unseen) if partly else None,
    )


def _figures(truth: Mapping[int, Label], calls: Mapping[int, Label], cases: list[int]) -> CallFigures:
    return call_figures([truth[case] for case in cases], [calls[case] for case in cases])
