"""Commands of what the clinic has set for the whole program."""

import click

from colpo_core.cli.output import Answer, action, answer, query
from colpo_core.services.common import preferences as service
from colpo_core.services.common.callers import Caller


@click.group()
def preferences() -> None:
    """Preferences: what is set for the whole program."""


@query("show", preferences)
def show(caller: Caller) -> Answer:
    """Show what is set for the whole program."""
    return answer(service.get_preferences(caller), _print)


@action("proposals", preferences)
@click.argument("allowed", type=click.Choice(["on", "off"]))
def proposals(caller: Caller, allowed: str) -> None:
    """Let annotators start a mask from the model's proposal, or forbid it."""
    _print(service.set_proposals(caller, allowed=allowed == "on"))


def _print(preferences: service.Preferences) -> None:
    click.echo(f"proposals: {'on' if preferences.proposals else 'off'}")
