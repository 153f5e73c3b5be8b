from colpo_core.exchange.card_tables import evidence as tables
from tests.support.cards import new_card, old_card


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
