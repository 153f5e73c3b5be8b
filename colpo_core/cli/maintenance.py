"""Commands of the store as a whole: checks, back-ups, moves, upgrades."""

from collections.abc import Sequence
from pathlib import Path

import click

from colpo_core.cli.option_types import EXISTING_FOLDER, NEW_FOLDER
from colpo_core.cli.output import Answer, action, errors_as_sentences, note, print_lines, query
from colpo_core.cluster.sharing_files import share_files as share_store_files
from colpo_core.cluster.sqlite_to_postgresql import move_to_postgresql
from colpo_core.errors import ColpoError
from colpo_core.records.maintenance import KEPT_GENERATIONS, CheckReport, StoreFault
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance import back_ups, checking
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.settings import Settings
from colpo_core.store import Store, backup_folder
from colpo_core.store.engine import make_engine, telling_damage
from colpo_core.store.presence import check_presence, no_store
from colpo_core.store.schema import upgrade_schema


@click.group("store")
def store_group() -> None:
    """The store itself."""


@query("check", store_group)
def check(caller: Caller) -> Answer:
    """Read every file that a row names, count anew what is kept counted, verify every seal; 1 where one is wrong."""
    report = checking.check_store(caller, on_file=lambda done, total: note(f"{done} of {total} files read"))
    return Answer(report, lambda: _print_report(report), _faults(report.faults, "things are wrong"))


def _print_report(report: CheckReport) -> None:
    click.echo(f"{report.n_files} files, {report.size_bytes / 1e6:,.1f} MB, were read.")
    if report.unnamed:
        click.echo(f"{len(report.unnamed)} files belong to nothing; something was broken off. They do no harm:")
        print_lines(report.unnamed)
    if not report.faults:
        click.echo("Nothing is wrong.")


@query("back-up", store_group)
@click.argument("folder", type=NEW_FOLDER)
@click.option(
    "--verify", is_flag=True, help="Read every file on both sides, not only what is new, changed or a week old."
)
@click.option(
    "--keep", type=click.IntRange(1, 60), default=KEPT_GENERATIONS, show_default=True, help="Earlier databases to keep."
)
def back_up(caller: Caller, folder: Path, verify: bool, keep: int) -> Answer:
    """Copy the store into a folder while everybody goes on; the same folder again takes what is new."""
    facts = back_ups.back_up(caller, folder=folder, verify=verify, kept=keep)
    text = f"{facts.copied_files} of {facts.files} files were new, {facts.size_bytes / 1e6:,.1f} MB in all"
    return Answer(facts, lambda: click.echo(text), _faults(facts.faults, "files were missing or damaged"))


@store_group.command("generations")
@click.argument("folder", type=EXISTING_FOLDER)
def generations(folder: Path) -> None:
    """List the earlier databases of a folder of back-ups, for `store restore --generation`."""
    with errors_as_sentences():
        newest = backup_folder.read_facts(folder)
    click.echo(f"newest: {newest.made_at:%Y-%m-%d %H:%M} UTC")
    for name in backup_folder.generations(folder):
        click.echo(name)


@store_group.command("restore")
@click.argument("folder", type=EXISTING_FOLDER)
@click.option("--generation", help="An earlier database of the folder; see `store generations`.")
def restore(folder: Path, generation: str | None) -> None:
    """Make a store in the empty folder COLPO_DATA from a back-up: reads every file of it and ends all sign-ins."""
    settings = Settings.from_environment()
    with errors_as_sentences():
        facts = back_ups.restore(settings, folder=folder, generation=generation)
    click.echo(f"{settings.data_dir} holds the store of {facts.made_at:%Y-%m-%d %H:%M} UTC. Everybody signs in anew.")
    _name_faults(facts.faults, "files are lacking")


@action("heal", store_group)
@click.argument("folder", type=EXISTING_FOLDER, required=False)
def heal(caller: Caller, folder: Path | None) -> None:
    """Put back what is missing or damaged in the store and whole in a back-up; count anew what lists show."""
    healed = back_ups.heal(caller, folder=folder, on_file=lambda place: note(f"put back: {place}"))
    click.echo(f"{len(healed.healed)} files were put back; what lists show of cases was counted anew.")
    _name_faults(healed.left, "files are still missing or damaged")


def _faults(faults: Sequence[StoreFault], what: str) -> click.ClickException | None:
    if not faults:
        return None
    return click.ClickException("\n".join((f"{len(faults)} {what}:", *(fault.sentence for fault in faults))))


def _name_faults(faults: Sequence[StoreFault], what: str) -> None:
    failure = _faults(faults, what)
    if failure is not None:
        raise failure


@store_group.command("to-postgresql")
@click.argument("database_url", metavar="URL")
def to_postgresql(database_url: str) -> None:
    """Copy the store's database into an empty one on PostgreSQL; the program must not run meanwhile."""
    settings = Settings.from_environment()
    try:
        named = Settings.from_environment({"COLPO_DATABASE_URL": database_url}).database_url
        counts = move_to_postgresql(settings, str(named))
    except (ColpoError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{sum(counts.values())} rows of {len(counts)} tables were copied.")
    click.echo("Start the program with this address in COLPO_DATABASE_URL; the SQLite file is left as it was.")


@action("share-files", store_group)
def share_files(caller: Caller) -> None:
    """Copy the images and checkpoints of COLPO_DATA to COLPO_FILES, where several machines share them."""
    counts = share_store_files(caller)
    click.echo(f"{counts.blobs} images, maps and snapshots and {counts.checkpoints} checkpoints are shared.")
    click.echo("The store's folder is left as it was.")
    if counts.damaged:
        sentence = f"{len(counts.damaged)} files of the folder are damaged and were left out:"
        raise click.ClickException("\n".join((sentence, *counts.damaged)))


@store_group.command("upgrade")
def upgrade() -> None:
    """Bring an older store to this version of the program. Make a copy of its folder first."""
    settings = Settings.from_environment()
    with errors_as_sentences():
        if not check_presence(settings):
            raise no_store(settings)
        with telling_damage(settings):
            upgrade_schema(make_engine(settings))
        store = Store.open(settings, make=False)
        not_told = fill_learned(store)
        store.close()
    click.echo("The store fits this version of the program.")
    if not_told:
        raise click.ClickException("\n".join((*not_told, "Put the files back and run this again.")))
