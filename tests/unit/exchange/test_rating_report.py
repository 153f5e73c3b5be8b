import json
from dataclasses import replace

import numpy as np

from colpo_core.exchange.rating_report import rating_json, rating_text, study_text
from colpo_core.records.reader_statistics import RatingAnalysis
from colpo_core.records.studies import StudyAnalysis
from colpo_core.studies.rating_analysis import AnalysisOptions, analyse_table
from colpo_core.studies.ratings import RatingTable


def analysis(*, ties: bool = False) -> RatingAnalysis:
    truth = np.repeat([True, False], 6)
    ratings = np.random.default_rng(0).integers(1, 6, (2, 2, 12)).astype(float)
    if ties:
        ratings[:] = np.where(truth, 5.0, 1.0)
    table = RatingTable(("x", "y"), ("A", "B"), tuple("abcdefghijkl"), truth, ratings)
    return analyse_table(table, AnalysisOptions(threshold=3, margin=0.1))


def test_json_has_a_coefficients_value_under_its_name_and_its_interval_beside_it() -> None:
    found = json.loads(json.dumps(rating_json(analysis()), allow_nan=False))
    agreement = found["agreement"]["x"]
    assert isinstance(agreement["fleiss"], float)
    assert len(agreement["fleiss_ci"]) == 2
    assert agreement["cohen"].keys() == agreement["cohen_ci"].keys() == {"A-B"}
    named = {"auc", "difference", "se", "f", "df2", "p", "ci", "cov1", "cov2", "cov3", "error_variance"}
    assert named <= found["mrmc"].keys()


def test_where_nothing_varies_text_and_json_say_so_and_hold_no_nan() -> None:
    found = analysis(ties=True)
    assert "NaN" not in json.dumps(rating_json(found), allow_nan=False)
    said = rating_text(found)
    assert "No areas under the curve of treatment “x”" in said
    assert "McNemar p 1.0000" in said
    assert "nan" not in said


def test_a_study_without_readings_is_its_notes() -> None:
    assert study_text(StudyAnalysis(None, (), {}, ("There are too few readings for statistics.",))) == (
        "There are too few readings for statistics."
    )
    said = study_text(StudyAnalysis(replace(analysis(), refused=("No such thing.",)), (), {}, ("Mind this.",)))
    assert said.startswith("Mind this.\n\n12 cases")
    assert "No such thing." not in said, "the notes hold it already"
