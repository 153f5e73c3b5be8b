"""Every command has help, and a place in the documents that says the same."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from colpo_core.cli.main import main
from colpo_core.store import Store

DOCS = Path(__file__).resolve().parents[3] / "docs" / "commands.md"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = list(commands(main))


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_command_has_help_and_a_place_in_the_documents(path: tuple[str, ...], command: click.Command) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert command.help
    line = f"| `{' '.join(path)}` | {command.help.splitlines()[0]} |"
    assert line in DOCS.read_text(encoding="utf-8"), f"docs/commands.md lacks: {line}"


def test_the_documents_name_no_command_that_is_gone() -> None:
    named = {line.split("`")[1] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")}
    assert named == {" ".join(path) for path, _ in COMMANDS}


def test_a_wrong_word_is_answered_with_the_right_ones() -> None:
    result = CliRunner().invoke(main, ["histology", "add", "1", "--kind", "leep", "--grade", "CIN9"])
    assert result.exit_code == 2
    assert "cin1, cin2, cin3" in result.output


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("depth=3", "is no setting"), ("batch_size=many", "needs a int"), ("batch_size=1", "at least 2 images")],
)
def test_a_wrong_training_setting_is_refused(store: Store, tmp_path: Path, change: str, sentence: str) -> None:
    env = {"COLPO_DATA": str(tmp_path / "data")}
    result = CliRunner().invoke(main, ["train", "none", "--set", change], env=env)
    assert result.exit_code != 0
    assert sentence in result.output
