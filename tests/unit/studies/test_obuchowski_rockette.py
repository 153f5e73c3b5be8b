import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_rel

from colpo_core.records.statistics.multi_reader_figures import Covariance
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.endpoints import components, covariance
from colpo_core.studies.obuchowski_rockette import (
    Chance,
    CovarianceParts,
    against_model,
    covariance_parts,
    fixed_cases,
    fixed_readers,
    logit_interval,
    non_inferiority,
    random_readers_and_cases,
    single_arm,
    skewed_low,
)
from colpo_core.studies.roe_metz import RoeMetz, draw_ratings

FIGURES = arrays(np.float64, (2, 4), elements=st.floats(0.5, 1, allow_nan=False))
PARTS = CovarianceParts(error_variance=8e-4, cov1=3.4e-4, cov2=3.3e-4, cov3=2.4e-4)
NOTHING = CovarianceParts(0.0, 0.0, 0.0, 0.0)


def test_parts_are_means_by_kind_of_pair() -> None:
    matrix = np.arange(36.0).reshape(6, 6)
    matrix = matrix + matrix.T
    kinds: dict[tuple[bool, bool], list[float]] = {}
    for row in range(6):
        for column in range(6):
            kind = row // 3 == column // 3, row % 3 == column % 3
            kinds.setdefault(kind, []).append(matrix[row, column])
    parts = covariance_parts(matrix, arms=2, readers=3)
    assert parts.error_variance == pytest.approx(np.mean(kinds[True, True]))
    assert parts.cov1 == pytest.approx(np.mean(kinds[False, True]))
    assert parts.cov2 == pytest.approx(np.mean(kinds[True, False]))
    assert parts.cov3 == pytest.approx(np.mean(kinds[False, False]))
    alone = covariance_parts(matrix[:3, :3], arms=1, readers=3)
    assert (alone.cov1, alone.cov3) == (0, 0)


@given(FIGURES)
def test_turning_the_arms_round_turns_the_difference_round(figures: np.ndarray) -> None:
    here, there = (random_readers_and_cases(one, PARTS) for one in (figures, figures[::-1]))
    assert here.p == pytest.approx(there.p)
    assert here.ci == pytest.approx([-there.ci[1], -there.ci[0]])
    assert sum(here.ci) / 2 == pytest.approx(figures[0].mean() - figures[1].mean())


@given(FIGURES, st.permutations(range(4)))
def test_the_order_of_readers_does_not_matter(figures: np.ndarray, order: list[int]) -> None:
    assert random_readers_and_cases(figures[:, order], PARTS).p == pytest.approx(
        random_readers_and_cases(figures, PARTS).p
    )


@given(FIGURES)
def test_an_interval_without_zero_goes_with_a_small_p(figures: np.ndarray) -> None:
    for found in (random_readers_and_cases(figures, PARTS), fixed_readers(figures, PARTS), fixed_cases(figures)):
        if found.ci is not None and found.p is not None and abs(found.p - 0.05) > 1e-6:
            assert (found.ci[0] <= 0 <= found.ci[1]) == (found.p > 0.05)


def test_fixed_cases_are_a_paired_t_test_over_readers() -> None:
    figures = np.asarray([[0.8, 0.9, 0.85, 0.7], [0.82, 0.93, 0.84, 0.79]])
    found, expected = fixed_cases(figures), ttest_rel(*figures)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.f == pytest.approx(expected.statistic**2)
    assert found.ci == pytest.approx(tuple(expected.confidence_interval()))


def test_readers_who_do_not_differ_leave_the_chance_of_the_cases() -> None:
    figures = np.asarray([[0.8, 0.8, 0.8], [0.75, 0.75, 0.75]])
    found = random_readers_and_cases(figures, PARTS)
    assert found.df2 is None
    assert found.se == pytest.approx((2 * (PARTS.cov2 - PARTS.cov3)) ** 0.5)
    single = single_arm(figures[0], PARTS)
    assert (single.df, single.se) == (None, pytest.approx(PARTS.cov2**0.5))


