import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from colpo_core.records.statistics.multi_reader_figures import Covariance
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.endpoints import components, covariance

TRUTH = np.asarray([True] * 5 + [False] * 7)
RATINGS = arrays(np.float64, (4, 12), elements=st.integers(1, 5).map(float))


@given(RATINGS)
@settings(max_examples=40)
def test_endpoints_are_what_they_are_called(ratings: np.ndarray) -> None:
    area = components(TRUTH, ratings, Endpoint.AUC)
    assert area.value == pytest.approx([roc_auc_score(TRUTH, one) for one in ratings])
    assert area.of_negative.mean(axis=1) == pytest.approx(area.value)
    calls = ratings >= 3
    assert components(TRUTH, ratings, Endpoint.SENSITIVITY, threshold=3).value == pytest.approx(
        calls[:, TRUTH].mean(axis=1)
    )
    assert components(TRUTH, ratings, Endpoint.SPECIFICITY, threshold=3).value == pytest.approx(
        1 - calls[:, ~TRUTH].mean(axis=1)
    )


@given(RATINGS, st.sampled_from(Endpoint))
@settings(max_examples=30)
def test_the_jackknife_leaves_every_case_out_once(ratings: np.ndarray, endpoint: Endpoint) -> None:
    left = np.stack(
        [
            components(np.delete(TRUTH, case), np.delete(ratings, case, axis=1), endpoint, threshold=3).value
            for case in range(12)
        ]
    )
    # Of a share of one class, the cases of that class alone.
    judged = {Endpoint.SENSITIVITY: TRUTH, Endpoint.SPECIFICITY: ~TRUTH}.get(endpoint, np.ones_like(TRUTH))
    by_hand = (judged.sum() - 1) * np.cov(left[judged].T, ddof=0)
    found = covariance(TRUTH, ratings, endpoint, Covariance.JACKKNIFE, threshold=3)
    assert found == pytest.approx(by_hand, abs=1e-12)


@given(RATINGS, st.sampled_from(list(Covariance)), st.sampled_from(Endpoint))
@settings(max_examples=30, deadline=None)
def test_a_covariance_is_one(ratings: np.ndarray, method: Covariance, endpoint: Endpoint) -> None:
    found = covariance(TRUTH, ratings, endpoint, method, threshold=3, resamples=50)
    assert found == pytest.approx(found.T)
    assert np.linalg.eigvalsh(found).min() > -1e-10
    doubled = covariance(TRUTH, ratings[[0, 0]], endpoint, method, threshold=3, resamples=50)
    assert doubled[0, 1] == pytest.approx(doubled[0, 0])


def test_all_three_ways_are_near_each_other_where_cases_are_many() -> None:
    generator = np.random.default_rng(0)
    truth = np.repeat([True, False], 150)
    ratings = generator.normal(size=(3, 300)) + generator.normal(size=300) + truth
    ways = [covariance(truth, ratings, Endpoint.AUC, method, seed=1) for method in Covariance]
    for way in ways[1:]:
        assert way == pytest.approx(ways[0], rel=0.12)


def test_a_share_varies_as_a_binomial() -> None:
    ratings = np.asarray([[3.0, 1, 1, 5, 5] + [1] * 7])
    assert covariance(TRUTH, ratings, Endpoint.SENSITIVITY, Covariance.DELONG, threshold=3)[0, 0] == pytest.approx(
        0.6 * 0.4 / 4
    )
    assert covariance(TRUTH, ratings, Endpoint.SPECIFICITY, Covariance.DELONG, threshold=3)[0, 0] == 0


def test_what_cannot_be_taken_apart_is_a_mistake() -> None:
    ratings = np.ones((2, 12))
    with pytest.raises(ValueError, match="both classes"):
        components(np.ones(12, np.bool_), ratings, Endpoint.AUC)
    for method in Covariance:
        with pytest.raises(ValueError, match="threshold"):
            covariance(TRUTH, ratings, Endpoint.SENSITIVITY, method)


def clusters(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, ratings of four vectors and patients, some of whom have cases of both classes."""
    generator = np.random.default_rng(seed)
    patients = np.repeat(np.arange(40), 3)
    truth = generator.random(120) < np.repeat(generator.random(40), 3)
    of_patient = generator.normal(size=(4, 40))[:, patients]
    return truth, of_patient + generator.normal(size=(4, 120)) + truth, patients


def test_with_one_case_a_patient_nothing_changes() -> None:
    ratings = np.random.default_rng(1).normal(size=(3, 12))
    alone = np.random.default_rng(2).permutation(12)
    for endpoint in Endpoint:
        for method in (Covariance.DELONG, Covariance.JACKKNIFE):
            by_case = covariance(TRUTH, ratings, endpoint, method, threshold=0)
            by_patient = covariance(TRUTH, ratings, endpoint, method, threshold=0, patients=alone)
            assert by_patient == pytest.approx(by_case), (endpoint, method)


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_patients_left_out_one_by_one_and_drawn_whole_vary_as_obuchowski_says(endpoint: Endpoint) -> None:
    truth, ratings, patients = clusters()
    found = {
        method: covariance(truth, ratings, endpoint, method, threshold=1, patients=patients) for method in Covariance
    }
    left = [
        components(truth[patients != one], ratings[:, patients != one], endpoint, threshold=1).value
        for one in range(40)
    ]
    keeps = {Endpoint.SENSITIVITY: truth, Endpoint.SPECIFICITY: ~truth}.get(endpoint, np.ones_like(truth))
    counted = np.unique(patients[keeps])
    by_hand = (len(counted) - 1) * np.cov(np.stack(left)[counted].T, ddof=0)
    assert found[Covariance.JACKKNIFE] == pytest.approx(by_hand)
    assert found[Covariance.BOOTSTRAP] == pytest.approx(found[Covariance.JACKKNIFE], rel=0.25, abs=3e-4)
    # Of accuracy the share of cases with the condition is taken as given, as where each case is a patient of its own.
    if endpoint is not Endpoint.ACCURACY:
        assert found[Covariance.DELONG] == pytest.approx(found[Covariance.JACKKNIFE], rel=0.25, abs=2e-4)
    naive = covariance(truth, ratings, endpoint, Covariance.DELONG, threshold=1)
    assert np.diag(found[Covariance.DELONG]).mean() > np.diag(naive).mean()


def test_images_that_say_the_same_tell_no_more_than_one_of_them() -> None:
    ratings = np.random.default_rng(3).normal(size=(3, 12)) + TRUTH
    once = covariance(TRUTH, ratings, Endpoint.AUC, Covariance.DELONG)
    thrice = covariance(
        np.repeat(TRUTH, 3), np.repeat(ratings, 3, axis=1), Endpoint.AUC, Covariance.DELONG,
        patients=np.repeat(np.arange(12), 3),
    )  # fmt: skip
    assert thrice == pytest.approx(once)
