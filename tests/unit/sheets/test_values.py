import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.sheets.values import (
    heading,
    hidden_character,
    is_formula,
    near_twins,
    plain_name,
    read_numbers,
    read_yes_or_no,
)


def problem(*texts: str, comma_cells: bool = False) -> str:
    """What is wrong with the last of a column's texts."""
    return read_numbers(texts, has_comma_cells=comma_cells).problems.get(texts[-1], "")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8), st.booleans())
def test_numbers_are_read_back(values: list[float], has_comma: bool) -> None:
    texts = [repr(value).replace(".", ",") if has_comma else repr(value) for value in values]
    found = read_numbers(texts, has_comma_cells=has_comma)
    for text, value in zip(texts, values, strict=True):
        assert found.values[text] == value or text in found.problems


@pytest.mark.parametrize(
    "text", ["1_000", "1 000", "1'000", "inf", "nan", "0x10", "", "high", "１", "1,2.3", "1.2.3", "--1"]
)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert problem(text)
    assert math.isnan(read_numbers([text]).values[text])


def test_thousands_are_not_guessed() -> None:
    assert "thousands or a decimal" in problem("1,234")
    assert "thousands or a decimal" in problem("1.234", comma_cells=True)
    assert problem("1.234") == "", "between commas a point is the decimal's"
    assert problem("2,5", "1,234") == "", "another number shows what the comma is"
    assert problem("0,5", comma_cells=True) == ""
    assert "another decimal mark" in problem("0.5", "1,234")
    assert "another decimal mark" in problem("0.5", "0,5")
    assert "points and commas" in problem("1,234.5")
    assert "several points" in problem("1.234.567")
    assert "between its digits" in problem("1_000")


def test_a_percent_sign_makes_a_share_where_all_have_it() -> None:
    found = read_numbers(["96%", "7,5 %"])
    assert found.values == {"96%": 0.96, "7,5 %": 0.075}
    assert found.notes == ("Numbers with a percent sign were read as shares: 96% is 0.96.",)
    assert "percent sign" in problem("96%", "0.5")


@pytest.mark.parametrize("text", ["1", "1.0", "TRUE", "True", "yes", "HSIL", "positive", "WAHR", "예"])
def test_yes(text: str) -> None:
    assert read_yes_or_no(text) is True


@pytest.mark.parametrize("text", ["0", "0.0", "FALSE", "no", "Normal", "negative", "FALSCH", "아니오"])
def test_no(text: str) -> None:
    assert read_yes_or_no(text) is False


@pytest.mark.parametrize("text", ["", "2", "maybe", "lsil", "10", "truely"])
def test_neither(text: str) -> None:
    assert read_yes_or_no(text) is None


@given(st.text(max_size=12))
def test_composed_and_decomposed_names_are_one(text: str) -> None:
    forms = {plain_name(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(forms) == 1


def test_near_twins_are_found_and_others_are_not() -> None:
    assert near_twins(["c001", "C001", "C002"]) == [("C001", "c001")]
    assert near_twins(["Dr Kim", "Dr  Kim", "dr kim", "Dr Lee"]) == [("Dr  Kim", "Dr Kim", "dr kim")]
    assert near_twins(["1", "01", "1.0", "2"]) == [("01", "1", "1.0")]
    assert near_twins(["A", "Ａ"]) == [("A", "Ａ")]
    assert near_twins(["A", "C", "A-B", "B-C", "A_B", "AB"]) == []


def test_names_without_what_nobody_sees() -> None:
    assert plain_name(" \u200bKim\ufeff ") == "Kim"
    assert plain_name("'=Kim") == "=Kim", "an export's apostrophe goes"
    assert plain_name("'Kim'") == "'Kim'"
    assert hidden_character("Ki\u200bm") == "U+200B"
    assert hidden_character("김 Müller-1") is None


def test_headings_are_compared_by_letters_and_digits() -> None:
    assert heading("Patient Code") == heading("patient_code") == heading(" PATIENT-CODE ") == "patientcode"
    assert heading("%") == "%"


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\t1", "\r1", "\n=1", " =1", "\u00a0+1", "＝1", " ＠a", "－1"]
)
def test_what_a_spreadsheet_would_run_is_known(text: str) -> None:
    assert is_formula(text)
    assert plain_name(f"'{text}") == plain_name(text)
    assert not is_formula(f"'{text}")


@pytest.mark.parametrize("text", ["", "a=1", "Kim", "1-2", "'", "é+"])
def test_other_texts_are_no_formula(text: str) -> None:
    assert not is_formula(text)