def test_where_nothing_varies_nothing_is_claimed() -> None:
    figures = np.ones((2, 3))
    for found in (random_readers_and_cases(figures, NOTHING), fixed_readers(figures, NOTHING), fixed_cases(figures)):
        assert (found.se, found.f, found.p, found.ci) == (None, None, None, None)
    assert single_arm(figures[0], NOTHING).ci is None
    assert against_model(figures[0], 0.9, NOTHING).p is None
    assert non_inferiority(fixed_cases(figures).ci, 0.05).is_shown is None


def test_a_negative_part_is_taken_as_none() -> None:
    figures = np.asarray([[0.8, 0.9, 0.85], [0.7, 0.95, 0.8]])
    negative = CovarianceParts(8e-4, 3e-4, 1e-4, 4e-4)
    found, alone = random_readers_and_cases(figures, negative), fixed_cases(figures)
    assert (found.f, found.df2) == pytest.approx((alone.f, 2))
    single = single_arm(figures[0], CovarianceParts(8e-4, 0, -1e-4, 0))
    assert (single.se, single.df) == pytest.approx(((0.0025 / 3) ** 0.5, 2))


def test_these_readers_vary_as_the_whole_covariance_says() -> None:
    figures = np.asarray([[0.8, 0.9, 0.85], [0.7, 0.95, 0.8]])
    generator = np.random.default_rng(0)
    for _ in range(20):
        drawn = generator.normal(size=(6, 9)) * 0.01
        matrix = drawn @ drawn.T
        contrast = np.repeat([1 / 3, -1 / 3], 3)
        found = fixed_readers(figures, covariance_parts(matrix, arms=2, readers=3))
        assert found.se == pytest.approx(float(contrast @ matrix @ contrast) ** 0.5)


def test_no_interval_leaves_what_the_figure_can_be() -> None:
    wide = CovarianceParts(error_variance=0.09, cov1=0, cov2=0.08, cov3=0)
    single = single_arm(np.asarray([0.9, 1.0, 0.95]), wide, cases_df=9)
    assert single.ci is None or single.ci[1] <= 1
    assert 0 < single.logit_ci[0] < 0.95 < single.logit_ci[1] < 1
    high = single_arm(np.asarray([0.9, 1.0, 0.95]), CovarianceParts(4e-3, 0, 3e-3, 0))
    assert (high.ci or (0, 0))[1] == 1
    assert high.is_cut
    two = random_readers_and_cases(np.asarray([[0.5, 1.0], [0.9, 0.4]]), PARTS)
    assert two.ci is None
    assert two.p is not None
    assert two.reason == "it would hold every value that is possible"


def test_other_readers_are_never_surer_than_these_where_that_is_asked_for() -> None:
    figures = np.asarray([[0.80, 0.90, 0.85], [0.79, 0.90, 0.84]])
    negative = CovarianceParts(8e-4, 3e-4, 3e-4, 4e-4)
    usual, bound = (random_readers_and_cases(figures, negative, chance=Chance(is_bounded=one)) for one in (False, True))
    these = fixed_readers(figures, negative)
    assert usual.se < these.se
    assert bound.se == pytest.approx(these.se)
    few = random_readers_and_cases(figures, PARTS, chance=Chance(cases_df=9))
    many = random_readers_and_cases(figures, PARTS)
    assert few.se == many.se
    assert (few.df2 or 0) < (many.df2 or 1e9)


def test_near_one_the_bound_of_non_inferiority_is_lower() -> None:
    near = skewed_low((0.86, 0.04), (0.96, 0.02), se=0.03, df=None)
    assert near < -0.1 - 1.96 * 0.03
    middle = skewed_low((0.5, 0.01), (0.5, 0.01), se=0.01, df=None)
    assert middle == pytest.approx(-1.96 * 0.01, rel=0.01)
    assert non_inferiority((-0.09, 0.0), 0.1, skewed=-0.11).is_shown is False
    assert non_inferiority((-0.09, 0.0), 0.1, skewed=-0.095).is_shown is True
    assert "minds how skewed" in non_inferiority((-0.09, 0.0), 0.1, skewed=-0.11).text((-0.09, 0.0))


