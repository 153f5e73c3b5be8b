"""How likely a study is to find a difference that is assumed: by simulation and by formula."""

from dataclasses import dataclass, field
from functools import partial
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.stats import f as f_distribution
from scipy.stats import ncf, nct
from scipy.stats import t as t_distribution

from colpo_core.errors import InputRejected
from colpo_core.evaluation.intervals import wilson
from colpo_core.records.statistics.figures import Bounds
from colpo_core.records.statistics.power import PowerEstimate
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.endpoints import components, delong_covariance
from colpo_core.studies.obuchowski_rockette import (
    against_model,
    covariance_parts,
    mean_squares,
    random_readers_and_cases,
)
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS
from colpo_core.studies.roe_metz import RoeMetz, draw_ratings

MOST_STUDIES = 20_000
_MOST_READERS, _MOST_CASES = 100, 5_000
_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Assumed:
    """What is assumed of a study.

    Attributes:
        figures: The endpoint of the first arm, or of a standalone model, and of the second arm, or of the readers.
        n_readers: Readers, each of whom reads every case, in both arms where there are two; at least 2.
        n_positive: Cases with the condition, at least 2.
        n_negative: Cases without it, at least 2.
        endpoint: What both are judged by.
        standalone: Whether the first is a model that judges by itself, not an arm of the readers.
        margin: Non-inferiority of the first is to be shown at this margin; a difference where None.
        model: How ratings vary; see `draw_ratings`.
        alpha: Two-sided level of the test.
    """

    figures: tuple[float, float]
    n_readers: int
    n_positive: int
    n_negative: int
    endpoint: Endpoint = Endpoint.AUC
    standalone: bool = False
    margin: float | None = None
    model: RoeMetz = field(default_factory=RoeMetz)
    alpha: float = 0.05

    def check(self) -> None:
        """Check every value.

        Raises:
            InputRejected: A value makes no sense.
        """
        lowest = 0.5 if self.endpoint in {Endpoint.AUC, Endpoint.ACCURACY} else 0.0
        if not all(lowest < figure < 1 for figure in self.figures):
            raise InputRejected(f"An assumed {self.endpoint.value} lies above {lowest:g} and below 1.")
        if not 2 <= self.n_readers <= _MOST_READERS:
            raise InputRejected(f"A study of this kind has 2 to {_MOST_READERS} readers.")
        if not (
            self.n_positive >= FEWEST_OF_A_CLASS <= self.n_negative and self.n_positive + self.n_negative <= _MOST_CASES
        ):
            raise InputRejected(f"There are at least 2 cases of each class, and at most {_MOST_CASES} in all.")
        if not 0 < self.alpha < 1:
            raise InputRejected("Alpha lies between 0 and 1; 0.05 is usual.")
        if self.margin is not None and not 0 < self.margin < 1:
            raise InputRejected("The margin lies between 0 and 1, such as 0.05.")


@dataclass(frozen=True)
class _Found:
    """What one simulated study gives: its test, and what its formula needs."""

    ci: Bounds | None
    p: float | None
    by_reader: float
    by_cases: float


def estimate_power(assumed: Assumed, *, studies: int = 1000, seed: int = 0) -> PowerEstimate:
    """Power of the analysis for random readers and random cases.

    Raises:
        InputRejected: A value makes no sense.

    Source: Hillis, Obuchowski and Berbaum 2011, "Power estimation for multireader ROC methods: an updated and unified
        approach": the noncentral F distribution with Hillis' degrees of freedom, its variances from the simulation;
        for non-inferiority the noncentral t distribution likewise. Shares of calls are simulated by a threshold on
        ratings of the same model.
    """
    assumed.check()
    if not 1 <= studies <= MOST_STUDIES:
        raise InputRejected(f"1 to {MOST_STUDIES} studies can be simulated.")
    generator = np.random.default_rng(seed)
    judge = _against_readers if assumed.standalone else _two_arms
    verdicts = [judge(assumed, *_draw(assumed, generator)) for _ in range(studies)]
    by_reader, by_cases = (
        float(np.mean([getattr(study, name) for study in verdicts])) for name in ("by_reader", "by_cases")
    )
    return PowerEstimate(
        simulated=wilson(sum(_is_shown(assumed, study) for study in verdicts), studies),
        by_formula=_by_formula(assumed, by_reader, max(0.0, by_cases)),
    )


