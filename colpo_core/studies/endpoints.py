"""What readers are judged by, as means over cases, and how the figures of readers of the same cases vary together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.placements import placements
from colpo_core.evaluation.resampling import divided, patient_weights, weighted_auc
from colpo_core.records.reader_statistics import Covariance, Endpoint

RESAMPLES = 2000
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """An endpoint of each vector of ratings, taken apart into what each case gives to it.

    Attributes:
        value: Shape (vectors,): the endpoint.
        of_positive: Shape (vectors, positive cases): the endpoint is its mean, or it is constant; of accuracy, the
            mean times the share of such cases, so that the endpoint is the sum of both means.
        of_negative: Shape (vectors, negative cases): likewise.
    """

    value: _Floats
    of_positive: _Floats
    of_negative: _Floats


def components(
    truth: npt.NDArray[np.bool_], ratings: _Floats, endpoint: Endpoint, *, threshold: float | None = None
) -> Components:
    """Take an endpoint apart.

    For the area under the curve, a case gives the share of cases of the other class that it is ranked rightly against,
    ties counting half. For accuracy, sensitivity and specificity it gives 1 where its call is right, 0 where not.

    Args:
        truth: Shape (cases,), both classes among them.
        ratings: Shape (vectors, cases), higher for the condition.
        endpoint: Which one.
        threshold: A rating from here on is a positive call; needed for all but the area.

    Raises:
        ValueError: There is one class only, or a threshold is missing.

    Source: DeLong, DeLong and Clarke-Pearson 1988; Gallas 2006 for shares as the same thing with one class.
    """
    if truth.all() or not truth.any():
        raise ValueError("both classes are needed")
    if endpoint is Endpoint.AUC:
        found = [placements(truth, one) for one in ratings]
        positive, negative = (np.stack(part) for part in zip(*found, strict=True))
        return Components(positive.mean(axis=1), positive, negative)
    if threshold is None:
        raise ValueError("calls need a threshold")
    is_right = ((ratings >= threshold) == truth).astype(np.float64)
    positive, negative = is_right[:, truth], is_right[:, ~truth]
    if endpoint is Endpoint.ACCURACY:
        prevalence = truth.mean()
        return Components(is_right.mean(axis=1), prevalence * positive, (1 - prevalence) * negative)
    if endpoint is Endpoint.SENSITIVITY:
        return Components(positive.mean(axis=1), positive, np.ones_like(negative))
    return Components(negative.mean(axis=1), np.ones_like(positive), negative)


def covariance(
    truth: npt.NDArray[np.bool_],
    ratings: _Floats,
    endpoint: Endpoint,
    method: Covariance,
    *,
    threshold: float | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> _Floats:
    """Covariance of the endpoint between vectors of ratings of the same cases, over other cases.

    Args:
        truth: Shape (cases,), at least two cases of each class.
        ratings: Shape (vectors, cases).
        endpoint: Which one.
        method: How. The bootstrap draws cases of either class together; resamples without one of them are passed over.
        threshold: See `components`.
        seed: Seed of the bootstrap.
        resamples: How many it draws.

    Returns:
        Shape (vectors, vectors).

    Source: DeLong et al. 1988; Quenouille 1956 and Tukey 1958 for the jackknife; Efron and Tibshirani 1993.
    """
    if method is Covariance.BOOTSTRAP:
        return _bootstrapped(truth, ratings, endpoint, threshold, seed=seed, resamples=resamples)
    parts = components(truth, ratings, endpoint, threshold=threshold)
    if method is Covariance.DELONG:
        return delong_covariance(parts)
    return _jackknifed(parts, endpoint)


def delong_covariance(parts: Components) -> _Floats:
    """DeLong's covariance of the vectors' endpoints, shape (vectors, vectors)."""
    found = np.zeros((len(parts.value), len(parts.value)))
    for each in (parts.of_positive, parts.of_negative):
        found += np.atleast_2d(np.cov(each)) / each.shape[1]
    return found


def _jackknifed(parts: Components, endpoint: Endpoint) -> _Floats:
    """Each case left out once: the endpoint is a mean over cases, so no ranking is done again."""
    if endpoint is Endpoint.ACCURACY:
        return _jackknifed_mean(parts)
    left = []
    for each, counts in (
        (parts.of_positive, endpoint is not Endpoint.SPECIFICITY),
        (parts.of_negative, endpoint is not Endpoint.SENSITIVITY),
    ):
        n = each.shape[1]
        without = (n * parts.value[:, None] - each) / (n - 1) if counts else np.repeat(parts.value[:, None], n, axis=1)
        left.append(without)
    return _spread(np.concatenate(left, axis=1))


def _jackknifed_mean(parts: Components) -> _Floats:
    """The same for a mean over all cases, whatever their class."""
    n_positive, n_negative = parts.of_positive.shape[1], parts.of_negative.shape[1]
    n = n_positive + n_negative
    is_right = np.concatenate([parts.of_positive * n / n_positive, parts.of_negative * n / n_negative], axis=1)
    return _spread((n * parts.value[:, None] - is_right) / (n - 1))


def _spread(every: _Floats) -> _Floats:
    n_cases = every.shape[1]
    deviation = every - every.mean(axis=1, keepdims=True)
    return np.asarray((n_cases - 1) / n_cases * deviation @ deviation.T)


def _bootstrapped(
    truth: npt.NDArray[np.bool_],
    ratings: _Floats,
    endpoint: Endpoint,
    threshold: float | None,
    *,
    seed: int,
    resamples: int,
) -> _Floats:
    drawn = []
    generator = np.random.default_rng(seed)
    for weights in patient_weights(range(len(truth)), resamples=resamples, generator=generator):
        if endpoint is Endpoint.AUC:
            drawn.append(np.stack([weighted_auc(weights, truth, one) for one in ratings]))
            continue
        if threshold is None:
            raise ValueError("calls need a threshold")
        of_class = _judged(truth, endpoint)
        is_right = ((ratings >= threshold) == truth) & of_class
        drawn.append(divided(is_right.astype(np.float64) @ weights.T, np.tile(weights @ of_class, (len(ratings), 1))))
    every = np.concatenate(drawn, axis=1)
    return np.atleast_2d(np.cov(every[:, ~np.isnan(every).any(axis=0)]))


def _judged(truth: npt.NDArray[np.bool_], endpoint: Endpoint) -> npt.NDArray[np.bool_]:
    """The cases that a share of calls is taken of."""
    if endpoint is Endpoint.ACCURACY:
        return np.ones_like(truth)
    return truth if endpoint is Endpoint.SENSITIVITY else ~truth
