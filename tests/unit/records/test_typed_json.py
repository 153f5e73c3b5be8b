"""Records as JSON values and back."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.typed_json import canonical_json, from_values, read_values, to_values
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
    shorter = from_values(_Visit, {"number": 4, "day": "2026-03-01"}, name="a visit")
    assert to_values(shorter) == {"number": 4, "day": "2026-03-01", "findings": []}, "defaults are written too"


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


def test_a_number_of_numpy_is_written_as_a_number() -> None:
    assert type(to_values({"area": np.float64(0.5)})["area"]) is float
    with pytest.raises(TypeError, match="nothing that JSON knows"):
        to_values({"n": np.arange(3)})


def test_a_key_that_nothing_has_is_refused_where_it_is_asked_for() -> None:
    values = [{"number": 3, "day": "2026-02-28"}, {"number": 4, "day": "2026-03-01", "hour": 9}]
    assert read_values(tuple[_Visit, ...], values)[1].number == 4
    with pytest.raises(ValueError, match=r"unknown fields: \$\[\]\.hour"):
        read_values(tuple[_Visit, ...], values, exact=True)


def test_the_json_that_is_hashed_is_the_same_for_equal_values() -> None:
    assert canonical_json({"b": [1, 0.1], "a": "ü"}) == '{"a":"ü","b":[1,0.1]}'.encode()
