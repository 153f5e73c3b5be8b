from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.endpoints import components
from colpo_core.studies.roe_metz import draw_ratings
from colpo_core.studies.u_statistics import u_statistic_arm, u_statistic_difference
from tests.support.oracles import oracle_table

Floats = npt.NDArray[np.float64]
SHARES = (Endpoint.ACCURACY, Endpoint.SENSITIVITY, Endpoint.SPECIFICITY)


def gapped(
    seed: int, *, readers: int = 4, cases: int = 12, missing: float = 0.2
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Two arms with gaps, shape (2, readers, cases), with ties."""
    generator = np.random.default_rng(seed)
    truth, ratings = draw_ratings(
        generator, n_readers=readers, n_positive=cases // 2, n_negative=cases - cases // 2, aucs=(0.8, 0.7)
    )
    ratings = np.round(ratings)
    ratings[generator.random(ratings.shape) < missing] = np.nan
    return truth, ratings


def test_readers_who_have_not_all_read_the_same_are_judged_as_by_imrmc() -> None:
    table = oracle_table("not_fully_crossed")
    first, second = (u_statistic_arm(table.truth, one) for one in table.rating)
    assert (first.value, *first.ci()) == pytest.approx((0.718054735184, 0.623093074025, 0.813016396343), abs=1e-12)
    assert first.variance == pytest.approx(0.00223299661722, abs=1e-14)
    assert first.df == pytest.approx(49.27014222, abs=1e-8)
    assert first.p(0.5) == pytest.approx(0.0000286120597577, abs=1e-15)
    assert (second.value, *second.ci()) == pytest.approx((0.627103631532, 0.517554269611, 0.736652993454), abs=1e-12)
    assert second.variance == pytest.approx(0.00275807655632, abs=1e-14)
    assert second.df == pytest.approx(20.9929609381, abs=1e-8)
    assert second.p(0.5) == pytest.approx(0.0251534112529, abs=1e-12)
    found = u_statistic_difference(table.truth, *table.rating)
    assert (found.value, *found.ci()) == pytest.approx((0.0909511036518, -0.260256067169, 0.442158274473), abs=1e-12)
    assert found.variance == pytest.approx(0.0121788022664, abs=1e-13)
    assert found.df == 3
    assert found.p() == pytest.approx(0.470268548324, abs=1e-12)


def written_out(truth: npt.NDArray[np.bool_], first: Floats, second: Floats) -> float:
    """Covariance of two arms' areas, each pair of judgements by itself: slow, and plain."""

    def judgements(ratings: Floats) -> list[tuple[int, int, int, float]]:
        negative, positive = np.flatnonzero(~truth), np.flatnonzero(truth)
        return [
            (reader, n, p, float((row[p] > row[n]) + (row[p] == row[n]) / 2))
            for reader, row in enumerate(ratings)
            for n, p in product(negative, positive)
            if not np.isnan(row[[n, p]]).any()
        ]

    sums: dict[tuple[bool, bool, bool], list[float]] = {}
    ones, others = judgements(first), judgements(second)
    for one, other in product(ones, others):
        key = (one[0] == other[0], one[1] == other[1], one[2] == other[2])
        sums.setdefault(key, []).append(one[3] * other[3])
    whole = len(ones) * len(others)
    apart = float(np.mean(sums[False, False, False]))
    return sum(len(found) / whole * float(np.mean(found)) for found in sums.values()) - apart


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.1, 0.3]))
def test_the_variance_is_that_of_the_sums_written_out(seed: int, missing: float) -> None:
    truth, (first, second) = gapped(seed, readers=3, cases=8, missing=missing)
    has_enough = all((~np.isnan(arm[:, of])).sum(axis=1).min() > 1 for arm in (first, second) for of in (truth, ~truth))
    assume(has_enough)
    arm, both = u_statistic_arm(truth, first), u_statistic_difference(truth, first, second)
    assert arm.variance == pytest.approx(written_out(truth, first, first), abs=1e-12)
    expected = written_out(truth, first, first) + written_out(truth, second, second)
    assert both.variance == pytest.approx(expected - 2 * written_out(truth, first, second), abs=1e-12)


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_without_a_gap_the_value_is_the_mean_over_readers(endpoint: Endpoint) -> None:
    truth, (first, second) = gapped(3, cases=40, missing=0)
    figures = [components(truth, one, endpoint, threshold=1.0).value for one in (first, second)]
    found = u_statistic_difference(truth, first, second, endpoint, threshold=1.0)
    assert found.value == pytest.approx(figures[0].mean() - figures[1].mean())
    assert u_statistic_arm(truth, first, endpoint, threshold=1.0).value == pytest.approx(figures[0].mean())


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_the_variance_is_right_on_average(endpoint: Endpoint) -> None:
    """Where a sixth of the readings is missing at random: the mean estimate against how the figure varies."""
    generator = np.random.default_rng(5)
    found = []
    for _ in range(1500):
        truth, ratings = draw_ratings(generator, n_readers=4, n_positive=20, n_negative=20, aucs=(0.8, 0.8))
        ratings[generator.random(ratings.shape) < 1 / 6] = np.nan
        found.append(u_statistic_difference(truth, *ratings, endpoint, threshold=0.8))
    assert np.mean([one.variance for one in found]) == pytest.approx(np.var([one.value for one in found]), rel=0.1)


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_readers_of_one_arm_alone_count_in_it(endpoint: Endpoint) -> None:
    truth, (first, second) = gapped(4, readers=6, cases=40, missing=0.1)
    first[:3], second[3:] = np.nan, np.nan
    found = u_statistic_difference(truth, first, second, endpoint, threshold=1.0)
    alone = [u_statistic_arm(truth, one, endpoint, threshold=1.0) for one in (first[3:], second[:3])]
    assert found.value == pytest.approx(alone[0].value - alone[1].value)
    assert found.df >= 2


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_a_model_is_held_against_each_reader_on_what_she_has_read(endpoint: Endpoint) -> None:
    truth, (ratings, _) = gapped(6, cases=40, missing=0.2)
    model = np.random.default_rng(1).normal(size=40) + truth
    found = u_statistic_arm(truth, ratings, endpoint, threshold=1.0, against=model)
    apart, weights = [], []
    for row in ratings:
        read = ~np.isnan(row)
        values = components(truth[read], np.stack([row[read], model[read]]), endpoint, threshold=1.0).value
        n = {Endpoint.AUC: truth[read].sum() * (~truth[read]).sum(), Endpoint.ACCURACY: read.sum()}
        n |= {Endpoint.SENSITIVITY: truth[read].sum(), Endpoint.SPECIFICITY: (~truth[read]).sum()}
        apart.append(values[0] - values[1])
        weights.append(n[endpoint])
    assert found.value == pytest.approx(np.average(apart, weights=weights))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, ratings = gapped(8, cases=60)
    whole = u_statistic_difference(truth, *ratings)
    monkeypatch.setattr("colpo_core.studies.u_statistics._BLOCK", 500)
    again = u_statistic_difference(truth, *ratings)
    assert (again.value, again.variance, again.df) == pytest.approx((whole.value, whole.variance, whole.df))


def test_readers_who_are_alike_have_no_interval() -> None:
    truth = np.repeat([True, False], 10)
    ratings = np.tile(truth * 1.0, (2, 3, 1))
    found = u_statistic_difference(truth, *ratings)
    assert (found.value, found.df, found.p(), found.ci()) == (0, None, None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"endpoint": Endpoint.ACCURACY}, "threshold"), ({"against": np.array([np.nan] * 40)}, "every case")],
)
def test_what_makes_no_sense_is_refused(change: dict[str, object], said: str) -> None:
    truth, (ratings, _) = gapped(1, cases=40)
    with pytest.raises(ValueError, match=said):
        u_statistic_arm(truth, ratings, **change)  # type: ignore[arg-type]


def test_one_reader_alone_has_no_variance_over_readers() -> None:
    truth, (ratings, _) = gapped(1, cases=40)
    with pytest.raises(ValueError, match="no two readers"):
        u_statistic_arm(truth, ratings[:1])
