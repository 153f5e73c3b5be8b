import pytest

from colpo_core.exchange.tables import aligned


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned(("id", "name"), [("1", "a"), ("1000", "")]) == ["id    name", "1     a", "1000"]
    assert aligned(("id", "name"), []) == ["id  name"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        aligned(("id", "name"), [("1",)])
