"""How likely a study with two arms is to find a difference that is assumed: by simulation and by formula."""

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import ncf

from colpo_core.errors import InputRejected
from colpo_core.evaluation.intervals import wilson
from colpo_core.records.reader_statistics import Endpoint, PowerEstimate
from colpo_core.studies.endpoints import components, delong_covariance
from colpo_core.studies.obuchowski_rockette import covariance_parts, mean_squares, random_readers_and_cases
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS
from colpo_core.studies.roe_metz import RoeMetz, draw_ratings

MOST_STUDIES = 20_000
_MOST_READERS, _MOST_CASES = 100, 5_000


def estimate_power(
    aucs: tuple[float, float],
    *,
    n_readers: int,
    n_positive: int,
    n_negative: int,
    model: RoeMetz | None = None,
    alpha: float = 0.05,
    studies: int = 1000,
    seed: int = 0,
) -> PowerEstimate:
    """Power of the analysis for random readers and random cases, by area under the curve.

    Args:
        aucs: The areas that are assumed, of the first and the second arm, above 0.5 and below 1.
        n_readers: Readers, each of whom reads every case in both arms; at least 2.
        n_positive: Cases with the condition, at least 2.
        n_negative: Cases without it, at least 2.
        model: How ratings vary; see `draw_ratings`.
        alpha: Two-sided level of the test.
        studies: How many are simulated.
        seed: Seed of the simulation.

    Raises:
        InputRejected: A value makes no sense.

    Source: Hillis, Obuchowski and Berbaum 2011, "Power estimation for multireader ROC methods: an updated and unified
        approach": the noncentral F distribution with Hillis' degrees of freedom, its variances from the simulation.
    """
    _check(aucs, n_readers, n_positive, n_negative, alpha, studies)
    generator = np.random.default_rng(seed)
    found, by_both, beside = 0, np.zeros(studies), np.zeros(studies)
    for study in range(studies):
        truth, ratings = draw_ratings(
            generator, n_readers=n_readers, n_positive=n_positive, n_negative=n_negative, aucs=aucs, model=model
        )
        taken = components(truth, ratings.reshape(2 * n_readers, -1), Endpoint.AUC)
        figures = taken.value.reshape(2, n_readers)
        parts = covariance_parts(delong_covariance(taken), arms=2, readers=n_readers)
        test = random_readers_and_cases(figures, parts, alpha=alpha)
        found += test.p is not None and test.p < alpha
        by_both[study], beside[study] = mean_squares(figures)[1], n_readers * (parts.cov2 - parts.cov3)
    return PowerEstimate(
        simulated=wilson(found, studies),
        by_formula=_by_formula(
            aucs[0] - aucs[1], n_readers, float(by_both.mean()), max(0.0, float(beside.mean())), alpha
        ),
    )


def _by_formula(difference: float, n_readers: int, by_both: float, beside: float, alpha: float) -> float:
    """Power from the expected mean square of arms by readers, and what the cases add to it."""
    denominator = by_both + beside
    df2 = denominator**2 / (by_both**2 / (n_readers - 1))
    away = n_readers * difference**2 / 2 / denominator
    limit = f_distribution.isf(alpha, 1, df2)
    return float(ncf.sf(limit, 1, df2, away)) if away > 0 else alpha


def _check(
    aucs: tuple[float, float], n_readers: int, n_positive: int, n_negative: int, alpha: float, studies: int
) -> None:
    if not all(0.5 < auc < 1 for auc in aucs):
        raise InputRejected("An assumed area lies above 0.5 and below 1.")
    if not 2 <= n_readers <= _MOST_READERS:
        raise InputRejected(f"A study of this kind has 2 to {_MOST_READERS} readers.")
    if not (n_positive >= FEWEST_OF_A_CLASS <= n_negative and n_positive + n_negative <= _MOST_CASES):
        raise InputRejected(f"There are at least 2 cases of each class, and at most {_MOST_CASES} in all.")
    if not 0 < alpha < 1:
        raise InputRejected("Alpha lies between 0 and 1; 0.05 is usual.")
    if not 1 <= studies <= MOST_STUDIES:
        raise InputRejected(f"1 to {MOST_STUDIES} studies can be simulated.")
