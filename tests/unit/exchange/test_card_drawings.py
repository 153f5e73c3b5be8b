import re

from colpo_core.exchange.card_drawings import (
    differences_drawing,
    distributions_drawing,
    reliability_drawing,
    roc_drawing,
)
from colpo_core.records.models.cards import differences, pair_name
from tests.support.cards import new_card, old_card


def test_each_curve_is_named_with_its_figure_and_interval() -> None:
    metrics = new_card()["metrics"]
    for drawing, name in ((roc_drawing, "AUC"), (reliability_drawing, "Brier")):
        drawn = drawing(metrics, "case", marks="m")
        assert drawn
        for network in ("3 channels", "4 channels"):
            legend = drawn[drawn.index(f"{network}: {name}") :]
            assert " to " in legend[: legend.index("</text>")]


def test_all_five_pairs_and_four_figures_are_drawn() -> None:
    drawn = differences_drawing(new_card(), marks="m")
    assert drawn
    said = " ".join(re.findall(r"<text[^>]*>([^<]*)<", drawn))
    for text in ("AUC", "Accuracy", "Sensitivity", "Specificity"):
        assert text in said
    pairs = [pair_name(new_card(), pair) for pair in differences(new_card())]
    assert len(pairs) == 5
    for pair in pairs:
        assert pair in said, "names are wrapped, and in one piece nonetheless"


def test_images_without_a_lesion_are_in_no_distribution() -> None:
    drawn = distributions_drawing(new_card()["metrics"]["segmentation"], marks="m")
    assert drawn
    assert drawn.count("n = 12") == 3
    assert drawn.count("n = 5") == 3


def test_an_older_card_has_no_drawings() -> None:
    card = old_card()
    metrics = card["metrics"]
    assert roc_drawing(metrics, "case", marks="m") is None
    assert reliability_drawing(metrics, "case", marks="m") is None
    assert distributions_drawing(metrics["segmentation"], marks="m") is None
    assert differences_drawing(card, marks="m") is None
