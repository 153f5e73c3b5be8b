"""Commands of several annotators on one image: how they agree, and which mask counts."""

import click

from colpo_core.cli.annotations import FINDING
from colpo_core.cli.option_types import WordType
from colpo_core.cli.output import Answer, action, answer, listing, print_table, query
from colpo_core.records.agreement import AgreementOverview, ImageAgreement
from colpo_core.services.agreement import adjudication as deciding
from colpo_core.services.agreement import overview as service
from colpo_core.services.common.callers import Caller
from colpo_core.terms import Finding


@query()
@FINDING
@click.option("--task", "task_id", type=int, help="Only what was submitted for this task.")
@click.option("--image", "image_id", type=int, help="One image with all its masks, instead of the figures of all.")
def agreement(caller: Caller, finding: Finding, task_id: int | None, image_id: int | None) -> Answer:
    """Show how annotators agree: Dice, IoU, kappa and 95% Hausdorff distance, with intervals by patients."""
    if image_id is None:
        return answer(service.agreement_overview(caller, finding=finding, task_id=task_id), _print_overview)
    if task_id is not None:
        raise click.UsageError("Name a task or an image, not both.")
    return answer(service.image_agreement(caller, image_id=image_id, finding=finding), _print_image)


def _print_overview(overview: AgreementOverview) -> None:
    click.echo(f"{overview.n_images} images of {overview.n_patients} patients with masks of two annotators or more")
    click.echo(f"Dice: {overview.dice.text()}")
    click.echo(f"IoU: {overview.iou.text()}")
    click.echo(f"95% Hausdorff distance, px: {overview.hd95_px.text()}")
    click.echo(f"the same, % of the diagonal: {overview.hd95_percent.text()}")
    click.echo(f"Cohen's kappa over pixels: {overview.kappa.text()}")
    click.echo(f"pairs with one empty mask: {overview.n_one_empty}; with two, in no mean: {overview.n_both_empty}\n")
    print_table(
        ("annotators", "images", "Dice", "IoU", "HD95 px", "kappa"),
        [
            (f"{p.first}, {p.second}", p.n_images, *(e.text() for e in (p.dice, p.iou, p.hd95_px, p.kappa)))
            for p in overview.pairs
        ],
    )
    click.echo("")
    print_table(
        ("image", "masks", "Dice", "IoU", "HD95 px", ""),
        [
            (
                row.image_id,
                row.n_masks,
                f"{row.dice_mean:.3f}",
                f"{row.iou_mean:.3f}",
                _pixels(row.hd95_px_mean),
                "adjudicated" if row.is_adjudicated else "",
            )
            for row in overview.images
        ],
    )


def _print_image(image: ImageAgreement) -> None:
    print_table(
        ("version", "annotator", "number", "origin", "area"),
        [(v.version_id, v.author, v.number, v.origin.value, f"{v.area_share:.1%}") for v in image.versions],
    )
    click.echo("")
    print_table(
        ("pair", "Dice", "IoU", "HD95 px"),
        [
            (f"{p.first}, {p.second}", f"{p.figures.dice:.3f}", f"{p.figures.iou:.3f}", _pixels(p.figures.hd95_px))
            for p in image.pairs
        ],
    )
    decision = image.adjudication
    if decision is not None:
        stale = "" if decision.is_current else "; somebody has submitted another mask since"
        click.echo(f"\nversion {decision.version_id} counts: {decision.method.value} by {decision.decided_by}{stale}")
    if image.why_not:
        click.echo(f"\n{image.why_not}")


def _pixels(distance: float | None) -> str:
    return "-" if distance is None else f"{distance:.1f}"


@query()
@click.option("--finding", type=WordType(Finding), help="Of this finding alone.")
@click.option("--image", "image_id", type=int, help="On this image alone.")
@click.option("--before", type=int, help="Older than the decision of this number.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
def adjudications(
    caller: Caller, finding: Finding | None, image_id: int | None, before: int | None, limit: int
) -> Answer:
    """Show which masks were decided on, newest first; the newest of an image and finding counts."""
    return listing(
        deciding.list_adjudications(caller, finding=finding, image_id=image_id, before=before, limit=limit),
        ("decision", "image", "finding", "version", "mask of", "method", "decided by", "on"),
        lambda d: (d.id, d.image_id, d.finding, d.version_id, d.author, d.method, d.decided_by, f"{d.at:%Y-%m-%d}"),
    )


@click.group()
def adjudicate() -> None:
    """Adjudication: decide which mask counts on an image that several have annotated."""


@action("take", adjudicate, "version_id")
@click.option("--note", default="", help="Why; it stays in the record.")
def take(caller: Caller, version_id: int, note: str) -> None:
    """Decide that an annotator's newest mask counts as it is."""
    made = deciding.take_mask(caller, version_id=version_id, note=note)
    click.echo(f"decision {made.id}: version {made.version_id} of {made.author} counts on image {made.image_id}")
