"""The command line's root: it names the commands; each group has a file of its own, read when it is asked for."""

from importlib import import_module

import click

from colpo_core import __version__
from colpo_core.settings import keep_files_private

COMMANDS = {
    "adjudicate": "agreement:adjudicate",
    "adjudications": "agreement:adjudications",
    "agreement": "agreement:agreement",
    "analyse": "outside_ratings:analyse",
    "annotations": "annotations:annotations",
    "cases": "cases:cases",
    "checkpoints": "models:checkpoints",
    "dashboard": "overview:dashboard",
    "demo": "serving:demo",
    "histology": "cases:histology",
    "import": "imports:import_group",
    "jobs": "jobs:jobs",
    "look-ahead": "training:look_ahead",
    "people": "people:people",
    "power": "outside_ratings:power",
    "predict": "jobs:predict",
    "preferences": "preferences:preferences",
    "reproduce": "reproduction:reproduce",
    "retraining": "training:retraining",
    "review": "review:review",
    "run-job": "jobs:run_job",
    "serve": "serving:serve",
    "snapshot": "snapshots:snapshot",
    "status": "overview:status",
    "store": "maintenance:store_group",
    "studies": "studies:studies",
    "tasks": "tasks:tasks",
    "train": "training:train",
    "worker": "jobs:worker",
    "worklist": "overview:worklist",
}
"""By its name the module of `colpo_core.cli` that holds a command, and the command's name there."""


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for: importing all takes seconds, and every job starts here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; None where there is none."""
        path = COMMANDS.get(cmd_name)
        if path is None:
            return None
        module, name = path.split(":")
        command: click.Command = getattr(import_module(f"colpo_core.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what the machine refuses, such as a full disk, ends it with a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            from colpo_core.services.common.machine_errors import machine_error

            known = machine_error(error)
            if known is None:
                raise
            raise click.ClickException(str(known)) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="colpodesk")
def main() -> None:
    """ColpoDesk without a screen: every step of the program as a command.

    COLPO_DATA names the folder of the store (default: data). Whoever may run commands on this machine acts as its
    operator, with an administrator's rights; every deed is in the log.
    """
    keep_files_private()
