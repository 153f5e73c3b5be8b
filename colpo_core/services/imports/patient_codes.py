"""What a patient's code may be: a pseudonym, never a name or a date of birth."""

import re
from datetime import date

from colpo_core.errors import InputRejected

_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,40}")
_DIGIT = re.compile(r"\d")
_TWO_WORDS = re.compile(r"[A-Za-z]{2,}[._-]+[A-Za-z]{2,}|[A-Z][a-z]+[A-Z][a-z]+")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[._-]?(\d{2})[._-]?(\d{2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{2})[._-]?(\d{2})[._-]?(\d{4})(?!\d)")
_YOUNGEST_YEARS = 10
_OLDEST_YEARS = 110


def check_patient_code(text: str, *, today: date) -> str:
    """A pseudonymous code as it will be stored.

    Args:
        text: What a person or a file gave.
        today: The present day, to tell a date of birth from a date of an examination.

    Returns:
        The code without blanks around it.

    Raises:
        InputRejected: It is empty, too long, holds other characters, or looks like a name or a date of birth. The
            message does not repeat the code.
    """
    code = text.strip()
    if not code:
        raise InputRejected("The patient code is missing. Give the pseudonym that your clinic uses, such as P-0042.")
    if not _SHAPE.fullmatch(code):
        raise InputRejected(
            "A patient code has up to 40 letters, digits, dots, hyphens and underscores, and no blanks, such as P-0042."
        )
    if not _DIGIT.search(code) and _TWO_WORDS.search(code):
        raise InputRejected(
            "This patient code looks like a name. Use a pseudonym with a number, such as P-0042, so that nothing here "
            "tells who she is."
        )
    if _holds_birth_date(code, today):
        raise InputRejected(
            "This patient code seems to hold a date of birth. Use a pseudonym that tells nothing about her, such as "
            "P-0042."
        )
    return code


def _holds_birth_date(code: str, today: date) -> bool:
    dates = [(year, month, day) for year, month, day in _YEAR_FIRST.findall(code)]
    for first, second, year in _YEAR_LAST.findall(code):
        dates += [(year, second, first), (year, first, second)]
    return any(_is_birth_date(int(year), int(month), int(day), today) for year, month, day in dates)


def _is_birth_date(year: int, month: int, day: int, today: date) -> bool:
    try:
        born = date(year, month, day)
    except ValueError:  # a number that is no date is no date of birth
        return False
    return _YOUNGEST_YEARS <= today.year - born.year <= _OLDEST_YEARS
