"""Plain pseudonyms are taken, and what could tell who a patient is is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.errors import InputRejected
from colpo_core.services.imports.patient_codes import check_patient_code

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("code", ["P-0042", "annocerv-7", "sim.12", "A", "x_9", "PAT-A", "2024-05-06-003", "12345678"])
def test_pseudonyms_are_taken(code: str) -> None:
    assert check_patient_code(f" {code} ", today=TODAY) == code


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("Maria Ionescu", "no blanks"),
        ("Ionescu, M.", "no blanks"),
        ("P/1", "letters, digits"),
        ("Müller1", "letters, digits"),
        ("x" * 41, "up to 40"),
        ("maria.ionescu", "looks like a name"),
        ("Maria_Ionescu", "looks like a name"),
        ("MariaIonescu", "looks like a name"),
        ("1984-03-12", "date of birth"),
        ("12.03.1984", "date of birth"),
        ("03-12-1984", "date of birth"),
        ("19840312", "date of birth"),
        ("MI-1984.03.12", "date of birth"),
    ],
)
def test_what_could_tell_who_she_is_is_refused_with_a_reason_that_does_not_repeat_it(code: str, why: str) -> None:
    with pytest.raises(InputRejected, match=why) as caught:
        check_patient_code(code, today=TODAY)
    assert not code.strip() or len(code) < 3 or code not in str(caught.value)


@given(st.text())
def test_any_text_is_either_a_plain_code_or_refused(text: str) -> None:
    try:
        code = check_patient_code(text, today=TODAY)
    except InputRejected:
        return
    assert code == text.strip()
    assert code.isascii()
    assert 1 <= len(code) <= 40
