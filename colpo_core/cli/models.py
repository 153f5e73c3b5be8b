"""Commands of checkpoints: the registry, promotion, evaluation."""

from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from colpo_core.cli.output import (
    Answer,
    action,
    answer,
    listing,
    print_lines,
    print_marks,
    print_table,
    query,
)
from colpo_core.cli.progress import wait_for
from colpo_core.records.models.cards import calibration_text
from colpo_core.records.models.checkpoints import CheckpointRecord, EvaluationRecord
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.records.statistics.comparisons import ModelComparison
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import cards as models_cards
from colpo_core.services.models import evaluations as models_evaluations
from colpo_core.services.models import human_ceiling as models_human_ceiling
from colpo_core.services.models import promotion_checks, promotions
from colpo_core.services.models import registry as models_registry
from colpo_core.services.models.comparison import compare_models
from colpo_core.services.snapshots import freezing


@click.group()
def checkpoints() -> None:
    """Checkpoints: the registry of trained models."""


@query("list", checkpoints)
def list_checkpoints(caller: Caller) -> Answer:
    """Show all checkpoints, newest first."""
    return listing(
        models_registry.list_checkpoints(caller),
        ("checkpoint", "name", "snapshot", "figures rest on", ""),
        lambda c: (c.id, c.name, c.snapshot_name, label_source_text(c.label_source), "current" if c.is_current else ""),
    )


@query("show", checkpoints)
@click.argument("checkpoint")
def show_checkpoint(caller: Caller, checkpoint: str) -> Answer:
    """Show one checkpoint's card, by number or name: what made it, and its figures with their intervals."""
    record = find_checkpoint(caller, checkpoint)
    # The rows by case are for the JSON, and count as seen; in the text they would drown the figures.
    return Answer(
        partial(models_registry.whole_checkpoint, caller, checkpoint_id=record.id),
        lambda: _print_checkpoint(caller, record),
    )


def _print_checkpoint(caller: Caller, record: CheckpointRecord) -> None:
    ceiling = models_human_ceiling.human_ceiling(caller, checkpoint_id=record.id)
    click.echo(f"checkpoint {record.id} ({record.name}), trained on snapshot {record.snapshot_name}")
    click.echo(label_source_text(record.label_source))
    print_marks(record.marks)
    click.echo(f"{calibration_text(record.card)}\n")
    metrics = record.card.get("metrics", {})
    _print_figures(metrics)
    if not metrics.get("segmentation", {}).get("blind"):
        click.echo("segmentation.blind: not known, what a mask reaches that looks at no image; train again to know it")
    click.echo(f"\nbeside {ceiling.n_images_all} images that several people have annotated:")
    _print_figures(asdict(ceiling))
    print_lines(f"- {sentence}" for sentence in record.card.get("limits", []))


@query("compare", checkpoints)
@click.argument("first")
@click.argument("second")
@click.option("--channels", type=click.IntRange(3, 4), default=4, show_default=True, help="Which of their networks.")
def compare(caller: Caller, first: str, second: str, channels: int) -> Answer:
    """Compare two checkpoints on the same unseen cases: paired figures, and the cases that flipped."""
    first_id, second_id = (find_checkpoint(caller, name).id for name in (first, second))
    return answer(compare_models(caller, first_id=first_id, second_id=second_id, channels=channels), _print_comparison)


def _print_comparison(comparison: ModelComparison) -> None:
    if comparison.difference is None:
        click.echo("No labelled case of a patient that neither has met was predicted by both.")
        return
    names = ("auc", "accuracy", "sensitivity", "specificity", "brier")
    parts = (comparison.difference.first, comparison.difference.second, comparison.difference)
    rows = [(name, *(getattr(part, name).text() for part in parts)) for name in names]
    print_table(("figure", comparison.first, comparison.second, "difference"), rows)
    for flip in comparison.flips:
        word = "now right" if flip.is_second_right else "now wrong"
        click.echo(f"case {flip.case_id}: {flip.label.value}, {flip.prob_first:.2f} to {flip.prob_second:.2f}, {word}")


@action("card", checkpoints)
@click.argument("checkpoint")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The HTML file to write.")
def write_card(caller: Caller, checkpoint: str, out: Path) -> None:
    """Write one checkpoint's card as an HTML file that stands alone: tables and drawings."""
    record = find_checkpoint(caller, checkpoint)
    text = models_cards.model_card(caller, checkpoint_id=record.id)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error
    click.echo(f"wrote {out}")


