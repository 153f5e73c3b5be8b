"""One reader's figures in each arm, and between two arms."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from math import exp, log

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from colpo_core.evaluation.areas import area_interval
from colpo_core.evaluation.delong import delong, delong_interval
from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE, too_few
from colpo_core.evaluation.intervals import clopper_pearson, wilson
from colpo_core.evaluation.mcnemar import mcnemar
from colpo_core.evaluation.paired_shares import newcombe
from colpo_core.records.statistics.figures import Bounds
from colpo_core.records.statistics.reader_figures import AtPrevalence, PairedAucs, PairedCalls, ReaderArm, ReaderShare
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
    patients: Sequence[Hashable] | None = None,
    alpha: float = 0.05,
) -> ReaderArm:
    """One reader's figures in one arm.

    Args:
        truth: Shape (cases,): whether each has the condition.
        ratings: Shape (cases,).
        threshold: A rating from here on is a positive call; without one no calls are made.
        prevalence: Above 0 and below 1: predictive values are given at it too.
        has_ratings: False where the ratings are yes or no alone: then no area is given.
        patients: Patient of each case; each case is of a patient of its own when None.
        alpha: 1 minus the intervals' confidence.
    """
    figures = ReaderArm(len(truth), None, None)
    if has_ratings:
        area = area_interval(truth, ratings, patients, alpha=alpha)
        classic = delong_interval(_labels(truth), ratings.tolist(), alpha=alpha)
        figures = replace(
            figures,
            auc=area.auc,
            auc_ci=_bounds(area.low, area.high),
            auc_ci_method=area.method,
            auc_ci_missing=area.missing,
            auc_ci_delong=_bounds(classic.low, classic.high),
        )
    if threshold is None:
        return figures
    calls = ratings >= threshold
    sensitivity = _share(calls[truth], alpha)
    specificity = _share(~calls[~truth], alpha)
    figures = replace(
        figures,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=_share(truth[calls], alpha),
        npv=_share(~truth[~calls], alpha),
        accuracy=_share(calls == truth, alpha),
    )
    if prevalence is None:
        return figures
    return replace(
        figures,
        ppv_at_prevalence=_predictive(sensitivity, specificity, prevalence, alpha),
        npv_at_prevalence=_predictive(specificity, sensitivity, 1 - prevalence, alpha),
    )


def paired_aucs(truth: _Bools, first: _Floats, second: _Floats, *, alpha: float = 0.05) -> PairedAucs:
    """DeLong's test of one reader's two areas on the same cases; without it where the cases of a class are too few.

    Args:
        truth: Shape (cases,).
        first: Shape (cases,): ratings in the first arm.
        second: In the second.
        alpha: 1 minus the interval's confidence.

    Source: DeLong, DeLong and Clarke-Pearson 1988.
    """
    # `delong` takes the first from the second.
    test = delong(_labels(truth), second.tolist(), first.tolist(), alpha=alpha)
    missing = too_few(int(truth.sum()), int((~truth).sum()), fewest=FEWEST_FOR_A_DIFFERENCE)
    if missing is not None:
        return PairedAucs(test.difference, None, None, None, reason=missing, n=len(truth))
    if test.low is None:
        missing = "the two rank the cases alike, or the variance is 0"
    return PairedAucs(test.difference, _bounds(test.low, test.high), test.z, test.p, reason=missing, n=len(truth))


def paired_calls(
    truth: _Bools, first: _Floats, second: _Floats, *, threshold: float, alpha: float = 0.05
) -> dict[str, PairedCalls]:
    """McNemar's test of one reader's calls in two arms, of all cases and of either class.

    Args:
        truth: Shape (cases,).
        first: Shape (cases,): ratings in the first arm.
        second: In the second.
        threshold: A rating from here on is a positive call.
        alpha: 1 minus the interval's confidence.
    """
    right = (first >= threshold) == truth, (second >= threshold) == truth
    where = {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}
    return {name: _paired(right[0][is_counted], right[1][is_counted], alpha) for name, is_counted in where.items()}


def _paired(first: _Bools, second: _Bools, alpha: float) -> PairedCalls:
    both, b, c = (int(np.count_nonzero(cell)) for cell in (first & second, first & ~second, ~first & second))
    interval = newcombe(both, b, c, len(first) - both - b - c, alpha=alpha)
    difference, ci = (None, None) if interval is None else (interval[0], interval[1:])
    test = mcnemar(b, c)
    at_odds = p_and_interval(test.p, ci, alpha=alpha)
    return PairedCalls(b, c, len(first), test.p, difference, ci, p_exact=test.p_exact, at_odds=at_odds)


def p_and_interval(p: float, ci: Bounds | None, *, alpha: float = 0.05) -> str | None:
    """What is said where a p and an interval of one difference do not agree whether there is one; None where they do.

    McNemar's test conditions on the cases that differ, Newcombe's interval does not: near 0.05 they may part. The p
    decides whether a difference is shown; the interval tells how large it may be.

    Args:
        p: McNemar's mid-p.
        ci: Newcombe's interval.
        alpha: 1 minus the interval's confidence.
    """
    if ci is None or (ci[0] > 0 or ci[1] < 0) == (p < alpha):
        return None
    if p < alpha:
        return "the interval holds 0 all the same; the p decides"
    return "the interval leaves 0 out all the same; the p decides, and no difference is shown"


def _share(trials: _Bools, alpha: float) -> ReaderShare:
    k, n = int(np.count_nonzero(trials)), len(trials)
    score = wilson(k, n, alpha=alpha)
    return ReaderShare(k, n, score.value, clopper_pearson(k, n, alpha=alpha), _bounds(score.low, score.high))


def _predictive(hits: ReaderShare, rejections: ReaderShare, prevalence: float, alpha: float) -> AtPrevalence:
    """A predictive value by Bayes' theorem, with an interval on its logit.

    Source: Mercaldo, Lau and Zhou 2007, "Confidence intervals for predictive values with an emphasis to case-control
        studies", the standard logit interval; the adjusted one where sensitivity or specificity is 0 or 1.
    """
    if hits.value is None or rejections.value is None:
        return AtPrevalence(None, None, "it takes cases of both classes")
    true, false = hits.value * prevalence, (1 - rejections.value) * (1 - prevalence)
    if true + false == 0:
        return AtPrevalence(None, None, "nobody would be called so")
    value = true / (true + false)
    far = float(norm.isf(alpha / 2))
    (hit, n_hits), (rejected, n_rejections) = (
        (share.value or 0.0, float(share.n)) if share.k not in (0, share.n) else _pulled_in(share, far)
        for share in (hits, rejections)
    )
    variance = (1 - hit) / (hit * n_hits) + rejected / ((1 - rejected) * n_rejections)
    logit = log(hit * prevalence / ((1 - rejected) * (1 - prevalence)))
    low, high = 1 / (1 + exp(far * variance**0.5 - logit)), 1 / (1 + exp(-far * variance**0.5 - logit))
    # The value itself may lie at an end that a logit never reaches.
    return AtPrevalence(value, (min(low, value), max(high, value)))


def _pulled_in(share: ReaderShare, quantile: float) -> tuple[float, float]:
    """A share of 0 or 1 and its trials with as many added as the interval's quantile asks for, half of them right.

    Source: Mercaldo, Lau and Zhou 2007, the adjusted logit interval, after Agresti and Coull 1998.
    """
    square = quantile**2
    return (share.k + square / 2) / (share.n + square), share.n + square


def _labels(truth: _Bools) -> list[Label]:
    return [Label.HSIL if is_hsil else Label.NORMAL for is_hsil in truth]


def _bounds(low: float | None, high: float | None) -> Bounds | None:
    return None if low is None or high is None else (low, high)
