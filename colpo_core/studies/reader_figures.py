"""One reader's figures in each arm, and between two arms."""

from dataclasses import replace
from math import exp, log

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from colpo_core.evaluation.intervals import clopper_pearson, wilson
from colpo_core.evaluation.paired import delong, delong_interval, mcnemar
from colpo_core.evaluation.paired_shares import newcombe
from colpo_core.records.figures import Bounds
from colpo_core.records.reader_statistics import AtPrevalence, PairedAucs, PairedCalls, ReaderArm, ReaderShare
from colpo_core.terms import Label

_Bools = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]


def reader_arm(
    truth: _Bools,
    ratings: _Floats,
    *,
    threshold: float | None = None,
    prevalence: float | None = None,
    has_ratings: bool = True,
    alpha: float = 0.05,
) -> ReaderArm:
    """One reader's figures in one arm.

    Args:
        truth: Shape (cases,): whether each has the condition.
        ratings: Shape (cases,).
        threshold: A rating from here on is a positive call; without one no calls are made.
        prevalence: Above 0 and below 1: predictive values are given at it too.
        has_ratings: False where the ratings are yes or no alone: then no area is given.
        alpha: 1 minus the intervals' confidence.
    """
    found = ReaderArm(len(truth), None, None)
    if has_ratings:
        area = delong_interval(_labels(truth), ratings.tolist(), alpha=alpha)
        found = replace(found, auc=area.auc, auc_ci=_bounds(area.low, area.high))
    if threshold is None:
        return found
    calls = ratings >= threshold
    sensitivity = _share(calls[truth], alpha)
    specificity = _share(~calls[~truth], alpha)
    found = replace(
        found,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=_share(truth[calls], alpha),
        npv=_share(~truth[~calls], alpha),
        accuracy=_share(calls == truth, alpha),
    )
    if prevalence is None:
        return found
    return replace(
        found,
        ppv_at_prevalence=_predictive(sensitivity, specificity, prevalence, alpha),
        npv_at_prevalence=_predictive(specificity, sensitivity, 1 - prevalence, alpha),
    )


def paired_aucs(truth: _Bools, first: _Floats, second: _Floats, *, alpha: float = 0.05) -> PairedAucs:
    """DeLong's test of one reader's two areas on the same cases.

    Args:
        truth: Shape (cases,).
        first: Shape (cases,): ratings in the first arm.
        second: In the second.
        alpha: 1 minus the interval's confidence.

    Source: DeLong, DeLong and Clarke-Pearson 1988.
    """
    # `delong` takes the first from the second.
    found = delong(_labels(truth), second.tolist(), first.tolist(), alpha=alpha)
    return PairedAucs(found.difference, _bounds(found.low, found.high), found.z, found.p, len(truth))


def paired_calls(
    truth: _Bools, first: _Floats, second: _Floats, *, threshold: float, alpha: float = 0.05
) -> dict[str, PairedCalls]:
    """McNemar's exact test of one reader's calls in two arms, of all cases and of either class.

    Args:
        truth: Shape (cases,).
        first: Shape (cases,): ratings in the first arm.
        second: In the second.
        threshold: A rating from here on is a positive call.
        alpha: 1 minus the interval's confidence.
    """
    right = (first >= threshold) == truth, (second >= threshold) == truth
    where = {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}
    return {name: _paired(right[0][kept], right[1][kept], alpha) for name, kept in where.items()}


def _paired(first: _Bools, second: _Bools, alpha: float) -> PairedCalls:
    both, b, c = (int(np.count_nonzero(one)) for one in (first & second, first & ~second, ~first & second))
    found = newcombe(both, b, c, len(first) - both - b - c, alpha=alpha)
    difference, ci = (None, None) if found is None else (found[0], found[1:])
    return PairedCalls(b, c, len(first), mcnemar(b, c).p, difference, ci)


def _share(trials: _Bools, alpha: float) -> ReaderShare:
    k, n = int(np.count_nonzero(trials)), len(trials)
    score = wilson(k, n, alpha=alpha)
    return ReaderShare(k, n, score.value, clopper_pearson(k, n, alpha=alpha), _bounds(score.low, score.high))


def _predictive(hits: ReaderShare, rejections: ReaderShare, prevalence: float, alpha: float) -> AtPrevalence:
    """A predictive value by Bayes' theorem, with an interval on its logit.

    Source: Mercaldo, Lau and Zhou 2007, "Confidence intervals for predictive values with an emphasis to case-control
        studies", the standard logit interval.
    """
    if hits.value is None or rejections.value is None:
        return AtPrevalence(None, None)
    true, false = hits.value * prevalence, (1 - rejections.value) * (1 - prevalence)
    if true + false == 0:
        return AtPrevalence(None, None)
    value = true / (true + false)
    if not (0 < hits.value < 1 and 0 < rejections.value < 1):
        return AtPrevalence(value, None)
    variance = (1 - hits.value) / (hits.value * hits.n) + rejections.value / ((1 - rejections.value) * rejections.n)
    far, logit = float(norm.isf(alpha / 2)) * variance**0.5, log(value / (1 - value))
    return AtPrevalence(value, (1 / (1 + exp(far - logit)), 1 / (1 + exp(-far - logit))))


def _labels(truth: _Bools) -> list[Label]:
    return [Label.HSIL if one else Label.NORMAL for one in truth]


def _bounds(low: float | None, high: float | None) -> Bounds | None:
    return None if low is None or high is None else (low, high)