@action("promote", checkpoints)
@click.argument("checkpoint")
@click.option("--reason", required=True, help="Why this one; it stays in the record.")
@click.option("--overrule", default="", help="Why in spite of what speaks against it; it stays in the record too.")
def promote(caller: Caller, checkpoint: str, reason: str, overrule: str) -> None:
    """Make a checkpoint the clinic's current model; promoting an older one rolls back."""
    record = find_checkpoint(caller, checkpoint)
    made = promotions.promote_checkpoint(caller, checkpoint_id=record.id, reason=reason, overrule=overrule)
    click.echo(f"checkpoint {made.id} ({made.name}) is the current model")


@query("doubts", checkpoints)
@click.argument("checkpoint")
def doubts(caller: Caller, checkpoint: str) -> Answer:
    """Show what speaks against promoting a checkpoint, and what could not be checked."""
    checks = promotion_checks.check_promotion(caller, checkpoint_id=find_checkpoint(caller, checkpoint).id)
    unchecked = [f"Not checked: {sentence}" for sentence in checks.unchecked]
    text = "\n".join((*(checks.doubts or (checks.summary,)), *unchecked))
    return Answer([*checks.doubts, *unchecked], lambda: click.echo(text))


@action("evaluate", checkpoints)
@click.argument("checkpoint")
@click.argument("snapshot_name", metavar="SNAPSHOT")
@click.option("--wait", is_flag=True, help="Stay until it is over, and print the figures.")
def evaluate(caller: Caller, checkpoint: str, snapshot_name: str, wait: bool) -> None:
    """Judge a checkpoint on an external test set, in the background; each look is counted."""
    record = find_checkpoint(caller, checkpoint)
    snapshot = freezing.find_snapshot(caller, name=snapshot_name)
    job = models_evaluations.start_evaluation(caller, checkpoint_id=record.id, snapshot_id=snapshot.id)
    click.echo(f"job {job.id} started; it goes on when this window is closed")
    if wait:
        wait_for(caller, job.id)
        newest = models_evaluations.list_evaluations(caller, checkpoint_id=record.id)[0]
        _print_evaluations([newest])


@query("evaluations", checkpoints)
@click.argument("checkpoint")
def evaluations(caller: Caller, checkpoint: str) -> Answer:
    """Show all looks at external test sets with a checkpoint, newest first, with their figures."""
    checkpoint_id = find_checkpoint(caller, checkpoint).id
    return answer(models_evaluations.list_evaluations(caller, checkpoint_id=checkpoint_id), _print_evaluations)


def _print_evaluations(looks: Iterable[EvaluationRecord]) -> None:
    for look in looks:
        click.echo(f"{look.snapshot_name}: look {look.look} at this set, {look.created_at:%Y-%m-%d %H:%M} UTC")
        _print_figures(look.metrics, indent="  ")


def _print_figures(block: object, *, indent: str = "") -> None:
    print_lines(f"{indent}{path}: {text}" for path, text in figure_lines(block))


def find_checkpoint(caller: Caller, text: str | None) -> CheckpointRecord:
    """The checkpoint of a number or name; the current one when None.

    Raises:
        NotFound: There is none.
    """
    if text is None:
        current = models_registry.current_checkpoint(caller.store)
        if current is None:
            raise click.ClickException("No checkpoint is promoted yet. Name one, or promote one first.")
        return current
    return models_registry.find_checkpoint(caller, name=text)


def figure_lines(block: object, path: str = "") -> list[tuple[str, str]]:
    """Every figure of a card in words, with what stands behind it.

    Args:
        block: The card's metrics, or a part of them.
        path: Where in the card the part stands.
    """
    if isinstance(block, list):
        # Rows by image, bin or pair are for the JSON and the card; here they would drown the figures.
        return [(path, f"{len(block)} rows")]
    if not isinstance(block, dict):
        return [(path, str(block))]
    if {"value", "low", "high"} <= set(block):
        return [(path, _figure(block))]
    return [line for name, part in block.items() for line in figure_lines(part, f"{path}.{name}" if path else name)]


def _figure(block: dict[str, object]) -> str:
    value, low, high = block["value"], block["low"], block["high"]
    behind = f"{block['k']}/{block['n']}" if "k" in block else f"{block.get('n_patients')} patients"
    if value is None:
        return f"not defined ({behind})"
    interval = "no interval" if low is None else f"{low:.3f} to {high:.3f}"
    return f"{value:.3f} ({interval}; {behind})"
