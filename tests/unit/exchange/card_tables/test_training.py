from typing import Any

import pytest

from colpo_core.exchange.card_tables import training as tables
from tests.support.cards import new_card, old_card


@pytest.mark.parametrize("card", [new_card(), old_card()], ids=["new", "old"])
def test_what_it_learned_from(card: dict[str, Any]) -> None:
    assert [row[0] for row in tables.trained_on_table(card).rows] == ["train", "validation", "test"]
    assert ("preset", "quick") in tables.settings_table(card).rows
    card["computed_on"] = {"device": "cpu", "precision": "bf16", "threads": 2}
    computed = [value for name, value in tables.settings_table(card).rows if "computed with" in name]
    assert computed == ["cpu", "bf16", "2"]