@pytest.mark.parametrize(("middle", "freedom"), [(0.97, 2.0), (0.03, 2.0), (0.85, None)])
def test_near_an_end_the_interval_of_a_mean_has_no_more_freedom_than_readers(
    middle: float, freedom: float | None
) -> None:
    """Three readers with an area of 0.962 and 100 cases of either class: without it 91 of 100 intervals hold it."""
    parts, figures = CovarianceParts(4e-5, 0, 3e-5, 0), np.asarray([middle, middle + 0.004, middle - 0.004])
    found = single_arm(figures, parts, cases_df=99)
    assert found.df > 3
    assert found.logit_ci == pytest.approx(logit_interval(middle, found.se, freedom or found.df, 0.05), rel=1e-2)
    two = single_arm(figures[1:], parts, cases_df=99)
    assert two.logit_ci == pytest.approx(logit_interval(two.auc, two.se, 3.0, 0.05), rel=1e-2)


def test_degrees_of_freedom_are_hillis() -> None:
    figures = np.asarray([[0.8, 0.9, 0.85, 0.7], [0.7, 0.95, 0.8, 0.75]])
    apart = figures[0] - figures[1]
    by_both = apart.var(ddof=1) / 2
    denominator = by_both + 4 * (PARTS.cov2 - PARTS.cov3)
    found = random_readers_and_cases(figures, PARTS)
    assert found.df2 == pytest.approx(denominator**2 / (by_both**2 / 3))
    assert found.f == pytest.approx(2 * apart.mean() ** 2 / denominator)
    by_reader = figures[0].var(ddof=1)
    assert single_arm(figures[0], PARTS).df == pytest.approx((by_reader + 4 * PARTS.cov2) ** 2 / (by_reader**2 / 3))


def test_non_inferiority_needs_the_whole_interval() -> None:
    figures = np.asarray([[0.80, 0.90, 0.85, 0.70], [0.82, 0.91, 0.84, 0.71]])
    found = fixed_cases(figures)
    assert non_inferiority(found.ci, -found.ci[0] + 0.001).is_shown is True
    assert non_inferiority(found.ci, -found.ci[0] - 0.001).is_shown is False
    with pytest.raises(ValueError, match="above 0"):
        non_inferiority(found.ci, 0)


def test_a_model_that_says_what_a_reader_says_shares_its_errors() -> None:
    truth, ratings = draw_ratings(
        np.random.default_rng(3), n_readers=4, n_positive=40, n_negative=40, aucs=(0.8, 0.8), model=RoeMetz()
    )
    every = np.vstack([ratings[0], ratings[0].mean(axis=0)])
    figures = components(truth, every, Endpoint.AUC).value
    matrix = covariance(truth, every, Endpoint.AUC, Covariance.DELONG)
    minus = np.hstack([np.eye(4), -np.ones((4, 1))])
    parts = covariance_parts(minus @ matrix @ minus.T, arms=1, readers=4)
    found = against_model(figures[:4], figures[4], parts)
    apart = single_arm(figures[:4], covariance_parts(matrix[:4, :4], arms=1, readers=4))
    assert found.se < apart.se
    assert found.difference == pytest.approx(figures[:4].mean() - figures[4])


def test_a_true_difference_of_nothing_is_found_about_as_often_as_alpha() -> None:
    generator = np.random.default_rng(1)
    found = []
    for _ in range(150):
        truth, ratings = draw_ratings(generator, n_readers=4, n_positive=25, n_negative=25, aucs=(0.85, 0.85))
        flat = ratings.reshape(8, -1)
        figures = components(truth, flat, Endpoint.AUC).value.reshape(2, 4)
        parts = covariance_parts(covariance(truth, flat, Endpoint.AUC, Covariance.DELONG), arms=2, readers=4)
        found.append((random_readers_and_cases(figures, parts).p or 1) < 0.05)
    assert 1 <= sum(found) <= 16  # 99.8% of what a true error of 5% gives in 150 studies
