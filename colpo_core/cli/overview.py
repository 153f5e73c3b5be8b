"""Commands that say how things stand."""

import click

from colpo_core.cli.output import as_operator, json_option, print_json, print_table
from colpo_core.services.overview import dashboard as cohort
from colpo_core.services.overview import worklist as service


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show how much the store holds."""
    with as_operator() as caller:
        counts = service.status(caller.store)
    if as_json:
        print_json(counts)
    else:
        print_table(("what", "number"), [(name.replace("_", " "), value) for name, value in counts.items()])


@click.command()
@json_option
def worklist(as_json: bool) -> None:
    """Show what waits for the operator."""
    with as_operator() as caller:
        found = service.worklist(caller)
    if as_json:
        print_json(found)
    else:
        print_table(("waits", "number"), [(item.what, item.number_text) for item in found.items])


@click.command()
@click.option("--simulated/--no-simulated", default=True, show_default=True, help="Count simulated cases too.")
def dashboard(simulated: bool) -> None:
    """Print the dashboard's figures, with their intervals, as one JSON document."""
    with as_operator() as caller:
        print_json(cohort.dashboard(caller, include_simulated=simulated))
