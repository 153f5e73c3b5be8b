"""Ratings from outside, from a file to figures; every value that is known of Van Dyke's readers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from colpo_core.cli.main import main
from tests.support.analysed import run

VAN_DYKE = Path(__file__).resolve().parents[2].parent / "shared" / "oracles" / "vandyke.csv"
needs_van_dyke = pytest.mark.skipif(not VAN_DYKE.is_file(), reason="Van Dyke's ratings are not beside the checkout")


@pytest.fixture(scope="module", params=["delong", "jackknife"])
def van_dyke(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    out = tmp_path_factory.mktemp("van_dyke") / "out.json"
    done = run(str(VAN_DYKE), "--json", str(out), "--threshold", "3", "--covariance", request.param)
    assert done.exit_code == 0, done.output
    return request.param, json.loads(out.read_text())


MANY = {
    "delong": {
        "difference": -0.04380032, "se": 0.0206825, "f": 4.484854, "df2": 15.06611, "p": 0.05123303,
        "ci": (-0.0878671960, 0.0002665519), "cov1": 0.0003420090, "cov2": 0.0003395265, "cov3": 0.0002358497,
        "error_variance": 0.0007921325,
    },
    "jackknife": {
        "difference": -0.04380032, "se": 0.02074862, "f": 4.456319, "df2": 15.25967, "p": 0.05166569,
        "ci": (-0.0879594986, 0.0003588544), "cov1": 0.0003466137, "cov2": 0.0003440748, "cov3": 0.0002390284,
        "error_variance": 0.0008022883,
    },
}  # fmt: skip
SINGLE = {
    "delong": {"1": (0.03307642, 12.59597, 0.8253461, 0.9687280), "2": (0.02150464, 12.56530, 0.8942155, 0.9874592)},
    "jackknife": {"1": (0.03317360, 12.74465, 0.8252236, 0.9688505), "2": (0.02156637, 12.71019, 0.8941378, 0.9875369)},
}
DELONG = {
    "1": (0.9196457, 0.8609737, 0.9783178, 0.9478261, -1.111081, 0.266533),
    "2": (0.8587762, 0.7879401, 0.9296123, 0.9053140, -1.780089, 0.075061),
    "3": (0.9038647, 0.8488026, 0.9589269, 0.9217391, -0.576101, 0.564547),
    "4": (0.9731079, 0.9393544, 1.0000000, 0.9993559, -1.528343, 0.126427),
    "5": (0.8297907, 0.7485346, 0.9110467, 0.9299517, -2.287716, 0.022154),
}
READER_1 = {
    "sensitivity": (40, 45, 0.888889, 0.759464, 0.962923, 0.765009, 0.951595, 44, 45),
    "specificity": (56, 69, 0.811594, 0.699396, 0.895688, 0.703871, 0.886453, 47, 69),
    "ppv": (40, 53, 0.754717, 0.617175, 0.862449, 0.624334, 0.850671, 44, 66),
    "npv": (56, 61, 0.918033, 0.818988, 0.972849, 0.822053, 0.964480, 47, 48),
    "accuracy": (96, 114, 0.842105, 0.761985, 0.903653, 0.764179, 0.897727, 91, 114),
}
MCNEMAR = {"accuracy": (14, 9, 0.4048729), "sensitivity": (0, 4, 0.125), "specificity": (14, 5, 0.06356812)}


@needs_van_dyke
def test_several_readers(van_dyke: tuple[str, dict[str, Any]]) -> None:
    method, found = van_dyke
    many = found["mrmc"]
    assert many["auc"] == pytest.approx({"1": 0.8970370, "2": 0.9408374}, abs=5e-8)
    for name, expected in MANY[method].items():
        assert many[name] == pytest.approx(expected, rel=4e-7, abs=6e-11), name
    for arm, expected in SINGLE[method].items():
        single = found["single_arm"][arm]
        assert (single["se"], single["df"], *single["ci"]) == pytest.approx(expected, rel=4e-7)


@needs_van_dyke
def test_one_reader(van_dyke: tuple[str, dict[str, Any]]) -> None:
    readers = van_dyke[1]["readers"]
    for reader, expected in DELONG.items():
        arms, test = readers[reader]["arms"], readers[reader]["delong"]
        values = (arms["1"]["auc"], *arms["1"]["auc_ci_delong"], arms["2"]["auc"], test["z"], test["p"])
        assert values == pytest.approx(expected, abs=6e-7)
        low, high = arms["1"]["auc_ci"]
        assert arms["1"]["auc_ci_method"] == "newcombe-5"
        assert 0 < low < arms["1"]["auc"] < high < 1
    first = readers["1"]
    for name, expected in READER_1.items():
        one, two = (first["arms"][arm][name] for arm in "12")
        assert (one["k"], one["n"], two["k"], two["n"]) == (*expected[:2], *expected[7:])
        values = (one["value"], *one["clopper_pearson"], *one["wilson"])
        assert values == pytest.approx(expected[2:7], abs=6e-7)
    for name, (b, c, p) in MCNEMAR.items():
        test = first["mcnemar"][name]
        assert (test["b"], test["c"]) == (b, c)
        assert test["p_exact"] == pytest.approx(p, rel=1e-6)
        assert test["p"] < test["p_exact"]


@needs_van_dyke
def test_agreement(van_dyke: tuple[str, dict[str, Any]]) -> None:
    agreement = van_dyke[1]["agreement"]["1"]
    assert agreement["cohen"]["1-2"] == pytest.approx(0.6255865, abs=6e-8)
    assert agreement["cohen_quadratic"]["1-2"] == pytest.approx(0.7638549, abs=6e-8)
    assert agreement["fleiss"] == pytest.approx(0.5981581, abs=6e-8)
    assert len(agreement["cohen"]) == 10
    low, high = agreement["fleiss_ci"]
    assert low < agreement["fleiss"] < high


def test_text_for_a_person_and_a_file_for_a_program(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = ("--threshold", "1", "--margin", "0.3", "--prevalence", "0.05", "--arm", "with", "--arm", "alone")
    done = run(str(ratings), "--json", str(out), *words)
    assert done.exit_code == 0, done.output
    assert "40 cases (20 with the condition), 3 readers, treatments with, alone; intervals of 95%" in done.output
    assert "Reader A" in done.output
    assert "ppv at the given prevalence" in done.output
    assert "random readers and cases" in done.output
    assert "non-inferiority of the first at a margin of 0.3: shown" in done.output
    assert "Agreement in treatment alone" in done.output
    found = json.loads(out.read_text())
    assert found["mrmc"]["difference"] > 0, "the first arm that was named minus the second"
    assert found["options"]["margin"] == 0.3
    assert found["agreement"]["with"]["cohen"].keys() == {"A-B", "A-C", "B-C"}
    assert [place.name for place in tmp_path.iterdir() if place.suffix == ".torn"] == []
    assert json.loads(out.read_text()) == found
    assert run(str(ratings), *words).output == done.output, "the same again says the same"


ORACLES = VAN_DYKE.parent
FURTHER = {
    "franken.csv": (
        (), 100, (0.010854817, 0.005010122, 4.694058, 3, 0.1188379), (-0.005090, 0.026799),
        (0.017892, 0.606694, 0.544054), (-0.024212, 0.045922),
    ),
    "kundel.csv": (
        ("--arm", "2", "--arm", "3"), 95, (-0.037487, 0.015297, 6.005760, 3, 0.091625), (-0.086168, 0.011194),
        (0.021732, -1.724990, 0.084529), (-0.080080, 0.005106),
    ),
}  # fmt: skip


@pytest.mark.skipif(not (ORACLES / "kundel.csv").is_file(), reason="the public sets are not beside the checkout")
@pytest.mark.parametrize("name", list(FURTHER))
def test_two_more_public_sets_come_out_as_elsewhere(name: str, tmp_path: Path) -> None:
    words, n_cases, (difference, se, f, df2, p), ci, (se_fixed, z, p_fixed), ci_fixed = FURTHER[name]
    done = run(str(ORACLES / name), "--json", str(tmp_path / "out.json"), *words)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out.json").read_text())
    many = found["mrmc"]
    assert found["counts"]["cases"] == n_cases
    values = [many[key] for key in ("difference", "se", "f", "df2", "p")]
    assert values == pytest.approx([difference, se, f, df2, p], abs=6e-7)
    assert many["ci"] == pytest.approx(ci, abs=6e-7)
    these = many["fixed_readers"]
    assert [these["se"], these["f"] ** 0.5, these["p"]] == pytest.approx([se_fixed, abs(z), p_fixed], abs=6e-7)
    assert these["ci"] == pytest.approx(ci_fixed, abs=6e-7)
    assert "covariance of the readers came out below 0" in done.output
    assert "narrower than for these readers alone" in done.output


@pytest.mark.skipif(not (ORACLES / "kundel.csv").is_file(), reason="the public sets are not beside the checkout")
def test_a_design_that_is_not_fully_crossed_comes_out_as_elsewhere(tmp_path: Path) -> None:
    place, out = ORACLES / "not_fully_crossed.csv", tmp_path / "out.json"
    done = run(str(place), "--json", str(out), "--covariance", "u-statistic")
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    many = found["mrmc"]
    assert found["options"]["covariance"] == "u-statistic"
    assert many["auc"] == pytest.approx({"testA": 0.718054735184, "testB": 0.627103631532}, abs=1e-11)
    assert many["difference"] == pytest.approx(0.0909511036518, abs=1e-12)
    assert many["se"] ** 2 == pytest.approx(0.0121788022664, rel=1e-10)
    assert (many["df2"], many["p"]) == pytest.approx((3, 0.470268548324), abs=1e-11)
    assert many["ci"] == pytest.approx((-0.260256067169, 0.442158274473), abs=1e-11)
    first = found["single_arm"]["testA"]
    assert first["df"] == pytest.approx(49.27014222, abs=1e-7)
    assert first["ci"] == pytest.approx((0.623093074025, 0.813016396343), abs=1e-11)
    assert "all readings, by U-statistics" in done.output
    proposed = run(str(place))
    assert "--covariance u-statistic takes every rating" in proposed.output
    assert "complete cases: 31, 49 left out" in proposed.output


def test_one_missing_rating_costs_one_rating(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    lines = ratings.read_text().splitlines()
    ratings.write_text("\n".join(line for line in lines if not line.startswith("A,with,3,")) + "\n")
    done = run(str(ratings), "--json", str(out), "--threshold", "1")
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    assert found["mrmc"]["p"] is not None
    assert found["complete_cases"]["mrmc"]["basis"]["n_cases"] == 39
    assert "complete cases: 39, 1 left out" in done.output


def test_patients_who_are_not_named_are_asked_about_and_counted_when_they_are(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert "Each case is taken as a patient of its own" in run(str(ratings)).output
    rows = [line.split(",") for line in ratings.read_text().splitlines()]

    def written(name: str, *, case: str, column: str | None = None) -> Path:
        place = tmp_path / name
        lines = [[*rows[0][:5], column or "note"]]
        # Each case is read twice: two images of one woman.
        for image in "12":
            lines += [[*row[:2], case.format(row[2], image), *row[3:5], f"w{row[2]}"] for row in rows[1:]]
        place.write_text("\n".join(",".join(line) for line in lines) + "\n")
        return place

    named = written("named.csv", case="{0}0{1}", column="patient_id")
    assert "column “patient_id”. Does it tell the patient? Then use --patient patient_id." in run(str(named)).output
    stems = written("stems.csv", case="W{0}_img{1}")
    assert "such as W0_img1 and W0_img2" in run(str(stems)).output
    assert run(str(named), "--patient", "patient_id", "--json", str(out)).exit_code == 0
    by_column = json.loads(out.read_text())
    said = run(str(stems), "--patient-from-case", "--json", str(out))
    assert said.exit_code == 0
    by_name = json.loads(out.read_text())
    assert by_name["mrmc"]["p"] == pytest.approx(by_column["mrmc"]["p"])
    assert by_name["mrmc"]["basis"]["n_patients"] == 40
    assert by_name["independent"]["mrmc"]["se"] < by_name["mrmc"]["se"]
    assert by_name["readers"]["A"]["delong"]["method"] == "obuchowski"
    assert "by 40 patients, who have 80 cases" in said.output
    assert "For comparison alone" in said.output


def test_figures_are_not_printed_beyond_what_they_can_be(ratings: Path) -> None:
    lines = ratings.read_text().splitlines()
    few = [line for line in lines if "case" in line or int(line.split(",")[2]) in {0, 1, *range(20, 28)}]
    ratings.write_text("\n".join(few) + "\n")
    said = run(str(ratings), "--threshold", "1").output
    assert "2 cases of a class, and it takes 10 of each" in said
    bounds = [float(one) for one in re.findall(r"-?\d\.\d{4}", said)]
    assert all(-1 <= one <= 1 for one in bounds)


def test_a_model_among_the_treatments(ratings: Path) -> None:
    lines = ratings.read_text().splitlines()
    kept = [line for line in lines if ",with," not in line or line.startswith("A,")]
    ratings.write_text("\n".join(kept) + "\n")
    done = run(str(ratings), "--model", "with")
    assert done.exit_code == 0, done.output
    assert "against the model's" in done.output
    assert "No comparison" not in done.output, "beside the model's there is one treatment"


def test_how_large_a_study_has_to_be() -> None:
    words = [
        "power",
        "--assumed",
        "0.9",
        "0.8",
        "--readers",
        "4",
        "--positive",
        "30",
        "--negative",
        "30",
        "--studies",
        "40",
    ]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "power by simulation" in done.output
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    assert found["simulated"]["n"] == 40
    assert 0.05 < found["by_formula"] < 1
    refused = CliRunner().invoke(main, [*words[:5], "1", *words[6:]])
    assert refused.exit_code == 1
    assert "2 to 100 readers" in refused.output
