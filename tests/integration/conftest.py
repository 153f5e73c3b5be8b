"""Fixtures of tests that use the whole program: its commands, and a server of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colpo_core.cli.main import main
from colpo_core.settings import Settings
from tests.browser.conftest import Server


@pytest.fixture
def run(settings: Settings) -> Callable[..., Result]:
    """Calls the program with its words, and fails the test when it fails."""

    def call(*words: object, code: int = 0, text: str | None = None) -> Result:
        told = [str(word) for word in words]
        result = CliRunner().invoke(main, told, input=text, env={"COLPO_DATA": str(settings.data_dir)})
        assert result.exit_code == code, f"{words}\n{result.output}\n{result.exception!r}"
        return result

    return call


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The program, serving an empty store."""
    server = Server(tmp_path / "data").start()
    yield server
    server.kill()
