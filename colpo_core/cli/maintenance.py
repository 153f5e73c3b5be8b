"""Commands of the store as a whole: back-ups, moves, upgrades."""

from pathlib import Path

import click

from colpo_core.cli.option_types import EXISTING_FOLDER, NEW_FOLDER
from colpo_core.cli.output import as_operator, json_option, print_json
from colpo_core.cluster.sharing_files import share_files as share_store_files
from colpo_core.cluster.sqlite_to_postgresql import move_to_postgresql
from colpo_core.errors import ColpoError
from colpo_core.records.maintenance import BackUpFacts
from colpo_core.services.maintenance import back_ups
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.settings import Settings
from colpo_core.store import Store, backup
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import upgrade_schema


@click.group("store")
def store_group() -> None:
    """The store itself."""


@store_group.command("back-up")
@click.argument("folder", type=NEW_FOLDER)
@json_option
def back_up(folder: Path, as_json: bool) -> None:
    """Copy the store into a folder while everybody goes on; the same folder again takes what is new."""
    with as_operator() as caller:
        facts = back_ups.back_up(caller, folder=folder)
    if as_json:
        print_json(facts)
    else:
        click.echo(f"{facts.copied_files} of {facts.files} files were new, {facts.size_bytes / 1e6:,.1f} MB in all")
    _name_damaged(facts, "in the store: earlier back-ups may hold them whole")


@store_group.command("restore")
@click.argument("folder", type=EXISTING_FOLDER)
def restore(folder: Path) -> None:
    """Make a store in the empty folder COLPO_DATA from a back-up, after checking every file of it."""
    settings = Settings.from_environment()
    try:
        facts = backup.restore(folder, settings)
    except ColpoError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{settings.data_dir} holds the store of {facts.made_at:%Y-%m-%d %H:%M} UTC.")
    _name_damaged(facts, "in the back-up, and missing now")


def _name_damaged(facts: BackUpFacts, where: str) -> None:
    if facts.damaged:
        names = "\n".join(facts.damaged)
        raise click.ClickException(f"{len(facts.damaged)} files are damaged {where}:\n{names}")


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


@store_group.command("share-files")
def share_files() -> None:
    """Copy the images and checkpoints of COLPO_DATA to COLPO_FILES, where several machines share them."""
    with as_operator() as caller:
        counts = share_store_files(caller)
    click.echo(f"{counts.blobs} images, maps and snapshots and {counts.checkpoints} checkpoints are shared.")
    click.echo("The store's folder is left as it was.")
    if counts.damaged:
        names = "\n".join(counts.damaged)
        raise click.ClickException(f"{len(counts.damaged)} files of the folder are damaged and were left out:\n{names}")


@store_group.command("upgrade")
def upgrade() -> None:
    """Bring an older store to this version of the program. Make a copy of its folder first."""
    settings = Settings.from_environment()
    if settings.database_url is None and not settings.database_path.exists():
        raise click.ClickException(f"There is no store in {settings.data_dir}.")
    try:
        upgrade_schema(make_engine(settings))
        store = Store.open(settings)
        not_told = fill_learned(store)
        store.close()
    except ColpoError as error:
        raise click.ClickException(str(error)) from error
    click.echo("The store fits this version of the program.")
    if not_told:
        raise click.ClickException("\n".join((*not_told, "Put the files back and run this again.")))
