"""Numbers of incidents."""

import re

import pytest

from colpo_core.services.common.incidents import describe, log_incident


def test_each_incident_has_a_number_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    numbers = {log_incident(ValueError("text")) for _ in range(20)}
    assert len(numbers) == 20
    assert all(re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", number) for number in numbers)
    assert all(number in caplog.text for number in numbers)


def test_an_error_is_described_by_kinds_and_places() -> None:
    try:
        try:
            raise KeyError("inner text")
        except KeyError as error:
            raise ValueError("outer text") from error
    except ValueError as error:
        text = describe(error)
    assert text.index("builtins.ValueError") < text.index("builtins.KeyError")
    assert "test_incidents.py" in text
    assert "text" not in text


def test_errors_that_cause_each_other_end() -> None:
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert describe(one).count("builtins.") == 2
