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
from scipy.stats import f as f_distribution
from scipy.stats import norm
from scipy.stats import t as t_distribution

from colpo_core.records.figures import Bounds
from colpo_core.records.reader_statistics import AgainstModel, Comparison, NonInferiority, SingleArm

_Floats = npt.NDArray[np.float64]
# Figures are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24


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


def random_readers_and_cases(figures: _Floats, parts: CovarianceParts, *, alpha: float = 0.05) -> Comparison:
    """The difference of two arms for other readers and other cases.

    Args:
        figures: Shape (2, readers), at least 2 readers: each reader's figure in each arm.
        parts: Of the same figures.
        alpha: 1 minus the interval's confidence.

    Source: Hillis 2007, equations 6 and 12; a negative Cov2 - Cov3 is taken as 0.
    """
    n_readers = figures.shape[1]
    _, by_both = mean_squares(figures)
    denominator = by_both + n_readers * max(parts.cov2 - parts.cov3, 0.0)
    df2 = denominator**2 / (by_both**2 / (n_readers - 1)) if by_both > _NO_VARIANCE else None
    return _compared(figures, denominator, df2, alpha=alpha)


def fixed_readers(figures: _Floats, parts: CovarianceParts, *, alpha: float = 0.05) -> Comparison:
    """The difference of two arms for these readers alone, on other cases.

    Args:
        figures: Shape (2, readers).
        parts: Of the same figures.
        alpha: 1 minus the interval's confidence.

    Source: Hillis et al. 2008, section on fixed readers; Obuchowski and Rockette 1995.
    """
    n_readers = figures.shape[1]
    variance = parts.error_variance - parts.cov1 + (n_readers - 1) * max(parts.cov2 - parts.cov3, 0.0)
    return _compared(figures, variance, None, alpha=alpha)


def fixed_cases(figures: _Floats, *, alpha: float = 0.05) -> Comparison:
    """The difference of two arms on these cases alone, for other readers: a paired t test over readers.

    Args:
        figures: Shape (2, readers), at least 2 readers.
        alpha: 1 minus the interval's confidence.

    Source: Hillis et al. 2008, section on fixed cases.
    """
    _, by_both = mean_squares(figures)
    return _compared(figures, by_both, float(figures.shape[1] - 1), alpha=alpha)


def single_arm(figures: _Floats, parts: CovarianceParts, *, alpha: float = 0.05) -> SingleArm:
    """One arm's mean over readers, for other readers and other cases.

    Args:
        figures: Shape (readers,), at least 2.
        parts: Of this arm alone.
        alpha: 1 minus the interval's confidence.

    Source: Hillis 2007 and Hillis et al. 2008, intervals of a single modality from its own mean squares and Cov2.
    """
    mean = float(figures.mean())
    se, df = _of_mean(figures, parts)
    return SingleArm(mean, se, df, None if se is None else _interval(mean, se, df, alpha))


def against_model(figures: _Floats, model: float, parts: CovarianceParts, *, alpha: float = 0.05) -> AgainstModel:
    """An arm's readers against one standalone model, for other readers and other cases; the model stays.

    Args:
        figures: Shape (readers,), at least 2.
        model: The model's figure on the same cases.
        parts: Of the readers' differences from the model, which share its errors.
        alpha: 1 minus the interval's confidence.

    Source: Chakraborty 2017, "Observer performance methods for diagnostic imaging", chapter 22: a single-treatment
        analysis of the differences; Hillis 2007 for the degrees of freedom.
    """
    difference = float(figures.mean() - model)
    se, df = _of_mean(figures, parts)
    if se is None:
        return AgainstModel(model, difference, None, None, None, None, None)
    t = difference / se
    p = float(2 * (norm.sf(abs(t)) if df is None else t_distribution.sf(abs(t), df)))
    return AgainstModel(model, difference, se, t, df, p, _interval(difference, se, df, alpha))


def non_inferiority(ci: Bounds | None, margin: float) -> NonInferiority:
    """Whether one is worse than another by less than a margin: the whole interval lies above minus it.

    Args:
        ci: Interval of the difference, the one that is tested minus the other; None where there is none.
        margin: Above 0.

    Raises:
        ValueError: The margin is not above 0.

    Source: Chen, Petrick and Sahiner 2012, "Hypothesis testing in noninferiority and equivalence MRMC ROC studies".
    """
    if margin <= 0:
        raise ValueError(f"a margin is above 0, not {margin}")
    low = None if ci is None else ci[0]
    return NonInferiority(margin, low, None if low is None else low > -margin)


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


def _compared(figures: _Floats, denominator: float, df2: float | None, *, alpha: float) -> Comparison:
    if denominator <= _NO_VARIANCE:
        return Comparison(None, None, None, None, None)
    n_readers = figures.shape[1]
    arms, _ = mean_squares(figures)
    f = arms / denominator
    p = float(2 * norm.sf(f**0.5)) if df2 is None else float(f_distribution.sf(f, 1, df2))
    se = (2 * denominator / n_readers) ** 0.5
    difference = float(figures[0].mean() - figures[1].mean())
    return Comparison(se, f, df2, p, _interval(difference, se, df2, alpha))


def _of_mean(figures: _Floats, parts: CovarianceParts) -> tuple[float | None, float | None]:
    """Standard error of a mean over readers, and its degrees of freedom."""
    n_readers = len(figures)
    by_reader = float(figures.var(ddof=1))
    variance = by_reader + n_readers * max(parts.cov2, 0.0)
    if variance <= _NO_VARIANCE:
        return None, None
    df = variance**2 / (by_reader**2 / (n_readers - 1)) if by_reader > _NO_VARIANCE else None
    return (variance / n_readers) ** 0.5, df


def _interval(value: float, se: float, df: float | None, alpha: float) -> Bounds:
    far = float(norm.isf(alpha / 2) if df is None else t_distribution.isf(alpha / 2, df))
    return value - far * se, value + far * se
