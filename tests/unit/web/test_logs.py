"""The web process's log."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from colpo_core.services.common.incidents import log_incident
from colpo_core.web.logs import WithoutTexts, write_logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("colpo_core", "streamlit.error_util", "uvicorn.error", "asyncio")]
    before = [(list(one.handlers), list(one.filters), one.level) for one in loggers]
    yield
    for one, (handlers, filters, level) in zip(loggers, before, strict=True):
        for handler in one.handlers:
            if handler not in handlers:
                handler.close()
        one.handlers, one.filters = handlers, filters
        one.setLevel(level)


def raise_with_patient() -> None:
    try:
        raise KeyError("Mrs Miller, born 1980")
    except KeyError as error:
        raise RuntimeError("Mrs Miller again") from error


def test_an_incident_stands_in_the_file_without_its_text(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    write_logs(tmp_path / "logs")
    try:
        raise_with_patient()
    except RuntimeError as error:
        number = log_incident(error)
    lines = (tmp_path / "logs" / "web.log").read_text()
    assert lines.count(number) == 1
    assert "builtins.RuntimeError" in lines
    assert "builtins.KeyError" in lines
    assert "in raise_with_patient" in lines
    assert "Miller" not in lines


def test_what_others_log_of_an_error_loses_its_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_logs(tmp_path)
    try:
        raise_with_patient()
    except RuntimeError as error:
        logging.getLogger("streamlit.error_util").error("Uncaught app execution", exc_info=error)
    assert "Uncaught app execution" in caplog.text
    assert "builtins.RuntimeError" in caplog.text
    assert "Miller" not in caplog.text


def test_a_line_without_an_error_is_left_alone() -> None:
    record = logging.LogRecord("name", logging.INFO, "file.py", 1, "started on %s", ("8501",), None)
    assert WithoutTexts().filter(record)
    assert record.getMessage() == "started on 8501"
