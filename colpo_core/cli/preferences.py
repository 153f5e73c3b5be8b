"""Commands of what the clinic has set for the whole program."""

import click

from colpo_core.cli.output import as_operator, json_option, print_json
from colpo_core.services.common import preferences as service


@click.group()
def preferences() -> None:
    """Preferences: what is set for the whole program."""


@preferences.command("show")
@json_option
def show(as_json: bool) -> None:
    """Show what is set for the whole program."""
    with as_operator() as caller:
        found = service.get_preferences(caller)
    if as_json:
        print_json(found)
        return
    click.echo(f"proposals: {_word(found.proposals)}")


@preferences.command("proposals")
@click.argument("allowed", type=click.Choice(["on", "off"]))
def proposals(allowed: str) -> None:
    """Let annotators start a mask from the model's proposal, or forbid it."""
    with as_operator() as caller:
        found = service.set_proposals(caller, allowed=allowed == "on")
    click.echo(f"proposals: {_word(found.proposals)}")


def _word(allowed: bool) -> str:
    return "on" if allowed else "off"
