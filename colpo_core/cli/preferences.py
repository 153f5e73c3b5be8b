"""Commands of what the clinic has set for the whole program."""

import click

from colpo_core.cli.output import Answer, answer, as_operator, json_command
from colpo_core.services.common import preferences as service
from colpo_core.services.common.callers import Caller


@click.group()
def preferences() -> None:
    """Preferences: what is set for the whole program."""


@preferences.command("show")
@json_command
def show(caller: Caller) -> Answer:
    """Show what is set for the whole program."""
    return answer(
        service.get_preferences(caller), lambda preferences: click.echo(f"proposals: {_word(preferences.proposals)}")
    )


@preferences.command("proposals")
@click.argument("allowed", type=click.Choice(["on", "off"]))
def proposals(allowed: str) -> None:
    """Let annotators start a mask from the model's proposal, or forbid it."""
    with as_operator() as caller:
        saved = service.set_proposals(caller, allowed=allowed == "on")
    click.echo(f"proposals: {_word(saved.proposals)}")


def _word(allowed: bool) -> str:
    return "on" if allowed else "off"
