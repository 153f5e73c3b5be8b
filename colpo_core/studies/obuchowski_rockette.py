"""Several readers, one or two arms: the analysis of Obuchowski and Rockette with Hillis' degrees of freedom.

Readers read the same cases, so their figures vary together; the covariances, estimated over cases, correct the
analysis of variance of the readers' figures. It holds for any endpoint whose covariances can be estimated.

Source: Obuchowski and Rockette 1995, "Hypothesis testing of diagnostic accuracy for multiple readers and multiple
tests"; Hillis 2007, "A comparison of denominator degrees of freedom methods for multiple observer ROC analysis";
Hillis, Berbaum and Metz 2008, "Recent developments in the Dorfman-Berbaum-Metz procedure for multireader ROC study
analysis"; Hillis 2014, "A marginal-mean ANOVA approach for analyzing multireader multicase radiological imaging data".
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import f as f_distribution
from scipy.stats import norm
from scipy.stats import t as t_distribution

from colpo_core.records.statistics.figures import Bounds
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, Comparison, NonInferiority, SingleArm

_Floats = npt.NDArray[np.float64]
NEAR_AN_END = 0.95
"""From here on a mean over readers is near 1; from 1 minus this downwards it is near 0."""
_TWO_READERS, _FREEDOM_OF_TWO = 2, 3.0
# Figures are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24
_OF_DIFFERENCES = (-1.0, 1.0)


@dataclass(frozen=True)
class CovarianceParts:
    """What the analysis takes from the covariance matrix: its means by kind of pair.

    Attributes:
        error_variance: One reader, one arm.
        cov1: One reader, two arms; 0 with one arm.
        cov2: Two readers, one arm.
        cov3: Two readers, two arms; 0 with one arm.
    """

    error_variance: float
    cov1: float
    cov2: float
    cov3: float


def covariance_parts(matrix: _Floats, *, arms: int, readers: int) -> CovarianceParts:
    """Means of a covariance matrix by kind of pair.

    Args:
        matrix: Shape (arms * readers, arms * readers), the readers of an arm beside each other.
        arms: At least 1.
        readers: At least 2.
    """
    by_pair = matrix.reshape(arms, readers, arms, readers)
    same_arm = np.eye(arms, dtype=bool)[:, None, :, None] & np.ones((1, readers, 1, readers), dtype=bool)
    same_reader = np.eye(readers, dtype=bool)[None, :, None, :] & np.ones((arms, 1, arms, 1), dtype=bool)

    def mean(where: npt.NDArray[np.bool_]) -> float:
        return float(by_pair[where].mean()) if where.any() else 0.0

    return CovarianceParts(
        error_variance=mean(same_arm & same_reader),
        cov1=mean(~same_arm & same_reader),
        cov2=mean(same_arm & ~same_reader),
        cov3=mean(~same_arm & ~same_reader),
    )


@dataclass(frozen=True)
class Chance:
    """How far the usual analysis is departed from.

    Attributes:
        cases_df: Degrees of freedom of what varies with patients, where patients with several cases were counted; None
            where it varies with cases, and the usual analysis takes them as infinite.
        is_bounded: Whether the variance for other readers is at least that for these readers alone. The estimate can
            come out below it, since a covariance is taken as 0 where it is negative, though it cannot be true.
    """

    cases_df: float | None = None
    is_bounded: bool = False


USUAL = Chance()
"""As published, and as other programs compute it."""


def random_readers_and_cases(
    figures: _Floats, parts: CovarianceParts, *, alpha: float = 0.05, chance: Chance = USUAL
) -> Comparison:
    """The difference of two arms for other readers and other cases.

    Args:
        figures: Shape (2, readers), at least 2 readers: each reader's figure in each arm.
        parts: Of the same figures.
        alpha: 1 minus the interval's confidence.
        chance: How far the usual analysis is departed from.

    Source: Hillis 2007, equations 6 and 12; a negative Cov2 - Cov3 is taken as 0. Degrees of freedom of patients are
        added to those of readers after Satterthwaite 1946, "An approximate distribution of estimates of variance
        components".
    """
    n_readers = figures.shape[1]
    _, by_both = mean_squares(figures)
    of_cases = n_readers * max(parts.cov2 - parts.cov3, 0.0)
    denominator, df2 = by_both + of_cases, _joined_df(by_both, of_cases, n_readers, chance)
    these = _of_these_readers(parts, n_readers)
    if chance.is_bounded and these > denominator:
        denominator, df2 = these, chance.cases_df
    return _compared(figures, denominator, df2, alpha=alpha)


def fixed_readers(
    figures: _Floats, parts: CovarianceParts, *, alpha: float = 0.05, chance: Chance = USUAL
) -> Comparison:
    """The difference of two arms for these readers alone, on other cases.

    Args:
        figures: Shape (2, readers).
        parts: Of the same figures.
        alpha: 1 minus the interval's confidence.
        chance: Of it the degrees of freedom of patients.

    Source: Hillis et al. 2008, section on fixed readers; Obuchowski and Rockette 1995. The variance is that of the
        contrast c of both arms' means under the whole covariance matrix S, c'Sc, so no part of it is cut at 0.
    """
    return _compared(figures, _of_these_readers(parts, figures.shape[1]), chance.cases_df, alpha=alpha)


def fixed_cases(figures: _Floats, *, alpha: float = 0.05) -> Comparison:
    """The difference of two arms on these cases alone, for other readers: a paired t test over readers.

    Args:
        figures: Shape (2, readers), at least 2 readers.
        alpha: 1 minus the interval's confidence.

    Source: Hillis et al. 2008, section on fixed cases.
    """
    _, by_both = mean_squares(figures)
    return _compared(figures, by_both, float(figures.shape[1] - 1), alpha=alpha)


def single_arm(
    figures: _Floats,
    parts: CovarianceParts,
    *,
    alpha: float = 0.05,
    chance: Chance = USUAL,
    cases_df: float | None = None,
) -> SingleArm:
    """One arm's mean over readers, for other readers and other cases.

    Args:
        figures: Shape (readers,), at least 2.
        parts: Of this arm alone.
        alpha: 1 minus the intervals' confidence.
        chance: How far the usual analysis is departed from, but for the interval on the logit scale.
        cases_df: Degrees of freedom of what varies with cases or patients, for the interval on the logit scale, whose
            variance is at least that for these readers alone.

    Source: Hillis 2007 and Hillis et al. 2008, intervals of a single modality from its own mean squares and Cov2. By
        simulation (benchmarks/README.md) this interval covers too rarely near 1; on the logit scale, as in Pepe 2003,
        "The statistical evaluation of medical tests", section 5.3, it covers as it says. With two readers, and from
        `NEAR_AN_END` on, its degrees of freedom are limited: readers who are alike by chance, as those near 1 are, seem
        to vary little.
    """
    mean = float(figures.mean())
    se, df = _of_mean(figures, parts, chance)
    if se is None:
        return SingleArm(mean, None, None, None, None)
    interval = bounded(mean, se, df, alpha, (0.0, 1.0))
    careful_se, careful_df = _of_mean(figures, parts, Chance(cases_df, is_bounded=True))
    most = _of_few_readers(mean, len(figures))
    if most is not None:
        careful_df = most if careful_df is None else min(careful_df, most)
    logit_ci = logit_interval(mean, careful_se, careful_df, alpha)
    return SingleArm(mean, se, df, interval.ci, logit_ci, interval.is_cut, interval.reason)


def _of_few_readers(mean: float, readers: int) -> float | None:
    """The most degrees of freedom that an interval of a mean on the logit scale may have; None where it may have all.

    The numbers are those of the simulation in benchmarks/README.md.
    """
    if readers == _TWO_READERS:
        return _FREEDOM_OF_TWO
    return readers - 1.0 if max(mean, 1 - mean) >= NEAR_AN_END else None


def logit_interval(value: float, se: float | None, df: float | None, alpha: float) -> Bounds | None:
    """A t interval on the logit scale, which stays between 0 and 1; None of a value of 0 or 1, or without an error.

    Args:
        value: The figure, 0 to 1.
        se: Its standard error; None where nothing varies.
        df: Degrees of freedom; None where they are infinite.
        alpha: 1 minus the confidence.
    """
    if se is None or not 0 < value < 1:
        return None
    low, high = _interval(float(logit(value)), se / (value * (1 - value)), df, alpha)
    return float(expit(low)), float(expit(high))


def skewed_low(
    first: tuple[float, float], second: tuple[float, float], *, se: float, df: float | None, alpha: float = 0.05
) -> float:
    """Lower bound of a difference of two figures between 0 and 1 that minds how skewed each is near 0 and 1.

    Args:
        first: The first figure, above 0 and below 1, and its standard error.
        second: The second, likewise.
        se: Standard error of the difference, which says how much both vary together.
        df: Degrees of freedom; None where they are infinite.
        alpha: 1 minus the confidence of the two-sided interval whose lower bound it is.

    Source: Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on
        paired data", whose way of joining two intervals is that of Zou 2007, "Toward using confidence intervals to
        compare correlations"; the two are joined here on the logit scale.
    """
    (first_value, first_se), (second_value, second_se) = first, second
    low = logit_interval(first_value, first_se, df, alpha) or (first_value, first_value)
    high = logit_interval(second_value, second_se, df, alpha) or (second_value, second_value)
    down, up = first_value - low[0], high[1] - second_value
    shared = (first_se**2 + second_se**2 - se**2) / 2
    alike = max(-1.0, min(1.0, shared / (first_se * second_se))) if first_se * second_se > _NO_VARIANCE else 0.0
    return first_value - second_value - float(np.sqrt(max(0.0, down**2 - 2 * alike * down * up + up**2)))


def against_model(
    figures: _Floats, model: float, parts: CovarianceParts, *, alpha: float = 0.05, chance: Chance = USUAL
) -> AgainstModel:
    """An arm's readers against one standalone model, for other readers and other cases; the model stays.

    Args:
        figures: Shape (readers,), at least 2.
        model: The model's figure on the same cases.
        parts: Of the readers' differences from the model, which share its errors.
        alpha: 1 minus the interval's confidence.
        chance: How far the usual analysis is departed from.

    Source: Chakraborty 2017, "Observer performance methods for diagnostic imaging", chapter 22: a single-treatment
        analysis of the differences; Hillis 2007 for the degrees of freedom.
    """
    difference = float(figures.mean() - model)
    se, df = _of_mean(figures, parts, chance)
    if se is None:
        return AgainstModel(model, difference, None, None, None, None, None)
    t = difference / se
    p = float(2 * (norm.sf(abs(t)) if df is None else t_distribution.sf(abs(t), df)))
    interval = bounded(difference, se, df, alpha, _OF_DIFFERENCES)
    return AgainstModel(model, difference, se, t, df, p, interval.ci, is_cut=interval.is_cut, reason=interval.reason)


@dataclass(frozen=True)
class Bounded:
    """An interval within what the figure can be.

    Attributes:
        ci: The interval; None where it would hold every possible value.
        is_cut: Whether it was cut.
        reason: Why there is none.
    """

    ci: Bounds | None
    is_cut: bool
    reason: str | None = None


def bounded(value: float, se: float, df: float | None, alpha: float, possible: Bounds) -> Bounded:
    """A t interval, or a normal one, cut at what the figure can be.

    Args:
        value: The figure.
        se: Its standard error.
        df: Degrees of freedom; None where they are infinite.
        alpha: 1 minus the confidence.
        possible: The least and the greatest that the figure can be.
    """
    low, high = _interval(value, se, df, alpha)
    if low <= possible[0] and high >= possible[1]:
        return Bounded(None, False, "it would hold every value that is possible")
    cut = max(low, possible[0]), min(high, possible[1])
    return Bounded(cut, cut != (low, high))


def non_inferiority(ci: Bounds | None, margin: float, *, skewed: float | None = None) -> NonInferiority:
    """Whether one is worse than another by less than a margin: the whole interval lies above minus it.

    Args:
        ci: Interval of the difference, the one that is tested minus the other; None where there is none.
        margin: Above 0.
        skewed: Another lower bound, see `skewed_low`; the lower one of both decides.

    Raises:
        ValueError: The margin is not above 0.

    Source: Chen, Petrick and Sahiner 2012, "Hypothesis testing in noninferiority and equivalence MRMC ROC studies".
        Near 1 the better arm varies less, so that at the margin the plain interval shows too often what is not there;
        the simulations are in benchmarks/README.md.
    """
    if margin <= 0:
        raise ValueError(f"a margin is above 0, not {margin}")
    if ci is None:
        return NonInferiority(margin, None, None)
    lowest = ci[0] if skewed is None else min(ci[0], skewed)
    return NonInferiority(margin, ci[0], lowest > -margin, skewed)


def mean_squares(figures: _Floats) -> tuple[float, float]:
    """Mean squares of the arms, and of arms by readers; the second is 0 with one reader.

    Args:
        figures: Shape (arms, readers).
    """
    n_arms, n_readers = figures.shape
    grand, by_arm, by_reader = figures.mean(), figures.mean(axis=1), figures.mean(axis=0)
    arms = n_readers * ((by_arm - grand) ** 2).sum() / (n_arms - 1)
    rest = figures - by_arm[:, None] - by_reader[None, :] + grand
    return float(arms), float((rest**2).sum() / ((n_arms - 1) * (n_readers - 1))) if n_readers > 1 else 0.0


def _of_these_readers(parts: CovarianceParts, n_readers: int) -> float:
    """Half the variance of the difference times the readers, where cases alone vary: the scale of a mean square."""
    return parts.error_variance - parts.cov1 + (n_readers - 1) * (parts.cov2 - parts.cov3)


def _joined_df(by_reader: float, of_cases: float, n_readers: int, chance: Chance) -> float | None:
    """Degrees of freedom of the sum of both; None where they are infinite."""
    below = by_reader**2 / (n_readers - 1) if by_reader > _NO_VARIANCE else 0.0
    if chance.cases_df is not None:
        below += of_cases**2 / chance.cases_df
    return (by_reader + of_cases) ** 2 / below if below > 0 else None


def _compared(figures: _Floats, denominator: float, df2: float | None, *, alpha: float) -> Comparison:
    if denominator <= _NO_VARIANCE:
        return Comparison(None, None, None, None, None)
    n_readers = figures.shape[1]
    arms, _ = mean_squares(figures)
    f = arms / denominator
    p = float(2 * norm.sf(f**0.5)) if df2 is None else float(f_distribution.sf(f, 1, df2))
    se = (2 * denominator / n_readers) ** 0.5
    difference = float(figures[0].mean() - figures[1].mean())
    interval = bounded(difference, se, df2, alpha, _OF_DIFFERENCES)
    return Comparison(se, f, df2, p, interval.ci, interval.is_cut, interval.reason)


def _of_mean(figures: _Floats, parts: CovarianceParts, chance: Chance) -> tuple[float | None, float | None]:
    """Standard error of a mean over readers, and its degrees of freedom."""
    n_readers = len(figures)
    by_reader = float(figures.var(ddof=1))
    of_cases = n_readers * max(parts.cov2, 0.0)
    variance, df = by_reader + of_cases, _joined_df(by_reader, of_cases, n_readers, chance)
    these = parts.error_variance + (n_readers - 1) * parts.cov2
    if chance.is_bounded and these > variance:
        variance, df = these, chance.cases_df
    if variance <= _NO_VARIANCE:
        return None, None
    return (variance / n_readers) ** 0.5, df


def _interval(value: float, se: float, df: float | None, alpha: float) -> Bounds:
    far = float(norm.isf(alpha / 2) if df is None else t_distribution.isf(alpha / 2, df))
    return value - far * se, value + far * se
