"""Ranking by probability: the ROC curve, the area under it, and the threshold that calls are made at."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.areas import area_interval
from colpo_core.evaluation.resampling import weighted_auc
from colpo_core.records.statistics.figures import Estimate
from colpo_core.records.training.settings import THRESHOLD_RULES
from colpo_core.terms import Label

FALLBACK_THRESHOLD = 0.5
LEAST_SENSITIVITY = 0.9
MOST_POINTS = 200
# Shares that differ by less are equal but for rounding.
_EQUAL = 1e-9


def auc(truth: Sequence[Label], probabilities: Sequence[float]) -> float | None:
    """Chance that an HSIL has a higher probability than a normal, ties counting half; None without both.

    Raises:
        ValueError: The two are not of one length.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982 for its equality with the area under the ROC curve.
    """
    is_hsil, prob = _columns(truth, probabilities)
    value = float(weighted_auc(np.ones((1, len(prob))), is_hsil, prob)[0])
    return None if np.isnan(value) else value


def auc_estimate(truth: Sequence[Label], probabilities: Sequence[float], patients: Sequence[int]) -> Estimate:
    """Area under the ROC curve with the interval of `area_interval`, by patients.

    Args:
        truth: Label of each case (or image).
        probabilities: Probability of HSIL of each.
        patients: Patient of each.

    Raises:
        ValueError: The three are not of one length.
    """
    is_hsil, prob = _columns(truth, probabilities)
    area = area_interval(is_hsil, prob, patients)
    return Estimate(
        value=area.auc,
        low=area.low,
        high=area.high,
        n_patients=len(set(patients)),
        n_images=len(prob),
        method=area.method,
        missing=None if area.auc is None else area.missing,
    )


def roc_points(truth: Sequence[Label], probabilities: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Points (false positive rate, true positive rate) of the ROC curve, from (0, 0) to (1, 1).

    One point a distinct probability, so that tied cases make a slanted piece; a curve with more points than
    `MOST_POINTS` is thinned evenly and keeps its ends.

    Args:
        truth: Label of each case.
        probabilities: Probability of HSIL of each.

    Returns:
        The points; none without both labels.

    Raises:
        ValueError: The two are not of one length.

    Source: Fawcett 2006, "An introduction to ROC analysis", algorithm 1.
    """
    return roc_curve(*_columns(truth, probabilities))


def roc_curve(
    is_hsil: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], *, most: int = MOST_POINTS
) -> tuple[tuple[float, float], ...]:
    """`roc_points` of arrays of shape (cases,), whose scores may be of any scale: the higher, the more like HSIL."""
    if is_hsil.all() or not is_hsil.any():
        return ()
    falling = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[falling])), len(scores) - 1)
    true = np.append(0, np.cumsum(is_hsil[falling])[ends]) / is_hsil.sum()
    false = np.append(0, np.cumsum(~is_hsil[falling])[ends]) / (~is_hsil).sum()
    chosen = np.unique(np.linspace(0, len(true) - 1, min(most, len(true))).round().astype(int))
    return tuple(zip(false[chosen].tolist(), true[chosen].tolist(), strict=True))


def choose_threshold(truth: Sequence[Label], probabilities: Sequence[float], rule: str) -> float:
    """The threshold that a rule chooses on these cases, half-way between neighbouring probabilities.

    `youden`: the highest sensitivity + specificity - 1. `sensitivity_90`: the highest specificity among the thresholds
    whose sensitivity on these cases is at least 0.90; on new cases the sensitivity may well be lower. Of equal ones
    the nearest to 0.5 is taken. Without both labels, or where no threshold that the rule allows is better than chance,
    it is 0.5.

    Args:
        truth: Label of each case.
        probabilities: Probability of HSIL of each.
        rule: One of `THRESHOLD_RULES`.

    Raises:
        ValueError: The two are not of one length, or there is no such rule.

    Source: Youden 1950, "Index for rating diagnostic tests".
    """
    if rule not in THRESHOLD_RULES:
        raise ValueError(f"a rule is one of {', '.join(THRESHOLD_RULES)}, not {rule!r}")
    is_hsil, prob = _columns(truth, probabilities)
    if is_hsil.all() or not is_hsil.any():
        return FALLBACK_THRESHOLD
    levels = np.unique(prob)
    candidates = (levels[1:] + levels[:-1]) / 2
    sensitivity = _shares_reaching(prob[is_hsil], candidates)
    false_alarms = _shares_reaching(prob[~is_hsil], candidates)
    allowed = sensitivity - false_alarms > _EQUAL
    if rule == "sensitivity_90":
        allowed &= sensitivity >= LEAST_SENSITIVITY - _EQUAL
        worth = 1 - false_alarms
    else:
        worth = sensitivity - false_alarms
    if not allowed.any():
        return FALLBACK_THRESHOLD
    tied = candidates[allowed & (worth > worth[allowed].max() - _EQUAL)]
    return float(tied[np.argmin(np.abs(tied - FALLBACK_THRESHOLD))])


def threshold_rule_text(rule: str) -> str:
    """The sentence that says on a card how a threshold was chosen.

    Raises:
        ValueError: There is no such rule.
    """
    if rule not in _RULE_TEXTS:
        raise ValueError(f"a rule is one of {', '.join(_RULE_TEXTS)}, not {rule!r}")
    return _RULE_TEXTS[rule]


_RULE_TEXTS = {
    "youden": (
        "The threshold with the highest sensitivity + specificity - 1 (Youden's index) on the validation cases; "
        "where none is better than chance, that at which a network says 0.5 before its calibration."
    ),
    "sensitivity_90": (
        "The threshold with the highest specificity among those whose sensitivity on the validation cases is at least "
        "90%; where none of these is better than chance, that at which a network says 0.5 before its calibration."
    ),
}


def _shares_reaching(scores: npt.NDArray[np.float64], thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of the scores that reach each threshold."""
    below = np.searchsorted(np.sort(scores), thresholds, side="left")
    return np.asarray((len(scores) - below) / len(scores))


def _columns(
    truth: Sequence[Label], probabilities: Sequence[float]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Whether each case is HSIL, and its probability."""
    if len(truth) != len(probabilities):
        raise ValueError(f"{len(truth)} cases, but {len(probabilities)} probabilities")
    return np.asarray([label is Label.HSIL for label in truth], np.bool_), np.asarray(probabilities, np.float64)
