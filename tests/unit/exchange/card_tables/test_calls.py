import re
from collections.abc import Iterator
from typing import Any

from colpo_core.exchange.card_tables import calls as tables
from colpo_core.exchange.card_tables import comparisons, evidence, masks
from colpo_core.exchange.tables import TextTable
from tests.support.cards import new_card, old_card

FIGURE = re.compile(r"^[+-]?\d+\.\d+%?")
BEHIND = re.compile(r"\((no interval: \d+|.* to .*|\d+/\d+; .*)")


def every_table(card: dict[str, Any]) -> Iterator[TextTable]:
    metrics = card["metrics"]
    for level in ("case", "image"):
        yield tables.calls_table(metrics, level)
    yield masks.segmentation_table(metrics["segmentation"])
    yield masks.without_lesion_table(metrics["segmentation"])
    yield masks.blind_table(metrics["segmentation"])
    yield comparisons.differences_table(card)
    yield comparisons.arms_table(card)
    yield comparisons.against_table(metrics["against_current"])
    found = tables.repeatability_table(metrics)
    assert found
    yield found
    found = evidence.evidence_table(metrics)
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
    assert evidence.places_table(card["metrics"]) is None


def test_flips_name_case_and_images() -> None:
    card = new_card()
    flip = {"case_id": 7, "low_image_id": 70, "low_prob": 0.1, "high_image_id": None, "high_prob": 0.9}
    card["metrics"]["repeatability"]["3ch"]["flips"] = []
    card["metrics"]["repeatability"]["4ch"]["flips"] = [flip]
    assert tables.flips_table(card["metrics"]).rows == [("4 channels", "7", "0.10 (image 70)", "0.90")]
    assert tables.repeatability_table(old_card()["metrics"]) is None


def test_beside_accuracy_stands_what_one_call_for_all_reaches() -> None:
    metrics = new_card()["metrics"]
    block = metrics["classification_4ch"]["case"]
    rows = {row[0]: row for row in tables.calls_table(metrics, "case").rows}
    said = rows["Accuracy of one call for all, whichever is right more often"]
    most = max(block["true_positive"] + block["false_negative"], block["true_negative"] + block["false_positive"])
    assert f"{most} of {block['n']}" in said[2]
