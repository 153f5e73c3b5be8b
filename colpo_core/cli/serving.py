"""Commands that put the program on the screen."""

import subprocess
import sys
from pathlib import Path

import click

from colpo_core.cli.output import as_operator
from colpo_core.cli.progress import counting
from colpo_core.services.imports.demonstration import fill_demonstration
from colpo_core.services.people.accounts import needs_first_administrator
from colpo_core.settings import PROGRAM_DIR

DEMONSTRATION_CASES = 40
PORT = click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)


@click.command()
@PORT
def serve(port: int) -> None:
    """Serve the program on this machine, on the store as it is."""
    with as_operator(make=True) as caller:
        new = needs_first_administrator(caller.store)
        folder = caller.store.settings.data_dir
    _serve(port, new, folder)


@click.command()
@PORT
@click.option("--cases", type=click.IntRange(3, 1000), default=DEMONSTRATION_CASES, show_default=True)
@click.option("--fill-only", is_flag=True, help="Fill an empty store and stop there.")
def demo(port: int, cases: int, fill_only: bool) -> None:
    """Fill an empty store with simulated cases, then serve it. A store that holds a patient is left as it is."""
    with as_operator(make=True) as caller:
        drawn = fill_demonstration(
            caller.store, n_cases=cases, on_case=counting(f"drawing simulated cases: {{}} of {cases}", cases)
        )
        new = needs_first_administrator(caller.store)
        folder = caller.store.settings.data_dir
    click.echo(
        f"{drawn} simulated cases were drawn." if drawn else "The store holds cases already; nothing was changed."
    )
    if not fill_only:
        _serve(port, new, folder)


def _serve(port: int, new: bool, folder: Path) -> None:
    click.echo(f"\n  ColpoDesk        http://127.0.0.1:{port}")
    click.echo(f"  Store            {folder}")
    if new:
        click.echo("  Sign in          the first visit asks you to choose the administrator's name and password")
    else:
        click.echo("  Sign in          with the name and password of your account")
    click.echo("  Stop             Ctrl+C (jobs in the background go on)\n")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    try:
        code = subprocess.call(command, cwd=PROGRAM_DIR)  # noqa: S603 - our own program, no shell
    except KeyboardInterrupt:
        code = 0
    raise SystemExit(code)
