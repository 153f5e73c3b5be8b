"""What readers are judged by, as means over cases, and how the figures of readers of the same cases vary together.

Where several cases are of one patient, patients are what was drawn by chance: what the cases of a patient give to a
figure is summed first, a patient's diseased and healthy cases together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.placements import placements
from colpo_core.evaluation.resampling import divided, patient_weights, weighted_auc
from colpo_core.records.statistics.multi_reader_figures import Covariance
from colpo_core.records.statistics.reader_figures import Endpoint

RESAMPLES = 2000
_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int_]


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


def components(truth: _Bools, ratings: _Floats, endpoint: Endpoint, *, threshold: float | None = None) -> Components:
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
        placed = [placements(truth, rating) for rating in ratings]
        positive, negative = (np.stack(part) for part in zip(*placed, strict=True))
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
    truth: _Bools,
    ratings: _Floats,
    endpoint: Endpoint,
    method: Covariance,
    *,
    threshold: float | None = None,
    patients: _Ints | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> _Floats:
    """Covariance of the endpoint between vectors of ratings of the same cases, over other cases or other patients.

    Args:
        truth: Shape (cases,), at least two cases of each class.
        ratings: Shape (vectors, cases).
        endpoint: Which one.
        method: How: by DeLong, the jackknife or a bootstrap. The bootstrap draws cases of either class together;
            resamples without one of them are passed over.
        threshold: See `components`.
        patients: Shape (cases,): patient of each case, counted from 0; each case a patient of its own when None.
        seed: Seed of the bootstrap.
        resamples: How many it draws.

    Returns:
        Shape (vectors, vectors).

    Raises:
        ValueError: A threshold is missing.

    Source: DeLong et al. 1988; Quenouille 1956 and Tukey 1958 for the jackknife; Efron and Tibshirani 1993; for
        patients with several cases Obuchowski 1997, see `clustered_covariance`, the jackknife and the bootstrap leaving
        out and drawing whole patients.
    """
    if method is Covariance.BOOTSTRAP:
        return _bootstrapped(truth, ratings, endpoint, threshold, patients, seed=seed, resamples=resamples)
    parts = components(truth, ratings, endpoint, threshold=threshold)
    if method is Covariance.DELONG:
        return delong_covariance(parts) if patients is None else clustered_covariance(truth, parts, patients)
    if patients is not None:
        return _jackknifed_patients(truth, ratings, parts, endpoint, patients)
    return _jackknifed(parts, endpoint)


def delong_covariance(parts: Components) -> _Floats:
    """DeLong's covariance of the vectors' endpoints, shape (vectors, vectors)."""
    covariance_matrix = np.zeros((len(parts.value), len(parts.value)))
    for each in (parts.of_positive, parts.of_negative):
        covariance_matrix += np.atleast_2d(np.cov(each)) / each.shape[1]
    return covariance_matrix


def clustered_covariance(truth: _Bools, parts: Components, patients: _Ints) -> _Floats:
    """Covariance of the vectors' endpoints where several cases may be of one patient.

    With one case a patient it is `delong_covariance`.

    Args:
        truth: Shape (cases,).
        parts: Of these cases.
        patients: Shape (cases,): patient of each case, counted from 0; at least two patients with cases of each class.

    Returns:
        Shape (vectors, vectors).

    Source: Obuchowski 1997, "Nonparametric analysis of clustered ROC curve data", equations 3 to 5: placements less
        their mean are summed within patients, and patients with cases of both classes add a cross term. For shares of
        calls it is the variance of a ratio of sums over patients, as in Rao and Scott 1992, "A simple method for the
        analysis of clustered binary data", and Obuchowski 1998 for two arms.
    """
    n_patients = int(patients.max()) + 1
    sums, factors = [], []
    for each, of_class in ((parts.of_positive, patients[truth]), (parts.of_negative, patients[~truth])):
        away = (each - each.mean(axis=1, keepdims=True)) / each.shape[1]
        sums.append(np.stack([np.bincount(of_class, values, n_patients) for values in away]))
        factors.append(_surplus(len(np.unique(of_class))))
    positive, negative = sums
    across = positive @ negative.T
    return np.asarray(
        factors[0] * positive @ positive.T
        + factors[1] * negative @ negative.T
        + _surplus(len(np.unique(patients))) * (across + across.T)
    )


def _surplus(count: int) -> float:
    return count / (count - 1)


def _jackknifed(parts: Components, endpoint: Endpoint) -> _Floats:
    """Each case left out once: the endpoint is a mean over cases, so no ranking is done again."""
    if endpoint is Endpoint.ACCURACY:
        return _jackknifed_mean(parts)
    left = []
    for each, counts in (
        (parts.of_positive, endpoint is not Endpoint.SPECIFICITY),
        (parts.of_negative, endpoint is not Endpoint.SENSITIVITY),
    ):
        if counts:
            n = each.shape[1]
            left.append((n * parts.value[:, None] - each) / (n - 1))
    return _spread(np.concatenate(left, axis=1))


def _jackknifed_mean(parts: Components) -> _Floats:
    """The same for a mean over all cases, whatever their class."""
    n_positive, n_negative = parts.of_positive.shape[1], parts.of_negative.shape[1]
    n = n_positive + n_negative
    is_right = np.concatenate([parts.of_positive * n / n_positive, parts.of_negative * n / n_negative], axis=1)
    return _spread((n * parts.value[:, None] - is_right) / (n - 1))


def _jackknifed_patients(
    truth: _Bools, ratings: _Floats, parts: Components, endpoint: Endpoint, patients: _Ints
) -> _Floats:
    """Each patient left out once, with all her cases; of a share, each patient whose cases it is taken of."""
    n_patients = int(patients.max()) + 1
    positive, negative = patients[truth], patients[~truth]
    m1, m0 = (np.bincount(numbers, minlength=n_patients) for numbers in (positive, negative))
    n1, n0 = m1.sum(), m0.sum()
    of_positive = np.stack([np.bincount(positive, values, n_patients) for values in parts.of_positive])
    of_negative = np.stack([np.bincount(negative, values, n_patients) for values in parts.of_negative])
    if endpoint is Endpoint.AUC:
        within = _pairs_within(truth, ratings, patients)
        pairs = n1 * n0 * parts.value[:, None] - n0 * of_positive - n1 * of_negative + within
        left = pairs / ((n1 - m1) * (n0 - m0))
    elif endpoint is Endpoint.ACCURACY:
        n = n1 + n0
        # Each class's parts were weighed by its share of the cases.
        right = of_positive * n / n1 + of_negative * n / n0
        left = (n * parts.value[:, None] - right) / (n - m1 - m0)
    elif endpoint is Endpoint.SENSITIVITY:
        left = ((n1 * parts.value[:, None] - of_positive) / (n1 - m1))[:, m1 > 0]
    else:
        left = ((n0 * parts.value[:, None] - of_negative) / (n0 - m0))[:, m0 > 0]
    return _spread(left)


def _pairs_within(truth: _Bools, ratings: _Floats, patients: _Ints) -> _Floats:
    """Pairs of one patient's own cases that are ranked rightly, ties counting half: shape (vectors, patients)."""
    pairs = np.zeros((len(ratings), int(patients.max()) + 1))
    for patient in np.intersect1d(patients[truth], patients[~truth]):
        own = patients == patient
        positive, negative = ratings[:, own & truth], ratings[:, own & ~truth]
        apart = positive[:, :, None] - negative[:, None, :]
        pairs[:, patient] = ((apart > 0) + (apart == 0) / 2).sum(axis=(1, 2))
    return pairs


