"""Calibration: whether a probability of HSIL of 0.3 is HSIL three times in ten, and how to bring it nearer to that."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import t as student_t

from colpo_core.evaluation.few import too_few
from colpo_core.evaluation.intervals import RESAMPLES, mean_by_patients, patient_bootstrap, share_by_patients
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.resampling import divided
from colpo_core.records.statistics.calibration import Calibration, CalibrationFigures
from colpo_core.records.statistics.figures import Estimate, ReliabilityBin
from colpo_core.terms import Label

MOST_BINS = 10
LEAST_IN_BIN = 10
LEAST_FOR_A_SLOPE = 20
"""Patients of either label below which a slope has no interval: it would not cover."""
COOLEST, HOTTEST = 0.25, 8.0
# Nearer to 0 or 1 than this, a probability is rounding.
_NEAREST_TO_CERTAIN = 1e-15
# Of the lean and of the logarithm of the temperature; see the decision on calibration for how it was chosen.
_PRIOR_SD = 0.5
_MOST_STEPS, _LONGEST_STEP, _SETTLED, _WORST_CONDITION = 100, 2.0, 1e-10, 1e12


def brier_estimate(judged: Sequence[Judged]) -> Estimate:
    """Mean squared distance of the probability of HSIL from 1 (HSIL) or 0 (normal), with an interval by patients.

    0 is perfect, 0.25 is what 0.5 for everybody gets. It falls with better ranking as with better calibration.

    Args:
        judged: One row an image, or one a case.

    Raises:
        ValueError: A probability does not lie between 0 and 1.

    Source: Brier 1950, "Verification of forecasts expressed in terms of probability", for one of the two classes.
    """
    is_hsil, prob = _columns(judged)
    return mean_by_patients((prob - is_hsil) ** 2, _patients(judged), within=(0.0, 1.0))


def ece_estimate(judged: Sequence[Judged], *, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """Expected calibration error of the probability of HSIL, with an interval by patients.

    Over the bins of `reliability`, the mean distance of observed share and mean probability, each bin weighing as many
    cases as it holds: sum of n_bin / n * |observed - mean probability|. A resample keeps the bins of all cases.

    It is never below 0 and so too high by chance in few cases, and once more too high in resamples of them: the
    interval leans upwards, and is stretched to hold the estimate where it would not. Compare values on the same cases
    only. With fewer than 20 cases one bin is left, which only tells how far off the probabilities are on the whole.

    Args:
        judged: One row an image, or one a case.
        seed: Seed of the bootstrap.
        resamples: How many resamples it draws.

    Raises:
        ValueError: A probability does not lie between 0 and 1.

    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning"; Nixon et
        al. 2019, "Measuring calibration in deep learning", for bins of equal mass.
    """
    is_hsil, prob = _columns(judged)
    bins = _bin_of(prob, _inner_edges(prob))
    # One column a bin: what each case adds to the distance of its bin.
    apart = (is_hsil - prob)[:, None] * (bins[:, None] == np.arange(MOST_BINS))
    bounds = patient_bootstrap(
        lambda weights: divided(np.abs(weights @ apart).sum(axis=1), weights.sum(axis=1)),
        _patients(judged),
        seed=seed,
        n=resamples,
    )
    if bounds.value is None or bounds.low is None or bounds.high is None:
        return bounds
    return replace(bounds, low=min(bounds.low, bounds.value), high=max(bounds.high, bounds.value))


def reliability(judged: Sequence[Judged]) -> tuple[ReliabilityBin, ...]:
    """The calibration curve: cases of similar probability, and how many of them were HSIL.

    Bins hold equally many cases: ten bins, or fewer so that each holds at least ten, and at least one. Equal
    probabilities always share a bin, so that with many of them bins differ in size, or fall away.

    Args:
        judged: One row an image, or one a case.

    Returns:
        The bins, from the lowest probabilities to the highest; together they span 0 to 1. None without a case.

    Raises:
        ValueError: A probability does not lie between 0 and 1.

    Source: DeGroot and Fienberg 1983, "The comparison and evaluation of forecasters"; Niculescu-Mizil and Caruana
        2005, "Predicting good probabilities with supervised learning".
    """
    is_hsil, prob = _columns(judged)
    if not len(prob):
        return ()
    edges = _inner_edges(prob)
    bin_of = _bin_of(prob, edges)
    patients = np.asarray(_patients(judged))
    bins = []
    for number, (low, high) in enumerate(zip([0.0, *edges], [*edges, 1.0], strict=True)):
        inside = bin_of == number
        trials = np.stack([np.ones(int(inside.sum())), is_hsil[inside]], axis=1)
        bins.append(
            ReliabilityBin(
                low=float(low),
                high=float(high),
                mean_prob=float(prob[inside].mean()),
                observed=share_by_patients(trials, patients[inside].tolist()),
            )
        )
    return tuple(bins)


def fit_calibration(labels: Sequence[Label], probs: Sequence[float], *, share: float) -> Calibration:
    """Temperature and intercept for a network that was taught both labels as equally frequent, see `Calibration`.

    A network whose loss weighs a rare label as much as a frequent one says how likely HSIL is where both are equally
    frequent. Its logit is too high by the logarithm of the weights' ratio, which is taken out exactly: the intercept is
    logit(share) plus the network's own lean, a. On the validation side, whose share of HSIL is its own, temperature T
    and lean a are fitted together by penalised likelihood: labels ~ z / T + a + logit(validation's share), with log T
    and a held to 0 by normal distributions of standard deviation 0.5. With few cases of a label the fit stays near the
    exact subtraction, with many the penalty is of no weight; without both labels nothing is fitted. The temperature
    lies between 0.25 and 8.

    Args:
        labels: Label of each validation image.
        probs: The network's own probability of HSIL of each, in the same order.
        share: Share of HSIL that the probabilities are to be calibrated for, between 0 and 1.

    Raises:
        ValueError: The two are not of one length, or a probability or the share is none.

    Source: Platt 1999, "Probabilistic outputs for support vector machines", and Cox 1958, "Two further applications of
        a model for binary regression", for slope and intercept; Saerens et al. 2002, "Adjusting the outputs of a
        classifier to new a priori probabilities", for the shift of the share; Guo et al. 2017, "On calibration of
        modern neural networks", for the temperature.
    """
    if len(labels) != len(probs):
        raise ValueError(f"{len(labels)} labels, but {len(probs)} probabilities")
    if not 0 < share < 1:
        raise ValueError(f"a share of {share} of HSIL leaves nothing to tell apart")
    logits = _logit(_probabilities(probs))
    is_hsil = np.asarray([label is Label.HSIL for label in labels], np.bool_)
    wanted = float(logit(share))
    if is_hsil.all() or not is_hsil.any():
        return Calibration(1.0, wanted)
    lean, log_temperature = _fitted(logits, is_hsil, float(logit(is_hsil.mean())))
    return Calibration(float(np.exp(log_temperature)), wanted + lean)


def _fitted(logits: npt.NDArray[np.float64], is_hsil: npt.NDArray[np.bool_], shift: float) -> tuple[float, float]:
    """Lean and logarithm of the temperature of the highest penalised likelihood."""
    sign = np.where(is_hsil, 1.0, -1.0)

    def loss(at: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        lean, log_temperature = at
        cooled = logits * np.exp(-log_temperature)
        margins = sign * (cooled + lean + shift)
        pull = -sign * expit(-margins)
        penalty = (at**2).sum() / (2 * _PRIOR_SD**2)
        slopes = np.asarray([pull.sum(), -(pull * cooled).sum()]) + at / _PRIOR_SD**2
        return float(np.logaddexp(0, -margins).sum() + penalty), slopes

    bounds = [(None, None), (np.log(COOLEST), np.log(HOTTEST))]
    optimum = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(optimum.x[0]), float(optimum.x[1])


def apply_calibration(prob: float, calibration: Calibration) -> float:
    """A network's own probability of HSIL as a calibrated one.

    The order of cases stays. A threshold chosen on a network's own probabilities has to be taken through it as well,
    else calls change. Probabilities nearer to 0 or 1 than 1e-15 count as that near, so that certainty can be brought
    down. Where the calibration changes nothing, the probability is returned as it is.

    Raises:
        ValueError: The probability does not lie between 0 and 1, or the temperature is not above 0.

    Source: Guo et al. 2017, equation 9, for two classes, and an intercept.
    """
    if not 0 <= prob <= 1 or not calibration.temperature > 0:
        raise ValueError(f"a probability of {prob} at a temperature of {calibration.temperature} cannot be")
    if calibration == Calibration():
        return prob
    return float(expit(_logit(np.asarray(prob)) / calibration.temperature + calibration.intercept))


def within_rounding(prob: float) -> float:
    """A probability, no nearer to 0 or 1 than 1e-15: what is nearer is rounding, and is taken as equal."""
    return float(np.clip(prob, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN))


def calibration_figures(judged: Sequence[Judged]) -> CalibrationFigures:
    """Mean probability beside the observed share, and the slope, with intervals by patients.

    The slope is that of a logistic regression of the label on the probability's logit. Both intervals take rows of one
    patient together (a sandwich covariance over patients, with t on one degree of freedom less than patients). That of
    the slope is given where there are at least 20 patients of either label, and neither is ranked wholly above the
    other.

    Args:
        judged: One row an image, or one a case.

    Raises:
        ValueError: A probability does not lie between 0 and 1.

    Source: Cox 1958; Van Calster et al. 2016, "A calibration hierarchy for risk models was defined", for calibration in
        the large and the slope; Liang and Zeger 1986 for the covariance.
    """
    is_hsil, prob = _columns(judged)
    patients = _patients(judged)
    trials = np.stack([np.ones_like(is_hsil), is_hsil], axis=1)
    return CalibrationFigures(
        n=len(judged),
        n_patients=len(set(patients)),
        mean_prob=float(prob.mean()) if len(prob) else None,
        observed=share_by_patients(trials, patients),
        in_the_large=_in_the_large(prob - is_hsil, patients),
        slope=_slope(is_hsil, _logit(prob), patients),
    )


def _in_the_large(apart: npt.NDArray[np.float64], patients: Sequence[int]) -> Estimate:
    """The mean with an interval from how far the patients' sums lie from it."""
    n_patients = len(set(patients))
    if not len(apart):
        return Estimate(value=None, low=None, high=None, n_patients=0, n_images=0)
    mean = float(apart.mean())
    estimate = Estimate(value=mean, low=None, high=None, n_patients=n_patients, n_images=len(apart))
    if n_patients < 2:
        return estimate
    _, group = np.unique(np.asarray(patients), return_inverse=True)
    sums = np.bincount(group, weights=apart - mean)
    error = float(np.sqrt((sums**2).sum() * n_patients / (n_patients - 1))) / len(apart)
    half = float(student_t.ppf(0.975, n_patients - 1)) * error
    return replace(estimate, low=max(-1.0, mean - half), high=min(1.0, mean + half)) if half > 0 else estimate


def _slope(is_hsil: npt.NDArray[np.float64], logits: npt.NDArray[np.float64], patients: Sequence[int]) -> Estimate:
    counted = Estimate(value=None, low=None, high=None, n_patients=len(set(patients)), n_images=len(patients))
    if min(is_hsil.sum(), len(is_hsil) - is_hsil.sum()) < 2 or not np.ptp(logits) > 0 or _parts(is_hsil, logits):
        return counted
    design = np.stack([np.ones_like(logits), logits], axis=1)
    at = _logistic(design, is_hsil)
    if at is None:
        return counted
    value = float(at[1])
    of_patients = np.asarray(patients)
    n_hsil, n_normal = (len(set(of_patients[is_hsil == label])) for label in (1, 0))
    missing = too_few(n_hsil, n_normal, fewest=LEAST_FOR_A_SLOPE, of="patients")
    if missing is not None:
        return replace(counted, value=value, missing=missing)
    half = float(student_t.ppf(0.975, counted.n_patients - 1)) * _slope_error(design, is_hsil, at, patients)
    return replace(counted, value=value, low=value - half, high=value + half)


def _parts(is_hsil: npt.NDArray[np.float64], logits: npt.NDArray[np.float64]) -> bool:
    """Whether one label is ranked wholly above the other: the likeliest slope is then without bound."""
    hsil, normal = logits[is_hsil > 0], logits[is_hsil == 0]
    return bool(hsil.min() >= normal.max() or hsil.max() <= normal.min())


def _logistic(design: npt.NDArray[np.float64], is_hsil: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Intercept and slope of the highest likelihood by Newton's steps; None where they do not settle."""
    at = np.asarray([0.0, 1.0])
    for _ in range(_MOST_STEPS):
        fitted = expit(design @ at)
        score = design.T @ (is_hsil - fitted)
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        if not np.linalg.cond(information) < _WORST_CONDITION:
            return None
        step = np.linalg.solve(information, score)
        at = at + step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), _LONGEST_STEP))
        if float(np.abs(step).max()) < _SETTLED:
            return at
    return None


