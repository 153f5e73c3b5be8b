"""Several readers judged together: two arms, one arm, an arm against a model, by cases or by patients."""

from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt

from colpo_core.records.statistics.multi_reader_figures import AgainstModel, ManyReaders, SingleArm
from colpo_core.studies.multi_reader_intervals import (
    AT_LEAST_THESE,
    SURER,
    cautions_for,
    chance_for,
    difference_alone,
    model_non_inferiority,
    skewed_bound,
    undecided_non_inferiority,
    why_no_interval,
)
from colpo_core.studies.multi_reader_readings import (
    Judging,
    all_readings,
    cases_df,
    chosen_readings,
    endpoint_figures,
    too_few_for,
)
from colpo_core.studies.multi_reader_u_statistics import (
    against_by_u_statistics,
    compare_by_u_statistics,
    mean_by_u_statistics,
)
from colpo_core.studies.obuchowski_rockette import (
    USUAL,
    Chance,
    against_model,
    covariance_parts,
    fixed_cases,
    fixed_readers,
    non_inferiority,
    random_readers_and_cases,
    single_arm,
)
from colpo_core.studies.ratings import RatingTable

_Floats = npt.NDArray[np.float64]
_TWO = 2


def compare_arms(table: RatingTable, judging: Judging, *, by_patient: bool = False) -> ManyReaders:
    """The first arm minus the second, over readers.

    Args:
        table: Of two arms.
        judging: How.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: See `chosen_readings` and `all_readings`.
    """
    if judging.u_statistic:
        return compare_by_u_statistics(table, all_readings(table, range(_TWO)), judging)
    readings = chosen_readings(table, range(_TWO), judging, by_patient=by_patient)
    n_arms, n_readers, _ = readings.rating.shape
    flat = readings.rating.reshape(n_arms * n_readers, -1)
    values, matrix = endpoint_figures(readings, flat, judging)
    figures = values.reshape(n_arms, n_readers)
    means = dict(zip(table.arms, figures.mean(axis=1).tolist(), strict=True))
    difference, few = (
        float(figures[0].mean() - figures[1].mean()),
        too_few_for(readings, judging.endpoint, is_difference=True),
    )
    if few is not None:
        # Nothing is claimed, so nothing is estimated: with one patient of a class it could not be.
        return replace(
            difference_alone(means, difference, readings.basis),
            reason=few,
            non_inferiority=undecided_non_inferiority(judging),
        )
    parts = covariance_parts(matrix, arms=n_arms, readers=n_readers)
    careful = Chance(cases_df(readings, judging.endpoint), is_bounded=True)
    chance = chance_for(readings, judging.endpoint)
    random_effects = random_readers_and_cases(figures, parts, alpha=judging.alpha, chance=chance)
    fixed = fixed_readers(figures, parts, alpha=judging.alpha, chance=USUAL if chance is USUAL else careful)
    verdict = None
    if judging.margin is not None:
        skewed = skewed_bound(
            figures, matrix, random_readers_and_cases(figures, parts, chance=careful), careful, judging
        )
        verdict = non_inferiority(random_effects.ci, judging.margin, skewed=skewed)
    cautions = list(cautions_for(readings, judging, figures, parts.cov2 - parts.cov3))
    if random_effects.se is not None and fixed.se is not None:
        if chance.is_bounded and np.isclose(random_effects.se, fixed.se, rtol=1e-12):
            cautions.append(AT_LEAST_THESE)
        elif random_effects.se < fixed.se:
            cautions.append(SURER)
    return ManyReaders(
        auc=means,
        difference=difference,
        **asdict(replace(random_effects, reason=why_no_interval(random_effects.se, random_effects.reason))),
        **asdict(parts),
        fixed_readers=fixed,
        fixed_cases=fixed_cases(figures, alpha=judging.alpha),
        basis=readings.basis,
        non_inferiority=verdict,
        cautions=tuple(cautions),
    )


def mean_of_arm(table: RatingTable, arm: int, judging: Judging, *, by_patient: bool = False) -> SingleArm:
    """The mean over the readers of one arm.

    Args:
        table: The ratings.
        arm: Index of the arm.
        judging: How.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: See `chosen_readings` and `all_readings`.
    """
    if judging.u_statistic:
        return mean_by_u_statistics(all_readings(table, [arm]), judging)
    readings = chosen_readings(table, [arm], judging, by_patient=by_patient)
    ratings = readings.rating[0]
    figures, matrix = endpoint_figures(readings, ratings, judging)
    few = too_few_for(readings, judging.endpoint)
    if few is not None:
        return SingleArm(float(figures.mean()), None, None, None, None, reason=few, basis=readings.basis)
    parts = covariance_parts(matrix, arms=1, readers=len(ratings))
    mean = single_arm(
        figures, parts, alpha=judging.alpha, chance=chance_for(readings, judging.endpoint),
        cases_df=cases_df(readings, judging.endpoint),
    )  # fmt: skip
    reason = None if mean.logit_ci is not None else why_no_interval(None, None)
    cautions = tuple(cautions_for(readings, judging, figures[None], parts.cov2))
    return replace(mean, reason=reason, basis=readings.basis, cautions=cautions)


def against_a_model(
    table: RatingTable, arm: int, model: _Floats, judging: Judging, *, by_patient: bool = False
) -> AgainstModel:
    """The readers of one arm minus a standalone model.

    Args:
        table: The ratings.
        arm: Index of the arm.
        model: Shape (cases,), of every case; where calls are judged, on the scale of the readers' threshold.
        judging: How; the margin is of non-inferiority of the model to the readers.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: See `chosen_readings` and `all_readings`.
    """
    if judging.u_statistic:
        return against_by_u_statistics(all_readings(table, [arm]), model, judging)
    readings = chosen_readings(table, [arm], judging, by_patient=by_patient)
    with_model = np.vstack([readings.rating[0], model[readings.cases]])
    figures, matrix = endpoint_figures(readings, with_model, judging)
    of_readers, own = figures[:-1], float(figures[-1])
    few = too_few_for(readings, judging.endpoint, is_difference=True)
    if few is not None:
        comparison = AgainstModel(own, float(of_readers.mean() - own), None, None, None, None, None)
        return replace(comparison, reason=few, basis=readings.basis, non_inferiority=undecided_non_inferiority(judging))
    n_readers = len(of_readers)
    against = np.hstack([np.eye(n_readers), -np.ones((n_readers, 1))])
    parts = covariance_parts(against @ matrix @ against.T, arms=1, readers=n_readers)
    careful = Chance(cases_df(readings, judging.endpoint), is_bounded=True)
    comparison = against_model(of_readers, own, parts, alpha=judging.alpha, chance=careful)
    reason = why_no_interval(comparison.se, comparison.reason)
    verdict = None
    if judging.margin is not None:
        alone = single_arm(
            of_readers, covariance_parts(matrix[:-1, :-1], arms=1, readers=n_readers), chance=careful
        )  # fmt: skip
        verdict = model_non_inferiority(
            comparison, (own, float(matrix[-1, -1]) ** 0.5), (alone.auc, alone.se or 0.0), judging
        )
    cautions = tuple(cautions_for(readings, judging, of_readers[None], parts.cov2))
    return replace(comparison, reason=reason, basis=readings.basis, non_inferiority=verdict, cautions=cautions)