def _spread(every: _Floats) -> _Floats:
    count = every.shape[1]
    deviation = every - every.mean(axis=1, keepdims=True)
    return np.asarray((count - 1) / count * deviation @ deviation.T)


def _bootstrapped(
    truth: _Bools,
    ratings: _Floats,
    endpoint: Endpoint,
    threshold: float | None,
    patients: _Ints | None,
    *,
    seed: int,
    resamples: int,
) -> _Floats:
    drawn = []
    generator = np.random.default_rng(seed)
    rows = range(len(truth)) if patients is None else patients.tolist()
    for weights in patient_weights(rows, resamples=resamples, generator=generator):
        if endpoint is Endpoint.AUC:
            drawn.append(np.stack([weighted_auc(weights, truth, rating) for rating in ratings]))
            continue
        if threshold is None:
            raise ValueError("calls need a threshold")
        of_class = _judged(truth, endpoint)
        is_right = ((ratings >= threshold) == truth) & of_class
        drawn.append(divided(is_right.astype(np.float64) @ weights.T, np.tile(weights @ of_class, (len(ratings), 1))))
    every = np.concatenate(drawn, axis=1)
    return np.atleast_2d(np.cov(every[:, ~np.isnan(every).any(axis=0)]))


def _judged(truth: _Bools, endpoint: Endpoint) -> _Bools:
    """The cases that a share of calls is taken of."""
    if endpoint is Endpoint.ACCURACY:
        return np.ones_like(truth)
    return truth if endpoint is Endpoint.SENSITIVITY else ~truth