def _slope_error(
    design: npt.NDArray[np.float64],
    is_hsil: npt.NDArray[np.float64],
    at: npt.NDArray[np.float64],
    patients: Sequence[int],
) -> float:
    """Standard error of the slope by a sandwich over patients, enlarged by patients / (patients - 1)."""
    fitted = expit(design @ at)
    information = (design * (fitted * (1 - fitted))[:, None]).T @ design
    _, group = np.unique(np.asarray(patients), return_inverse=True)
    scores = np.zeros((int(group.max()) + 1, 2))
    np.add.at(scores, group, design * (is_hsil - fitted)[:, None])
    bread = np.linalg.inv(information)
    meat = scores.T @ scores * len(scores) / (len(scores) - 1)
    return float(np.sqrt((bread @ meat @ bread)[1, 1]))


def _logit(prob: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(logit(np.clip(prob, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)), np.float64)


def _columns(judged: Sequence[Judged]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    is_hsil = np.asarray([row.label is Label.HSIL for row in judged], np.float64)
    return is_hsil, _probabilities([row.prob_hsil for row in judged])


def _probabilities(values: Sequence[float]) -> npt.NDArray[np.float64]:
    probs = np.asarray(values, np.float64)
    if not ((probs >= 0) & (probs <= 1)).all():
        raise ValueError("a probability lies between 0 and 1")
    return probs


def _patients(judged: Sequence[Judged]) -> list[int]:
    return [row.patient_id for row in judged]


def _inner_edges(prob: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Edges between bins of equal mass, each half-way between two neighbours in rank."""
    count = min(MOST_BINS, max(1, len(prob) // LEAST_IN_BIN))
    rising = np.sort(prob)
    cuts = np.arange(1, count) * len(prob) // count
    edges = np.unique((rising[cuts - 1] + rising[cuts]) / 2)
    # Among equal probabilities an edge may have nothing between it and the edge before: such a bin falls away.
    below = np.searchsorted(rising, edges, side="left")
    return np.asarray(edges[np.diff(below, prepend=0) > 0])


def _bin_of(prob: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.searchsorted(edges, prob, side="right")
