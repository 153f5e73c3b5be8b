import re
from collections.abc import Iterator
from typing import Any

import pytest

from colpo_core.records.models import card_tables as tables
from colpo_core.records.models.card_tables import CardTable
from colpo_core.records.statistics.figures import Estimate
from tests.support.cards import new_card, old_card

FIGURE = re.compile(r"^[+-]?\d+\.\d+%?")
BEHIND = re.compile(r"\((no interval: \d+|.* to .*|\d+/\d+; .*)")


def every_table(card: dict[str, Any]) -> Iterator[CardTable]:
    metrics = card["metrics"]
    for level in ("case", "image"):
        yield tables.calls_table(metrics, level)
    yield tables.segmentation_table(metrics["segmentation"])
    yield tables.without_lesion_table(metrics["segmentation"])
    yield tables.blind_table(metrics["segmentation"])
    yield tables.differences_table(card)
    yield tables.arms_table(card)
    yield tables.against_table(metrics["against_current"])
    found = tables.repeatability_table(metrics)
    assert found
    yield found
    found = tables.evidence_table(metrics)
    assert found
    yield found


def test_no_figure_stands_without_its_interval() -> None:
    n_figures = 0
    for table in every_table(new_card()):
        assert table.rows
        for row in table.rows:
            assert len(row) == len(table.heading)
            for text in row:
                if FIGURE.match(text):
                    n_figures += 1
                    assert BEHIND.search(text), text
    assert n_figures > 100


def test_both_networks_are_shown_with_ranking_and_calibration() -> None:
    table = tables.calls_table(new_card()["metrics"], "case")
    assert table.heading == ("Figure", "3 channels", "4 channels")
    names = [row[0] for row in table.rows]
    assert names[0] == "Accuracy"
    assert names[-3:] == ["AUC (ROC curve)", "Brier score", "Calibration error (ECE)"]
    assert [row[0] for row in tables.calls_table(old_card()["metrics"], "case").rows][-1] == "AUC (ROC curve)"


def test_calibration_before_and_after() -> None:
    card = new_card()
    card["metrics"]["uncalibrated"]["3ch"]["brier"]["value"] = 0.987
    card["metrics"]["uncalibrated"]["3ch"]["calibration"]["image"]["mean_prob"] = 0.4
    found = tables.calibration_table(card, card["metrics"])
    assert found
    assert found.heading == ("Network", "Figure", "Before", "After")
    rows = {row[1]: row for row in found.rows if row[0] == "3 channels"}
    assert rows["Brier score"][2].startswith("0.99")
    assert not rows["Brier score"][3].startswith("0.99")
    mean = rows["Mean probability, and share that was HSIL"]
    assert mean[2].startswith("40.0%; observed 33.3% (16/48; ")
    assert not mean[3].startswith("40.0%")
    assert rows["Slope (1 is right)"][2].endswith("(no interval: 8 patients of a class, and it takes 20 of each)")
    by_case = tables.calibration_table(card, card["metrics"], "case")
    assert by_case
    assert len(by_case.rows) == 6
    assert tables.calibration_table(old_card(), old_card()["metrics"]) is None


def test_a_card_between_the_versions_has_what_it_has() -> None:
    """One that knew the temperature and no intercept: its figures before and after stay, and it is not calibrated."""
    card = new_card()
    del card["calibration"]
    for network in ("3ch", "4ch"):
        del card["metrics"][network]
        card["metrics"]["uncalibrated"][network] = {
            name: card["metrics"]["uncalibrated"][network][name] for name in ("brier", "ece")
        }
    found = tables.calibration_table(card, card["metrics"])
    assert found
    assert [row[1] for row in found.rows] == ["Brier score", "Calibration error (ECE)"] * 2
    assert tables.calibration_table(card, card["metrics"], "case") is None
    steps = tables.calibration_steps_table(card)
    assert steps
    assert steps.rows[0] == ("3 channels", "1.40", "none: not calibrated for a share of HSIL", "")
    assert tables.calibration_steps_table(new_card()).rows[1] == (  # type: ignore[union-attr]
        "4 channels", "0.80", "-0.90", "27 of 100 images (27.0%)"
    )  # fmt: skip
    assert tables.calibration_steps_table(old_card()) is None
    assert tables.places_table(card["metrics"]) is None


def test_evidence_in_bars_and_rim_stands_beside_what_chance_puts_there() -> None:
    found = tables.places_table(new_card()["metrics"])
    assert found
    assert [row[0] for row in found.rows] == [
        "Evidence for HSIL in the lesion, beyond its area",
        "Evidence for HSIL in the black bars",
        "Evidence for normal in the black bars",
        "Evidence for HSIL in the image's rim",
        "Evidence for normal in the image's rim",
    ]
    assert found.rows[0][2].startswith("+0.30")
    assert [row[3] for row in found.rows] == ["0", "area 25.0%", "area 25.0%", "area 19.0%", "area 19.0%"]
    assert found.rows[1][1].endswith("(no interval: 4 patients, and it takes 5)")
    metrics = new_card()["metrics"]
    metrics["4ch"]["evidence"]["padding"]["hsil"] = {
        "value": None, "low": None, "high": None, "n_patients": 0, "n_images": 0
    }  # fmt: skip
    assert tables.places_table(metrics).rows[1][2] == "not defined (0 images)"  # type: ignore[union-attr]


