"""Commands that say how things stand."""

import click

from colpo_core.cli.output import Answer, action, note, print_json, print_table, query
from colpo_core.services.common.callers import Caller
from colpo_core.services.overview import dashboard as cohort
from colpo_core.services.overview import worklist as service
from colpo_core.store.private import privacy_warning


@query()
def status(caller: Caller) -> Answer:
    """Show how much the store holds."""
    counts = service.status(caller.store)
    warning = privacy_warning(caller.store.settings)
    if warning:
        note(warning)
    rows = [(name.replace("_", " "), value) for name, value in counts.items()]
    return Answer(counts, lambda: print_table(("what", "number"), rows))


@query()
def worklist(caller: Caller) -> Answer:
    """Show what waits for the operator."""
    waiting = service.worklist(caller)
    rows = [(item.what, item.number_text) for item in waiting.items]
    return Answer(waiting, lambda: print_table(("waits", "number"), rows))


@action()
@click.option("--simulated/--no-simulated", default=True, show_default=True, help="Count simulated cases too.")
def dashboard(caller: Caller, simulated: bool) -> None:
    """Print the dashboard's figures, with their intervals, as one JSON document."""
    print_json(cohort.dashboard(caller, include_simulated=simulated))
