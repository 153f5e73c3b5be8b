"""Several readers judged together by U-statistics, on all ratings that there are."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from colpo_core.records.statistics.multi_reader_figures import AgainstModel, Covariance, ManyReaders, SingleArm
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.multi_reader_intervals import (
    TWO_READERS,
    difference_alone,
    model_non_inferiority,
    whole_df,
    why_no_interval,
)
from colpo_core.studies.multi_reader_readings import CannotJudge, ChosenReadings, Judging, endpoint_figures, too_few_for
from colpo_core.studies.obuchowski_rockette import bounded, logit_interval, non_inferiority, skewed_low
from colpo_core.studies.ratings import RatingTable
from colpo_core.studies.u_statistics import Estimated, u_statistic_arm, u_statistic_difference

_Floats = npt.NDArray[np.float64]
_TWO = 2
# Comparisons of two ratings that U-statistics of areas may take: some minutes of one core.
MOST_PAIRS = 4_000_000_000


def _u_statistic(readings: ChosenReadings, judging: Judging, against: _Floats | None = None) -> Estimated:
    _check_size(readings, judging)
    try:
        return u_statistic_arm(
            readings.truth, readings.rating[0], judging.endpoint, threshold=judging.threshold, against=against
        )
    except ValueError as error:
        raise CannotJudge(str(error)) from error


def _check_size(readings: ChosenReadings, judging: Judging) -> None:
    n_positive, n_arms, n_readers = int(readings.truth.sum()), *readings.rating.shape[:2]
    if judging.endpoint is Endpoint.AUC:
        pairs = n_positive * (len(readings.truth) - n_positive) * n_arms * n_readers
        if pairs > MOST_PAIRS:
            raise CannotJudge(
                f"U-statistics would take {pairs / 1e9:.0f} thousand million comparisons; take fewer cases"
            )


def mean_by_u_statistics(readings: ChosenReadings, judging: Judging) -> SingleArm:
    """The mean over the readers of one arm."""
    estimate = _u_statistic(readings, judging)
    few = too_few_for(readings, judging.endpoint)
    se, df = (None, None) if few else (estimate.se, estimate.df)
    ci = None if se is None else bounded(estimate.value, se, whole_df(df), judging.alpha, (0.0, 1.0))
    return SingleArm(
        estimate.value,
        se,
        df,
        None if ci is None else ci.ci,
        logit_interval(estimate.value, se, whole_df(df), judging.alpha),
        is_cut=ci is not None and ci.is_cut,
        reason=few or why_no_interval(se, None, estimate),
        basis=readings.basis,
    )


def compare_by_u_statistics(table: RatingTable, readings: ChosenReadings, judging: Judging) -> ManyReaders:
    """The first arm minus the second, over readers."""
    _check_size(readings, judging)
    arms = [replace(readings, rating=readings.rating[[arm]]) for arm in range(_TWO)]
    sides = [_u_statistic(arm, judging) for arm in arms]
    try:
        estimate = u_statistic_difference(
            readings.truth, readings.rating[0], readings.rating[1], judging.endpoint, threshold=judging.threshold
        )
    except ValueError as error:
        raise CannotJudge(str(error)) from error
    few = too_few_for(readings, judging.endpoint, is_difference=True)
    se, df = (None, None) if few else (estimate.se, estimate.df)
    ci = None if se is None else bounded(estimate.value, se, whole_df(df), judging.alpha, (-1.0, 1.0))
    verdict = None
    if judging.margin is not None:
        skewed = None if se is None else skewed_low(
            *((side.value, side.se or 0.0) for side in sides), se=se, df=whole_df(df), alpha=judging.alpha
        )  # fmt: skip
        verdict = non_inferiority(None if ci is None else ci.ci, judging.margin, skewed=skewed)
    means = {arm: side.value for arm, side in zip(table.arms, sides, strict=True)}
    return replace(
        difference_alone(means, estimate.value, readings.basis),
        se=se,
        f=None if se is None else (estimate.value / se) ** 2,
        df2=df,
        p=None if few else estimate.p(),
        ci=None if ci is None else ci.ci,
        non_inferiority=verdict,
        is_cut=ci is not None and ci.is_cut,
        reason=few or why_no_interval(se, None if ci is None else ci.reason, estimate),
        cautions=(TWO_READERS,) if len(readings.basis.readers) == _TWO else (),
    )


def against_by_u_statistics(readings: ChosenReadings, model: _Floats, judging: Judging) -> AgainstModel:
    """The readers of one arm minus a standalone model, whose ratings have shape (cases,) of every case."""
    own_ratings = model[readings.cases]
    estimate = _u_statistic(readings, judging, own_ratings)
    of_model = replace(readings, rating=own_ratings[None, None])
    figures, own_variance = endpoint_figures(of_model, own_ratings[None], replace(judging, method=Covariance.DELONG))
    alone = float(figures[0])
    few = too_few_for(readings, judging.endpoint, is_difference=True)
    se, df = (None, None) if few else (estimate.se, estimate.df)
    ci = None if se is None else bounded(estimate.value, se, whole_df(df), judging.alpha, (-1.0, 1.0))
    against = AgainstModel(
        alone,
        estimate.value,
        se,
        None if se is None else estimate.value / se,
        df,
        None if few else estimate.p(),
        None if ci is None else ci.ci,
        is_cut=ci is not None and ci.is_cut,
        reason=few or why_no_interval(se, None if ci is None else ci.reason, estimate),
        basis=readings.basis,
        cautions=(TWO_READERS,) if len(readings.basis.readers) == _TWO else (),
    )
    if judging.margin is None:
        return against
    readers = _u_statistic(readings, judging)
    verdict = model_non_inferiority(
        against, (alone, float(own_variance[0, 0]) ** 0.5), (readers.value, readers.se or 0.0), judging
    )
    return replace(against, non_inferiority=verdict)
