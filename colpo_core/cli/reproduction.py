"""The command that reproduces Kim et al. 2022 on a snapshot."""

from pathlib import Path

import click

from colpo_core.cli.option_types import NEW_FOLDER
from colpo_core.cli.output import Answer, note, query
from colpo_core.cli.progress import progress_line
from colpo_core.cli.training import CHANGES, parse_changes
from colpo_core.exchange.reproduction_report import reproduction_content, reproduction_text
from colpo_core.records.training.reproduction import PAPER_CLASSIFIERS, SET_BY_REPRODUCTION
from colpo_core.records.training.settings import CLASSIFIERS, PRESETS, TrainingEvent, preset
from colpo_core.services.common.callers import Caller
from colpo_core.workers.reproduce import reproduce_paper


@query()
@click.argument("snapshot_name", metavar="SNAPSHOT")
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder for tables and plots; the same again goes on.")
@click.option("--preset", "preset_name", type=click.Choice(list(PRESETS)), default="quick", show_default=True)
@click.option(
    "--classifier",
    "classifiers",
    type=click.Choice(list(CLASSIFIERS)),
    multiple=True,
    default=PAPER_CLASSIFIERS,
    show_default=True,
    help="May be repeated.",
)
@CHANGES
def reproduce(
    caller: Caller,
    snapshot_name: str,
    out: Path,
    preset_name: str,
    classifiers: tuple[str, ...],
    changes: tuple[str, ...],
) -> Answer:
    """Run the paper's protocol and the one by patients on a snapshot, and print the paper's figures beside ours.

    It stays in the foreground. Stop it with Ctrl+C, and run it again with the same --out to go on.
    """
    wanted = parse_changes(changes)
    mine = sorted(set(wanted) & set(SET_BY_REPRODUCTION))
    if mine:
        raise click.BadParameter(f"A reproduction sets {', '.join(mine)} by itself. Leave it out.")
    try:
        reproduction = reproduce_paper(
            caller,
            snapshot_name=snapshot_name,
            settings=preset(preset_name, **wanted),
            classifiers=classifiers,
            out=out,
            on_event=_tell,
        )
    except KeyboardInterrupt:
        note("Stopped. Finished stages are kept; run the same command again to go on.")
        raise
    note(f"tables and plots are in {out}")
    return Answer(reproduction_content(reproduction), lambda: click.echo(reproduction_text(reproduction), nl=False))


def _tell(event: TrainingEvent) -> None:
    if event.figures or event.message:
        note(progress_line(event))
