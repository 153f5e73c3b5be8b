"""Commands of the store as a whole: back-ups, moves, upgrades."""

from pathlib import Path

import click

from colpo_core.cli.option_types import EXISTING_FOLDER, NEW_FOLDER
from colpo_core.cli.output import Answer, action, errors_as_sentences, query
from colpo_core.cluster.sharing_files import share_files as share_store_files
from colpo_core.cluster.sqlite_to_postgresql import move_to_postgresql
from colpo_core.errors import ColpoError
from colpo_core.records.maintenance import BackUpFacts
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance import back_ups
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.settings import Settings
from colpo_core.store import Store, backup
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import upgrade_schema


@click.group("store")
def store_group() -> None:
    """The store itself."""


@query("back-up", store_group)
@click.argument("folder", type=NEW_FOLDER)
def back_up(caller: Caller, folder: Path) -> Answer:
    """Copy the store into a folder while everybody goes on; the same folder again takes what is new."""
    facts = back_ups.back_up(caller, folder=folder)
    text = f"{facts.copied_files} of {facts.files} files were new, {facts.size_bytes / 1e6:,.1f} MB in all"
    failure = _damage(facts, "in the store: earlier back-ups may hold them whole") if facts.damaged else None
    return Answer(facts, lambda: click.echo(text), failure)


@store_group.command("restore")
@click.argument("folder", type=EXISTING_FOLDER)
@errors_as_sentences()
def restore(folder: Path) -> None:
    """Make a store in the empty folder COLPO_DATA from a back-up, after checking every file of it."""
    settings = Settings.from_environment()
    facts = backup.restore(folder, settings)
    click.echo(f"{settings.data_dir} holds the store of {facts.made_at:%Y-%m-%d %H:%M} UTC.")
    if facts.damaged:
        raise _damage(facts, "in the back-up, and missing now")


def _damage(facts: BackUpFacts, where: str) -> click.ClickException:
    return click.ClickException("\n".join((f"{len(facts.damaged)} files are damaged {where}:", *facts.damaged)))


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
@errors_as_sentences()
def upgrade() -> None:
    """Bring an older store to this version of the program. Make a copy of its folder first."""
    settings = Settings.from_environment()
    if settings.database_url is None and not settings.database_path.exists():
        raise click.ClickException(f"There is no store in {settings.data_dir}.")
    upgrade_schema(make_engine(settings))
    store = Store.open(settings)
    not_told = fill_learned(store)
    store.close()
    click.echo("The store fits this version of the program.")
    if not_told:
        raise click.ClickException("\n".join((*not_told, "Put the files back and run this again.")))
