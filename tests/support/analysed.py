"""Ratings in a file, and the command that analyses them."""

from click.testing import CliRunner, Result

from colpo_core.cli.main import main


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["analyse", *words])
