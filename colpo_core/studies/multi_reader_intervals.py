"""What stands beside a figure of several readers: degrees of freedom, non-inferiority, reasons and cautions."""

from collections.abc import Iterator
from math import floor

import numpy as np
import numpy.typing as npt

from colpo_core.records.statistics.multi_reader_figures import (
    U_STATISTIC,
    AgainstModel,
    Basis,
    Comparison,
    ManyReaders,
    NonInferiority,
)
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.multi_reader_readings import ChosenReadings, Judging, cases_df, fewest_units
from colpo_core.studies.obuchowski_rockette import (
    NEAR_AN_END,
    USUAL,
    Chance,
    covariance_parts,
    non_inferiority,
    single_arm,
    skewed_low,
)
from colpo_core.studies.u_statistics import Estimated

_Floats = npt.NDArray[np.float64]
_TWO = 2
_FEW_NEAR_ONE = 50
_NOTHING_VARIES = "nothing varies between readers and cases"
_BELOW_ZERO = "the estimate of the variance came out below 0"
TWO_READERS = (
    "Two readers say little about other readers: these figures rest on one difference between two people. In "
    "simulations the 95% interval of their difference from another arm or a model holds the truth in 89 to 97 of 100; "
    "with three readers or more it holds as it says."
)
CUT_AT_ZERO = "A covariance of the readers came out below 0, which chance can do in few cases, and was taken as 0."
SURER = (
    "For other readers the interval is narrower than for these readers alone. That cannot be true; the estimate came "
    "out too small by chance, and the wider interval is the one to quote."
)
AT_LEAST_THESE = (
    "For other readers the variance came out smaller than for these readers alone. That cannot be true, so the latter "
    "was taken."
)
NEAR_ONE = "So near 1 and with so few cases, the test finds a difference too rarely: that none was found says little."


def chance_for(chosen: ChosenReadings, endpoint: Endpoint) -> Chance:
    """Areas of independent cases as published; see `docs/adr/0033` for the rest."""
    if chosen.patients is not None:
        return Chance(cases_df(chosen, endpoint), is_bounded=True)
    return USUAL if endpoint is Endpoint.AUC else Chance(is_bounded=True)


def skewed_bound(
    figures: _Floats, matrix: _Floats, comparison: Comparison, careful: Chance, judging: Judging
) -> float | None:
    """The lower bound of the first arm minus the second that allows for the skew of figures near 1.

    Args:
        figures: Shape (2, readers).
        matrix: Their covariance, shape (2 * readers, 2 * readers).
        comparison: The two arms with random readers and cases.
        careful: Degrees of freedom and bounds of the variance.
        judging: How.
    """
    if comparison.se is None:
        return None
    n_readers = figures.shape[1]
    sides = []
    for arm, of_arm in enumerate(figures):
        of_readers = slice(arm * n_readers, (arm + 1) * n_readers)
        alone = single_arm(
            of_arm, covariance_parts(matrix[of_readers, of_readers], arms=1, readers=n_readers), chance=careful
        )
        sides.append((alone.auc, alone.se or 0.0))
    return skewed_low(sides[0], sides[1], se=comparison.se, df=comparison.df2, alpha=judging.alpha)


def model_non_inferiority(
    comparison: AgainstModel, model: tuple[float, float], readers: tuple[float, float], judging: Judging
) -> NonInferiority:
    """Non-inferiority of the model: its own figure minus the readers'."""
    turned = None if comparison.ci is None else (-comparison.ci[1], -comparison.ci[0])
    by_u = comparison.basis is not None and comparison.basis.method == U_STATISTIC
    df = whole_df(comparison.df) if by_u else comparison.df
    skewed = None if comparison.se is None else skewed_low(model, readers, se=comparison.se, df=df, alpha=judging.alpha)
    return non_inferiority(turned, judging.margin or 0.0, skewed=skewed)


def undecided_non_inferiority(judging: Judging) -> NonInferiority | None:
    """Non-inferiority of which nothing can be told, since there is no interval; None without a margin."""
    return None if judging.margin is None else non_inferiority(None, judging.margin)


def why_no_interval(se: float | None, reason: str | None, estimated: Estimated | None = None) -> str | None:
    """The given reason, else the one that follows from a missing standard error; None where there is one."""
    if reason is not None or se is not None:
        return reason
    return _BELOW_ZERO if estimated is not None and estimated.variance < 0 else _NOTHING_VARIES


def cautions_for(chosen: ChosenReadings, judging: Judging, figures: _Floats, of_cases: float) -> Iterator[str]:
    """What to mind of figures of shape (arms, readers), and of the covariance that stands for the cases."""
    if figures.shape[1] == _TWO:
        yield TWO_READERS
    if of_cases < 0:
        yield CUT_AT_ZERO
    if (
        len(figures) == _TWO
        and figures.mean() > NEAR_AN_END
        and min(fewest_units(chosen, judging.endpoint)) < _FEW_NEAR_ONE
    ):
        yield NEAR_ONE


def whole_df(df: float | None) -> float | None:
    """Degrees of freedom rounded down."""
    return None if df is None else float(floor(df))


def difference_alone(means: dict[str, float], difference: float, basis: Basis) -> ManyReaders:
    """A difference of which nothing else is known."""
    return ManyReaders(
        auc=means, difference=difference, se=None, f=None, df2=None, p=None, ci=None, cov1=None, cov2=None, cov3=None,
        error_variance=None, fixed_readers=None, fixed_cases=None, basis=basis,
    )  # fmt: skip
