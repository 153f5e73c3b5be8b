from colpo_core.exchange.card_tables import comparisons as tables
from tests.support.cards import new_card


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