def _draw(assumed: Assumed, generator: np.random.Generator) -> tuple[_Bools, _Floats]:
    """Truth and ratings in which 0 is the threshold of calls."""
    normal = NormalDist()
    endpoint, figures = assumed.endpoint, assumed.figures
    # A standalone model takes the place of one reader more, who shares nothing with the others but the cases.
    n_readers = assumed.n_readers + assumed.standalone
    draw = partial(draw_ratings, generator, n_readers=n_readers, model=assumed.model, standalone=assumed.standalone)
    if endpoint is Endpoint.AUC:
        return draw(aucs=figures, n_positive=assumed.n_positive, n_negative=assumed.n_negative)
    # How many spreads apart the two classes lie.
    apart = [normal.inv_cdf(figure) * (2 if endpoint is Endpoint.ACCURACY else 1) for figure in figures]
    aucs = normal.cdf(apart[0] / 2**0.5), normal.cdf(apart[1] / 2**0.5)
    if endpoint is Endpoint.SPECIFICITY:
        # Read from the other side, specificity is sensitivity.
        truth, ratings = draw(aucs=aucs, n_positive=assumed.n_negative, n_negative=assumed.n_positive)
        return ~truth, -ratings
    truth, ratings = draw(aucs=aucs, n_positive=assumed.n_positive, n_negative=assumed.n_negative)
    if endpoint is Endpoint.ACCURACY:
        spreads = [assumed.model.spread] * 2
        if assumed.standalone:
            spreads[0] = assumed.model.own**0.5
        ratings -= (np.asarray(spreads) * apart / 2)[:, None, None]
    return truth, ratings


def _two_arms(assumed: Assumed, truth: _Bools, ratings: _Floats) -> _Found:
    n_readers = assumed.n_readers
    taken = components(truth, ratings.reshape(2 * n_readers, -1), assumed.endpoint, threshold=0)
    figures = taken.value.reshape(2, n_readers)
    parts = covariance_parts(delong_covariance(taken), arms=2, readers=n_readers)
    test = random_readers_and_cases(figures, parts, alpha=assumed.alpha)
    # Twice the mean squares by readers is what a difference of two arms varies by.
    return _Found(test.ci, test.p, 2 * mean_squares(figures)[1], 2 * (parts.cov2 - parts.cov3))


def _against_readers(assumed: Assumed, truth: _Bools, ratings: _Floats) -> _Found:
    every = np.vstack([ratings[1, 1:], ratings[0, :1]])
    taken = components(truth, every, assumed.endpoint, threshold=0)
    against = np.hstack([np.eye(assumed.n_readers), -np.ones((assumed.n_readers, 1))])
    covariance = against @ delong_covariance(taken) @ against.T
    parts = covariance_parts(covariance, arms=1, readers=assumed.n_readers)
    figures = taken.value[:-1]
    test = against_model(figures, float(taken.value[-1]), parts, alpha=assumed.alpha)
    turned = None if test.ci is None else (-test.ci[1], -test.ci[0])
    return _Found(turned, test.p, float(figures.var(ddof=1)), parts.cov2)


def _is_shown(assumed: Assumed, result: _Found) -> bool:
    if assumed.margin is not None:
        return result.ci is not None and result.ci[0] > -assumed.margin
    return result.p is not None and result.p < assumed.alpha


def _by_formula(assumed: Assumed, by_reader: float, by_cases: float) -> float:
    """Power from the expected variance between readers, and what the cases add to it."""
    n_readers, alpha = assumed.n_readers, assumed.alpha
    denominator = by_reader + n_readers * by_cases
    if denominator == 0:
        return alpha
    df2 = denominator**2 / (by_reader**2 / (n_readers - 1)) if by_reader > 0 else 1e6
    difference = assumed.figures[0] - assumed.figures[1]
    if assumed.margin is not None:
        away = (difference + assumed.margin) / (denominator / n_readers) ** 0.5
        return float(nct.sf(t_distribution.isf(alpha / 2, df2), df2, away))
    away = difference**2 / (denominator / n_readers)
    return float(ncf.sf(f_distribution.isf(alpha, 1, df2), 1, df2, away)) if away > 0 else alpha
