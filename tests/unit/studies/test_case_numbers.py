import pytest

from colpo_core.errors import InputRejected
from colpo_core.studies.case_numbers import parse_case_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("7", (7,)),
        ("3, 5, 8-12", (3, 5, 8, 9, 10, 11, 12)),
        ("  12;3 3\n8 – 9 ", (3, 8, 9, 12)),
        ("4-4", (4,)),
    ],
)
def test_numbers_and_ranges_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_case_numbers(text) == numbers


@pytest.mark.parametrize("text", ["x", "3-", "-3", "1.5", "9-3", "1-1000000", "1-4000, 5001-9000", "1--3"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(InputRejected):
        parse_case_numbers(text)