def test_each_seed_has_its_tests_with_counts() -> None:
    table = tables.seeds_table(new_card())
    assert len(table.rows) == 5 * 2
    assert [row[1] for row in table.rows[:2]] == ["1", "2"]
    for row in table.rows:
        assert all("right alone: first" in text for text in row[2:5])
        assert "8 cases of a class, and it takes 10 of each" in row[5]


def test_an_auc_without_variance_says_so() -> None:
    card = new_card()
    test = card["metrics"]["comparison"]["differences"][0]["by_seed"][0]["auc"]
    test.update(difference=0.0, low=None, high=None, p=None, missing=None)
    assert tables.seeds_table(card).rows[0][5] == "+0.00 (no interval: 24 cases)"
    test.update(difference=None)
    assert tables.seeds_table(card).rows[0][5] == "not defined (24 cases)"


def test_flips_name_case_and_images() -> None:
    card = new_card()
    flip = {"case_id": 7, "low_image_id": 70, "low_prob": 0.1, "high_image_id": None, "high_prob": 0.9}
    card["metrics"]["repeatability"]["3ch"]["flips"] = []
    card["metrics"]["repeatability"]["4ch"]["flips"] = [flip]
    assert tables.flips_table(card["metrics"]).rows == [("4 channels", "7", "0.10 (image 70)", "0.90")]
    assert tables.repeatability_table(old_card()["metrics"]) is None


def test_evidence_and_forgetting_are_told_for_both_networks() -> None:
    metrics = new_card()["metrics"]
    found = tables.evidence_table(metrics)
    assert found
    assert [row[0] for row in found.rows][:2] == [
        "Evidence for HSIL inside the annotated mask",
        "Highest place for HSIL in the annotated mask",
    ]
    assert len(found.rows) == 8
    assert [row[-1][:4] for row in found.rows[:2]] == ["0.20", "0.30"], "what a map that prefers no place has"
    for side in ("expert", "model"):
        for label in ("hsil", "normal"):
            del metrics["evidence"][side][label]["hits_by_chance"]
    older = tables.evidence_table(metrics)
    assert older
    assert [row[-1][:9] for row in older.rows[:2]] == ["0.20 (no ", "not known"]
    metrics["forgetting"]["4ch"][1]["similarity"] = None
    forgetting = tables.forgetting_table(metrics)
    assert forgetting
    assert forgetting.rows[0] == ("3 channels", "resnet.fc", "+0.40 (+0.10 to +0.60; 8 images)")
    assert forgetting.rows[3] == ("4 channels", "resnet.conv1", "not defined")
    assert tables.evidence_table(old_card()["metrics"]) is None
    assert tables.forgetting_table(old_card()["metrics"]) is None


def test_the_model_stands_beside_the_annotators() -> None:
    class Found:
        model_dice = model_kappa = Estimate(0.5, 0.4, 0.6, 3, 4)
        annotators_dice = annotators_kappa = Estimate(0.7, 0.6, 0.8, 3, 4)
        all_annotators_dice = all_annotators_kappa = Estimate(0.75, 0.7, 0.8, 9, 12)
        n_images_shared, n_images_all = 4, 12

    rows = tables.ceiling_table(Found()).rows
    assert [row[1][:4] for row in rows] == ["0.50", "0.70", "0.75"]
    assert [row[3] for row in rows] == ["4", "4", "12"]


@pytest.mark.parametrize("card", [new_card(), old_card()], ids=["new", "old"])
def test_what_it_learned_from(card: dict[str, Any]) -> None:
    assert [row[0] for row in tables.trained_on_table(card).rows] == ["train", "validation", "test"]
    assert ("preset", "quick") in tables.settings_table(card).rows
    card["computed_on"] = {"device": "cpu", "precision": "bf16", "threads": 2}
    computed = [value for name, value in tables.settings_table(card).rows if "computed with" in name]
    assert computed == ["cpu", "bf16", "2"]


def test_beside_accuracy_stands_what_one_call_for_all_reaches() -> None:
    metrics = new_card()["metrics"]
    block = metrics["classification_4ch"]["case"]
    rows = {row[0]: row for row in tables.calls_table(metrics, "case").rows}
    said = rows["Accuracy of one call for all, whichever is right more often"]
    most = max(block["true_positive"] + block["false_negative"], block["true_negative"] + block["false_positive"])
    assert f"{most} of {block['n']}" in said[2]


def test_an_older_card_says_that_the_blind_reference_is_not_known() -> None:
    block = old_card()["metrics"]["segmentation"]
    assert {row[1] for row in tables.blind_table(block).rows} == {"not known"}
    assert {row[2:4] for row in tables.segmentation_table(block).rows} == {("not known", "not known")}
