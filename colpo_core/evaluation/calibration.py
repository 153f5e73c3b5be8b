"""Calibration: whether a probability of HSIL of 0.3 is HSIL three times in ten, and how to bring it nearer to that."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from colpo_core.evaluation.intervals import RESAMPLES, mean_by_patients, patient_bootstrap, share_by_patients
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.resampling import divided
from colpo_core.records.figures import Estimate, ReliabilityBin
from colpo_core.terms import Label

MOST_BINS = 10
LEAST_IN_BIN = 10
LEAST_OF_A_LABEL = 10
COOLEST, HOTTEST = 0.25, 8.0
# A 32-bit softmax says 1 from a logit of 17 on; nearer to 0 or 1 than this, a probability is rounding.
_NEAREST_TO_CERTAIN = 1e-7


def brier_estimate(judged: Sequence[Judged], *, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """Mean squared distance of the probability of HSIL from 1 (HSIL) or 0 (normal), with an interval by patients.

    0 is perfect, 0.25 is what 0.5 for everybody gets. It falls with better ranking as with better calibration.

    Args:
        judged: One row an image, or one a case.
        seed: Seed of the bootstrap.
        resamples: How many resamples it draws.

    Raises:
        ValueError: A probability does not lie between 0 and 1.

    Source: Brier 1950, "Verification of forecasts expressed in terms of probability", for one of the two classes.
    """
    is_hsil, prob = _columns(judged)
    return mean_by_patients((prob - is_hsil) ** 2, _patients(judged), within=(0.0, 1.0), seed=seed, n=resamples)


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
    place = _bin_of(prob, _inner_edges(prob))
    # One column a bin: what each case adds to the distance of its bin.
    apart = (is_hsil - prob)[:, None] * (place[:, None] == np.arange(MOST_BINS))
    found = patient_bootstrap(
        lambda weights: divided(np.abs(weights @ apart).sum(axis=1), weights.sum(axis=1)),
        _patients(judged),
        seed=seed,
        n=resamples,
    )
    if found.value is None or found.low is None or found.high is None:
        return found
    return replace(found, low=min(found.low, found.value), high=max(found.high, found.value))


def reliability(judged: Sequence[Judged], *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[ReliabilityBin, ...]:
    """The calibration curve: cases of similar probability, and how many of them were HSIL.

    Bins hold equally many cases: ten bins, or fewer so that each holds at least ten, and at least one. Equal
    probabilities always share a bin, so that with many of them bins differ in size, or fall away.

    Args:
        judged: One row an image, or one a case.
        seed: Seed of the bootstrap, where a patient stands behind several rows.
        resamples: How many resamples it draws.

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
    place = _bin_of(prob, edges)
    patients = np.asarray(_patients(judged))
    bins = []
    for number, (low, high) in enumerate(zip([0.0, *edges], [*edges, 1.0], strict=True)):
        inside = place == number
        trials = np.stack([np.ones(int(inside.sum())), is_hsil[inside]], axis=1)
        bins.append(
            ReliabilityBin(
                low=float(low),
                high=float(high),
                mean_prob=float(prob[inside].mean()),
                observed=share_by_patients(trials, patients[inside].tolist(), seed=seed, n=resamples),
            )
        )
    return tuple(bins)


def fit_temperature(labels: Sequence[Label], probs: Sequence[float]) -> float:
    """The temperature that makes the labels likeliest: each logit is divided by it, see `apply_temperature`.

    Above 1 the network was too sure of itself. It lies between 0.25 and 8, so that a handful of validation cases cannot
    turn every probability into 0.5 or into certainty. It is 1, which changes nothing, where it cannot be fitted:

    - fewer than ten cases of either label: one number is fitted, and ten events a number are the least that is usual
      (Peduzzi et al. 1996);
    - no case on the wrong side of 0.5: the likelihood then only grows as the temperature falls to 0, and such a
      side says nothing about how far to go.

    Args:
        labels: Label of each validation case (or image).
        probs: Probability of HSIL of each, in the same order.

    Raises:
        ValueError: The two are not of one length, or a probability does not lie between 0 and 1.

    Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2, for two classes.
    """
    if len(labels) != len(probs):
        raise ValueError(f"{len(labels)} labels, but {len(probs)} probabilities")
    counts = [sum(found is label for found in labels) for label in Label]
    margins = _margins(labels, probs)
    if min(counts) < LEAST_OF_A_LABEL or bool((margins >= 0).all()):
        return 1.0
    # In its logarithm, because halving and doubling are equally far; the likelihood has one peak in it.
    bounds = (float(np.log(COOLEST)), float(np.log(HOTTEST)))
    found = minimize_scalar(
        lambda log_temperature: _mean_loss(margins, np.exp(log_temperature)), bounds=bounds, method="bounded"
    )
    temperature = float(np.exp(found.x))
    return temperature if _mean_loss(margins, temperature) < _mean_loss(margins, 1.0) else 1.0


def apply_temperature(prob: float, temperature: float) -> float:
    """A probability of HSIL at a temperature: 1 / (1 + exp(-logit(prob) / temperature)).

    The order of cases stays, and so does 0.5; at a temperature of 1 nothing changes. A threshold chosen on uncalibrated
    probabilities has to be taken through it as well, else calls change. Probabilities nearer to 0 or 1 than 1e-7 count
    as that near: a network of 32 bits that says 1 means no more than that, and can be brought down from it.

    Raises:
        ValueError: The probability does not lie between 0 and 1, or the temperature is not above 0.

    Source: Guo et al. 2017, equation 9, for two classes.
    """
    if not 0 <= prob <= 1 or not temperature > 0:
        raise ValueError(f"a probability of {prob} at a temperature of {temperature} cannot be")
    return prob if temperature == 1 else float(expit(_logit(np.asarray(prob)) / temperature))


def _margins(labels: Sequence[Label], probs: Sequence[float]) -> npt.NDArray[np.float64]:
    """Logit of the right label of each case: above 0 where it got more than 0.5."""
    sign = np.asarray([1.0 if label is Label.HSIL else -1.0 for label in labels])
    return np.asarray(sign * _logit(_probabilities(probs)))


def _logit(prob: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(logit(np.clip(prob, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)), np.float64)


def _mean_loss(margins: npt.NDArray[np.float64], temperature: float) -> float:
    return float(np.logaddexp(0, -margins / temperature).mean())


def _columns(judged: Sequence[Judged]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    is_hsil = np.asarray([row.label is Label.HSIL for row in judged], np.float64)
    return is_hsil, _probabilities([row.prob_hsil for row in judged])


def _probabilities(values: Sequence[float]) -> npt.NDArray[np.float64]:
    found = np.asarray(values, np.float64)
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError("a probability lies between 0 and 1")
    return found


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
