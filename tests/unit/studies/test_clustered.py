from dataclasses import replace

import numpy as np
import pytest

from colpo_core.evaluation.intervals import patient_bootstrap
from colpo_core.evaluation.resampling import weighted_auc
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.clustered import clustered_figures
from colpo_core.studies.rating_analysis import analyse_table
from tests.support.rating_tables import rating_table

STUDY = {"readers": 3, "aucs": (0.75, 0.9)}
FIGURES = {"auc", "accuracy", "sensitivity", "specificity", "ppv", "npv"}


def test_intervals_are_those_of_one_case_a_patient_and_near_a_bootstrap() -> None:
    table = rating_table(**STUDY, copies=2)
    found = clustered_figures(table, threshold=1)
    scores = table.rating[0, 1]
    by_hand = patient_bootstrap(
        lambda weights: weighted_auc(weights, table.truth, scores),
        [int(one[1:]) for one in table.patients or ()],
        seed=5,
    )
    auc = found.readers["r1"]["aided"]["auc"]
    assert auc.value == pytest.approx(by_hand.value)
    assert auc.ci == pytest.approx((by_hand.low, by_hand.high), abs=0.04)
    assert found.n_patients == 60
    assert set(found.readers["r1"]["aided"]) == FIGURES


def test_cases_of_one_patient_that_say_the_same_narrow_nothing() -> None:
    once, thrice = (clustered_figures(rating_table(**STUDY, copies=copies), threshold=1) for copies in (1, 3))
    for name in FIGURES:
        few, many = once.together["aided"][name], thrice.together["aided"][name]
        assert many.value == pytest.approx(few.value)
        assert many.ci[1] - many.ci[0] == pytest.approx(few.ci[1] - few.ci[0], rel=0.1), name
    naive = analyse_table(replace(rating_table(**STUDY, copies=3), patients=None), AnalysisOptions()).mrmc
    paired = thrice.difference["auc"].ci
    assert paired[1] - paired[0] > 1.5 * (naive.fixed_readers.ci[1] - naive.fixed_readers.ci[0])


def test_differences_are_paired_and_a_model_stands_for_itself() -> None:
    table = rating_table(**STUDY, copies=1)
    model = table.rating[0, 0]
    found = clustered_figures(table.of_arms(["aided"]), model=model, threshold=1)
    assert found.difference == found.differences == {}
    against = found.against_model["aided"]["auc"]
    aided = found.together["aided"]["auc"].value
    assert against.value == pytest.approx((aided or 0) - (found.readers["r0"]["aided"]["auc"].value or 0))
    same = clustered_figures(replace(table, rating=table.rating[[0, 0]]), threshold=1)
    assert same.differences["r0"]["auc"].value == 0
    assert same.differences["r0"]["auc"].ci is None, "where nothing varies nothing is claimed"


def test_missing_readings_leave_out_what_needs_all_of_them() -> None:
    table = rating_table(**STUDY, copies=2)
    table.rating[1, 2, :7] = np.nan
    found = clustered_figures(table, threshold=1)
    assert set(found.together) == {"aided"}
    assert found.difference == {}
    assert found.differences["r2"]["accuracy"].value is not None
    areas_only = clustered_figures(table)
    assert set(areas_only.readers["r0"]["aided"]) == {"auc"}
    assert set(clustered_figures(table, without_area=["aided"], threshold=1).differences["r0"]) == FIGURES - {"auc"}
    with pytest.raises(ValueError, match="patients"):
        clustered_figures(replace(table, patients=None))


def test_an_analysis_gives_them_where_a_patient_has_several_cases_and_not_elsewhere() -> None:
    options = AnalysisOptions(threshold=1)
    assert analyse_table(rating_table(**STUDY, copies=1), options).by_patient is None
    found = analyse_table(rating_table(**STUDY, copies=2), options).by_patient
    assert found is not None
    assert found == clustered_figures(rating_table(**STUDY, copies=2), threshold=1)
