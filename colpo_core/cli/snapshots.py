"""Commands of snapshots."""

from typing import Any

import click

from colpo_core.cli.image_questions import print_questions
from colpo_core.cli.option_types import DAY, WordType, options
from colpo_core.cli.output import Answer, answer, listing, print_lines, print_table, query
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.records.snapshots.snapshots import SnapshotPreview, SnapshotQuery, SnapshotRecord, label_source_text
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.terms import LabelSource, MaskPolicy, Split

_COUNTED = ("patients", "cases", "images", "masks")


@click.group()
def snapshot() -> None:
    """Snapshots: freeze what a model learns from."""


_query_options = options(
    click.option(
        "--labels",
        "label_source",
        type=WordType(LabelSource),
        default=LabelSource.HISTOLOGY,
        show_default="histology",
        help="`impression` (Swede score of 5 or more) is no histology, and every figure from it says so.",
    ),
    click.option("--fractions", type=(float, float, float), default=(0.7, 0.15, 0.15), show_default=True),
    click.option("--seed", type=int, default=0, show_default=True),
    click.option("--simulated/--no-simulated", "include_simulated", default=True, show_default=True),
    click.option(
        "--masks",
        "mask_policy",
        type=WordType(MaskPolicy),
        default=MaskPolicy.NEWEST,
        show_default="newest",
        help="Which mask of an image counts, where several people have annotated it.",
    ),
    click.option(
        "--annotator",
        "mask_annotator_id",
        type=int,
        help="Number of the person whose masks count, with `--masks annotator`.",
    ),
    click.option(
        "--external",
        is_flag=True,
        help="Keep these patients as a test set: no training may ever touch them. It cannot be undone.",
    ),
    click.option(
        "--patients", "patient_codes", multiple=True, metavar="CODE", help="Only this patient; may be repeated."
    ),
    click.option("--from", "date_from", type=DAY, help="Only examinations from this day on."),
    click.option("--to", "date_to", type=DAY, help="Only examinations up to this day."),
)


@query("preview", snapshot)
@_query_options
def preview(caller: Caller, **options: Any) -> Answer:  # noqa: ANN401 - those of the query
    """Show what a snapshot would hold, what it would leave out and why, and what its labels can be told from."""
    return answer(freezing.preview_snapshot(caller, query=SnapshotQuery("preview", **options)), _print_preview)


def _print_preview(preview: SnapshotPreview) -> None:
    click.echo(f"masks: {preview.masks_text}")
    _print_counts(preview.counts)
    for pair in preview.contradictions:
        click.echo(
            f"left out: images {pair.image_id} (case {pair.case_id}) and {pair.other_image_id} "
            f"(case {pair.other_case_id}) are copies of one photograph, and the labels of their cases contradict "
            "each other"
        )
    print_questions(preview.asked)
    print_lines((*preview.problems, *preview.warnings))
    _print_shortcuts(preview.shortcuts)


@query("freeze", snapshot)
@click.argument("name")
@_query_options
def freeze(caller: Caller, name: str, **options: Any) -> Answer:  # noqa: ANN401 - those of the query
    """Freeze images, masks and labels with a patient-wise split, under a name."""
    return answer(freezing.freeze_snapshot(caller, query=SnapshotQuery(name, **options)), _print_snapshot)


@query("show", snapshot)
@click.argument("name")
def show_snapshot(caller: Caller, name: str) -> Answer:
    """Show one snapshot: what its labels rest on, which masks it holds, and how much stands on each side."""
    return answer(freezing.find_snapshot(caller, name=name), _print_snapshot)


def _print_shortcuts(report: ShortcutReport) -> None:
    print_lines((*report.doubts, *(f"Not checked: {sentence}" for sentence in report.unchecked)))
    if report.nothing_found:
        click.echo(report.nothing_found)


def _print_snapshot(frozen: SnapshotRecord) -> None:
    labels = label_source_text(frozen.label_source)
    click.echo(f"snapshot {frozen.id} ({frozen.name}): {labels}, hash {frozen.sha256[:12]}")
    if frozen.external:
        click.echo("external test set: nothing is trained on it, and its patients stand in no other snapshot")
    click.echo(f"masks: {frozen.masks_text}")
    _print_counts(frozen.counts)
    if frozen.shortcuts is not None:
        _print_shortcuts(frozen.shortcuts)


@query("list", snapshot)
def list_snapshots(caller: Caller) -> Answer:
    """Show all snapshots."""
    return listing(
        freezing.list_snapshots(caller),
        ("snapshot", "name", "kept as", "images", "masks", "masks by", "labels by", "hash"),
        lambda s: (
            s.id,
            s.name,
            "external" if s.external else "",
            *(s.count("images"), s.count("masks"), s.mask_policy, s.label_source, s.sha256[:12]),
        ),
    )


def _print_counts(counts: dict[str, Any]) -> None:
    sides = [side.value for side in Split]
    rows = [(what, *(counts[what][side] for side in (*sides, "total"))) for what in _COUNTED]
    labels = counts["labels"]
    rows += [
        (f"images {label}", *(labels[side][label] for side in sides), sum(labels[side][label] for side in sides))
        for label in labels[sides[0]]
    ]
    print_table(("", *sides, "total"), rows)
    print_lines(f"left out: {number} × {reason}" for reason, number in counts["left_out"].items())
    if counts.get("asked_about"):
        click.echo(f"with an open question about them: {counts['asked_about']} images")
