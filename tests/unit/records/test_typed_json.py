"""Records as JSON values and back."""

from dataclasses import dataclass
from datetime import date

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.typed_json import from_values, to_values
from colpo_core.terms import Finding


@dataclass(frozen=True)
class _Visit:
    number: int
    day: date
    findings: tuple[Finding, ...] = ()


def test_a_record_comes_back_as_it_went() -> None:
    visit = _Visit(3, date(2026, 2, 28), (Finding.MOSAIC,))
    values = to_values(visit)
    assert values["day"] == "2026-02-28"
    assert from_values(_Visit, values, name="a visit") == visit


def test_a_default_is_written_whoever_filled_it_in() -> None:
    read = from_values(_Visit, {"number": 3, "day": "2026-02-28"}, name="a visit")
    assert to_values(read) == to_values(_Visit(3, date(2026, 2, 28))) == {
        "number": 3, "day": "2026-02-28", "findings": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"number": "3", "day": "2026-02-28"}, r"\$\.number"),
        ({"number": 3}, "day"),
        ({"number": 3, "day": "2026-02-28", "findings": ["warts"]}, r"\$\.findings\[0\]"),
        ([], "a visit"),
    ],
)
def test_a_value_of_another_type_is_refused_and_named(values: object, where: str) -> None:
    with pytest.raises(InputRejected, match=where):
        from_values(_Visit, values, name="a visit")
