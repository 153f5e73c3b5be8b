import json
from dataclasses import replace

import numpy as np

from colpo_core.exchange.rating_report import rating_json, rating_text, study_text
from colpo_core.records.statistics.rating_analysis import RatingAnalysis
from colpo_core.records.studies.results import StudyAnalysis
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.rating_analysis import analyse_table
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
    assert (agreement["fleiss_n"], agreement["cohen_n"]) == (12, {"A-B": 12})
    (pair,) = agreement["pairs"]
    assert (pair["first"], pair["second"], pair["n"]) == ("A", "B", 12)
    assert (pair["cohen"], pair["cohen_ci"]) == (agreement["cohen"]["A-B"], agreement["cohen_ci"]["A-B"])
    named = {"auc", "difference", "se", "f", "df2", "p", "ci", "cov1", "cov2", "cov3", "error_variance"}
    assert named <= found["mrmc"].keys()


def test_where_nothing_varies_text_and_json_say_so_and_hold_no_nan() -> None:
    found = analysis(ties=True)
    assert "NaN" not in json.dumps(rating_json(found), allow_nan=False)
    said = rating_text(found)
    assert "No areas under the curve of treatment “x”" in said
    assert "McNemar mid-p 1.0000" in said
    assert "nan" not in said


def test_a_study_without_readings_is_its_notes() -> None:
    assert study_text(StudyAnalysis(None, (), {}, ("There are too few readings for statistics.",))) == (
        "There are too few readings for statistics."
    )
    said = study_text(StudyAnalysis(replace(analysis(), refused=("No such thing.",)), (), {}, ("Mind this.",)))
    assert said.startswith("Mind this.\n\n12 cases")
    assert "No such thing." not in said, "the notes hold it already"


def test_no_pair_is_lost_where_names_hold_hyphens() -> None:
    truth = np.repeat([True, False], 10)
    ratings = np.random.default_rng(1).integers(1, 6, (1, 4, 20)).astype(float)
    table = RatingTable(("x",), ("A", "A-B", "B-C", "C"), tuple(f"c{n}" for n in range(20)), truth, ratings)
    found = analyse_table(table, AnalysisOptions(threshold=3))
    agreement = rating_json(found)["agreement"]["x"]
    assert len(agreement["pairs"]) == 6
    assert list(agreement["cohen"]) == ["A-A-B", '"A"-"B-C"', "A-C", "A-B-B-C", '"A-B"-"C"', "B-C-C"]
    said = rating_text(found)
    assert "  A and B-C, 20 cases: Cohen's kappa of the calls " in said
    assert "  A-B and C, 20 cases: Cohen's kappa of the calls " in said


def test_each_difference_tells_its_cases() -> None:
    truth = np.repeat([True, False], 16)
    ratings = np.random.default_rng(2).integers(1, 6, (2, 2, 32)).astype(float)
    ratings[0, 0, :5] = np.nan
    table = RatingTable(("aided", "unaided"), ("A", "B"), tuple(f"c{n}" for n in range(32)), truth, ratings)
    said = rating_text(analyse_table(table, AnalysisOptions(threshold=3))).splitlines()
    of_a = said[said.index("Reader A") : said.index("Reader B")]
    assert [line.rpartition(", ")[2] for line in of_a if "difference of" in line] == [
        "on the 27 cases read in both", "on the 27 cases read in both", "on the 11 cases read in both",
        "on the 16 cases read in both",
    ]  # fmt: skip
    assert any("Fleiss' kappa" in line and line.endswith("27 cases read by all") for line in said)
