from colpo_core.exchange.card_tables import masks as tables
from colpo_core.records.agreement import HumanCeiling
from colpo_core.records.statistics.figures import Estimate
from tests.support.cards import old_card


def test_the_model_stands_beside_the_annotators() -> None:
    model, annotators = Estimate(0.5, 0.4, 0.6, 3, 4), Estimate(0.7, 0.6, 0.8, 3, 4)
    everybody = Estimate(0.75, 0.7, 0.8, 9, 12)
    ceiling = HumanCeiling(
        model, model, annotators, annotators, everybody, everybody, n_images_shared=4, n_images_all=12
    )
    rows = tables.ceiling_table(ceiling).rows
    assert [row[1][:4] for row in rows] == ["0.50", "0.70", "0.75"]
    assert [row[3] for row in rows] == ["4", "4", "12"]


def test_an_older_card_says_that_the_blind_reference_is_not_known() -> None:
    block = old_card()["metrics"]["segmentation"]
    assert {row[1] for row in tables.blind_table(block).rows} == {"not known"}
    assert {row[2:4] for row in tables.segmentation_table(block).rows} == {("not known", "not known")}
