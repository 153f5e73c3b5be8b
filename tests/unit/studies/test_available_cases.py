import numpy as np
import pytest

from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.available_cases import available_figures
from colpo_core.studies.endpoints import components, delong_covariance
from colpo_core.studies.roe_metz import draw_ratings

THRESHOLD = 0.8


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_without_a_gap_figures_and_covariance_are_those_of_a_complete_table(endpoint: Endpoint) -> None:
    truth, ratings = draw_ratings(np.random.default_rng(0), n_readers=4, n_positive=20, n_negative=30, aucs=(0.8, 0.7))
    flat = np.round(ratings.reshape(8, -1), 1)
    values, found = available_figures(truth, flat, endpoint, threshold=THRESHOLD)
    parts = components(truth, flat, endpoint, threshold=THRESHOLD)
    assert values == pytest.approx(parts.value)
    assert found == pytest.approx(delong_covariance(parts))


@pytest.mark.parametrize("endpoint", list(Endpoint))
@pytest.mark.parametrize("per_patient", [1, 3])
def test_the_covariance_is_right_on_average_where_readings_are_missing(endpoint: Endpoint, per_patient: int) -> None:
    """Two readers, a quarter of the readings missing, readers' own effects fixed: against how the figures vary."""
    generator = np.random.default_rng(3)
    n = 60
    patients = np.repeat(np.arange(n // per_patient), per_patient)
    truth = np.resize([True, False], n)
    values, found = [], []
    for _ in range(800):
        woman = generator.normal(size=n // per_patient)[patients]
        ratings = truth * np.array([[1.0], [1.4]]) + woman + generator.normal(size=(2, n))
        ratings[generator.random(ratings.shape) < 1 / 4] = np.nan
        value, covariance = available_figures(truth, ratings, endpoint, threshold=0.6, patients=patients)
        values.append(value)
        found.append(covariance)
    expected = np.cov(np.transpose(values))
    assert np.mean(found, axis=0) == pytest.approx(expected, abs=0.15 * expected.diagonal().min())


def test_patients_who_stand_alone_change_nothing() -> None:
    truth, ratings = draw_ratings(np.random.default_rng(2), n_readers=3, n_positive=9, n_negative=9, aucs=(0.8, 0.7))
    ratings[0, 1, 3] = np.nan
    alone = available_figures(truth, ratings[0], Endpoint.AUC)
    again = available_figures(truth, ratings[0], Endpoint.AUC, patients=np.arange(18)[::-1].copy())
    assert again[1] == pytest.approx(alone[1])


def test_readers_of_other_cases_do_not_vary_together() -> None:
    truth, ratings = draw_ratings(np.random.default_rng(2), n_readers=2, n_positive=20, n_negative=20, aucs=(0.8, 0.7))
    first, second = ratings[0]
    first[::2], second[1::2] = np.nan, np.nan
    _, found = available_figures(truth, np.stack([first, second]), Endpoint.AUC)
    assert found[0, 1] == 0
    assert (np.diagonal(found) > 0).all()


def test_a_reader_without_cases_of_a_class_is_refused() -> None:
    truth = np.array([True, False, False])
    with pytest.raises(ValueError, match="both classes"):
        available_figures(truth, np.array([[np.nan, 1.0, 2.0]]), Endpoint.AUC)
    with pytest.raises(ValueError, match="threshold"):
        available_figures(truth, np.array([[1.0, 1.0, 2.0]]), Endpoint.ACCURACY)
