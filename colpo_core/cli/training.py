"""Commands of training: begin one, look ahead, let the program train by itself."""

from dataclasses import fields
from typing import Any

import click

from colpo_core.cli.option_types import options
from colpo_core.cli.output import Answer, action, answer, print_lines, print_table, query
from colpo_core.cli.progress import wait_for
from colpo_core.records.jobs.results import TrainingResult
from colpo_core.records.training.preflight import Preflight
from colpo_core.records.training.retraining import RetrainingState
from colpo_core.records.training.settings import CLASSIFIERS, PRESETS, TrainingSettings, preset
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.training import preflight as preflight_service
from colpo_core.services.training import retraining as retraining_service
from colpo_core.services.training import starting

CHANGES = click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Any other setting, such as batch_size=4."
)
_SWITCHES = {"true": True, "on": True, "false": False, "off": False}


_training_options = options(
    click.argument("snapshot_name", metavar="SNAPSHOT"),
    click.option("--preset", "preset_name", type=click.Choice(list(PRESETS)), default="quick", show_default=True),
    click.option("--classifier", type=click.Choice(CLASSIFIERS), help="Instead of the preset's."),
    click.option("--seed", type=int, default=0, show_default=True),
    CHANGES,
)


@action()
@_training_options
@click.option("--wait", is_flag=True, help="Stay until the training is over, and show how it goes.")
def train(caller: Caller, snapshot_name: str, wait: bool, **options: Any) -> None:  # noqa: ANN401 - those of a training
    """Train on a snapshot, in the background: SegNet, then ResNet with 3 and with 4 channels."""
    settings = _settings(**options)
    frozen = freezing.find_snapshot(caller, name=snapshot_name)
    job = starting.start_training(caller, snapshot_id=frozen.id, settings=settings)
    click.echo(f"job {job.id} started; it goes on when this window is closed")
    if wait:
        job = wait_for(caller, job.id)
        checkpoint_id = job.result.checkpoint_id if isinstance(job.result, TrainingResult) else None
        click.echo(f"checkpoint {checkpoint_id} is in the registry")


@query("look-ahead")
@_training_options
def look_ahead(caller: Caller, snapshot_name: str, **options: Any) -> Answer:  # noqa: ANN401 - those of a training
    """Measure how long a training will take and what it needs, by a few steps of its networks."""
    settings = _settings(**options)
    frozen = freezing.find_snapshot(caller, name=snapshot_name)
    wait_for(caller, preflight_service.start_probe(caller, snapshot_id=frozen.id, settings=settings).id)
    checks = preflight_service.preflight(caller, snapshot_id=frozen.id, settings=settings)
    return answer(checks, _print_checks)


def _print_checks(checks: Preflight) -> None:
    print_lines((*checks.problems, *checks.warnings))
    estimate = checks.outlook
    if estimate is not None:
        rows = [(stage, f"{seconds / 60:.1f}") for stage, seconds in estimate.stage_seconds.items()]
        print_table(("stage", "minutes"), [*rows, ("all", f"{estimate.seconds / 60:.1f}")])
        click.echo(
            f"on {estimate.device} in {estimate.precision}; {estimate.memory_bytes / 1e9:.1f} GB of "
            f"memory, {checks.disk_needed_bytes / 1e9:.1f} GB of {checks.disk_free_bytes / 1e9:.1f} GB on the disk"
        )


@click.group()
def retraining() -> None:
    """Trainings that begin by themselves; off until a rule is set, and never promoted by themselves."""


@query("show", retraining)
def show_retraining(caller: Caller) -> Answer:
    """Show whether the program trains by itself, when, and what came of it last."""
    state = retraining_service.retraining(caller)
    text = "\n".join(filter(None, (_rule_text(state), state.note)))
    return Answer(state, lambda: click.echo(text))


@action("set", retraining)
@_training_options
@click.option("--every-days", type=int, help="Days after the last training of the rule.")
@click.option("--at-new-labels", type=int, help="So many labelled cases that the newest training did not have.")
def set_retraining(
    caller: Caller,
    snapshot_name: str,
    every_days: int | None,
    at_new_labels: int | None,
    **options: Any,  # noqa: ANN401 - those of a training
) -> None:
    """Let the program freeze snapshots like SNAPSHOT and train on them by itself."""
    settings = _settings(**options)
    frozen = freezing.find_snapshot(caller, name=snapshot_name)
    rule = retraining_service.rule_like(
        caller,
        snapshot_id=frozen.id,
        settings=settings,
        every_days=every_days,
        at_new_labels=at_new_labels,
    )
    click.echo(_rule_text(retraining_service.set_retraining(caller, rule=rule)))


@action("off", retraining)
def stop_retraining(caller: Caller) -> None:
    """Let the program train by itself no more."""
    click.echo(_rule_text(retraining_service.set_retraining(caller, rule=None)))


def _rule_text(state: RetrainingState) -> str:
    if state.rule is None:
        return "the program does not train by itself"
    moments = []
    if state.rule.every_days is not None:
        moments.append(f"every {state.rule.every_days} days")
    if state.rule.at_new_labels is not None:
        moments.append(f"at {state.rule.at_new_labels} new labels")
    return f"the program trains by itself {' or '.join(moments)}, set by {state.set_by}"


def _settings(*, preset_name: str, classifier: str | None, seed: int, changes: tuple[str, ...]) -> TrainingSettings:
    wanted = {**parse_changes(changes), "seed": seed, **({"classifier": classifier} if classifier else {})}
    return preset(preset_name, **wanted)


def parse_changes(changes: tuple[str, ...]) -> dict[str, Any]:
    """Settings of a training from their NAME=VALUE.

    Raises:
        click.BadParameter: A name is no setting, or a value not of its type.
    """
    values: dict[str, Any] = {}
    kinds = {field.name: type(getattr(PRESETS["quick"], field.name)) for field in fields(TrainingSettings)}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in kinds or name == "preset":
            raise click.BadParameter(f"{name!r} is no setting. There are {', '.join(sorted(set(kinds) - {'preset'}))}.")
        try:
            values[name] = _SWITCHES[text.lower()] if kinds[name] is bool else kinds[name](text)
        except (ValueError, KeyError) as error:
            raise click.BadParameter(f"{name} needs a {kinds[name].__name__}, not {text!r}.") from error
    return values
