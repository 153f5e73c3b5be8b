"""Commands of annotations: masks in and out, their versions and starts, confirmation, biopsy points."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from colpo_core.cli.option_types import EXISTING_FILE, NEW_FILE, WordType
from colpo_core.cli.output import Answer, action, answer, every_page, listing, print_lines, print_table, query
from colpo_core.errors import MaskDoubted
from colpo_core.images.mask_files import read_mask_file
from colpo_core.images.masks import encode_rle, mask_png
from colpo_core.records.annotations import StartOptions, StartSource, VersionComparison, VersionRecord
from colpo_core.services.annotations import biopsy_points as annotations_biopsy_points
from colpo_core.services.annotations import clear_images, confirmation
from colpo_core.services.annotations import own_masks as service
from colpo_core.services.annotations import starts as starting
from colpo_core.services.annotations import versions as annotation_versions
from colpo_core.services.annotations.mask_doubts import ask_about
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports import filling
from colpo_core.store.blobs import write_file
from colpo_core.terms import Finding, MaskDoubt, Start

FINDING = click.option(
    "--finding", type=WordType(Finding), default=Finding.ACETOWHITE, show_default="acetowhite_epithelium"
)


@click.group()
def annotations() -> None:
    """Annotations: masks of findings, and the ones that wait for a person."""


@query("list", annotations, "image_id")
def list_submitted(caller: Caller, image_id: int) -> Answer:
    """Show the submitted masks of an image."""
    return listing(
        service.submitted_masks(caller, image_id=image_id),
        ("annotation", "version", "finding", "annotator", "number", "origin", "area"),
        lambda v: (v.annotation_id, v.version_id, v.finding, v.author, v.number, v.origin, f"{v.area_share:.1%}"),
    )


@action("submit", annotations, "image_id")
@click.argument("mask", type=EXISTING_FILE)
@FINDING
@click.option("--note", default="")
@click.option("--fill", is_flag=True, help="The mask is an outline: fill it.")
@click.option("--as-it-is", is_flag=True, help="Submit a mask that looks like an outline, inside out or very large.")
@click.option("--nothing-there", is_flag=True, help="The mask is empty because the finding is not on the image.")
def submit(
    caller: Caller,
    image_id: int,
    mask: Path,
    finding: Finding,
    note: str,
    fill: bool,
    as_it_is: bool,
    nothing_there: bool,
) -> None:
    """Submit a black and white mask, at the image's size, as the operator's annotation.

    A mask that is empty, looks like an outline that was not filled or like one painted inside out, or covers most of
    the image is asked about first.
    """
    if fill and as_it_is:
        raise click.UsageError("Choose one of --fill and --as-it-is.")
    sure = _sure_of(as_it_is=as_it_is, nothing_there=nothing_there)
    document = service.open_annotation(caller, image_id=image_id, finding=finding)
    image = document.image
    pixels = read_mask_file(mask.read_bytes(), height_px=image.height_px, width_px=image.width_px)
    # Asked before anything is saved, so that nothing is left behind of a mask that was not meant.
    with _naming_options():
        ask_about(pixels, finding, sure={*sure, MaskDoubt.OUTLINE} if fill else sure)
    saved = service.save_draft(
        caller,
        document_id=document.document_id,
        base_seq=document.seq,
        rle=encode_rle(pixels),
    )
    if fill:
        saved = filling.fill_draft(caller, document_id=document.document_id, seq=saved.seq)
    with _naming_options():
        version = service.submit_annotation(
            caller, document_id=document.document_id, seq=saved.seq, note=note, sure=sure
        )
    click.echo(f"version {version.version_id}: number {version.number}, {version.area_share:.1%} of the image")


@action("export", annotations, "version_id")
@click.argument("out", type=NEW_FILE)
def export(caller: Caller, version_id: int, out: Path) -> None:
    """Write a submitted mask as a PNG of 0 and 255 at the image's size."""
    write_file(out, mask_png(service.version_mask(caller, version_id=version_id)))
    click.echo(f"{out} written")


@query("versions", annotations, "annotation_id")
def versions(caller: Caller, annotation_id: int) -> Answer:
    """Show all versions of an annotation: what each started from, what it took, and how much of the start is left."""
    return listing(
        annotation_versions.list_versions(caller, annotation_id=annotation_id),
        ("version", "number", "upon", "started from", "strokes", "seconds", "kept", "added", "area", "note"),
        _version_row,
    )


@query("compare", annotations, "first_id", "second_id")
@click.option("--out", type=NEW_FILE, help="Also write both as one overlay: what both mark, and each alone.")
def compare(caller: Caller, first_id: int, second_id: int, out: Path | None) -> Answer:
    """Compare two submitted masks of one image: Dice, IoU, distance of their outlines, and common pixels."""
    comparison = annotation_versions.compare_versions(caller, first_id=first_id, second_id=second_id)
    if out is not None:
        write_file(out, annotation_versions.comparison_overlay(caller, first_id=first_id, second_id=second_id))
    return answer(comparison, _print_comparison)


def _print_comparison(comparison: VersionComparison) -> None:
    apart = "not defined" if comparison.hd95_px is None else f"{comparison.hd95_px:.1f} pixels"
    click.echo(
        f"Dice {comparison.dice:.3f}, IoU {comparison.iou:.3f}, 95th percentile of the outlines' distance {apart}"
    )
    alone = f"{comparison.only_first_px} in the first alone, {comparison.only_second_px} in the second alone"
    click.echo(f"{comparison.both_px} pixels in both, {alone}")


@action("restore", annotations, "version_id")
@click.option("--note", default="")
def restore(caller: Caller, version_id: int, note: str) -> None:
    """Make a new version with the mask of an earlier one of the operator's."""
    made = annotation_versions.restore_version(caller, version_id=version_id, note=note)
    click.echo(f"version {made.version_id}: number {made.number}, {made.area_share:.1%} of the image")


@action("start", annotations, "image_id")
@FINDING
@click.option("--nothing", is_flag=True, help="Start from an empty mask.")
@click.option("--version", "version_id", type=int, help="Start from this version, the operator's or another's.")
@click.option("--image", "other_id", type=int, help="Start from the operator's mask of this other image of the case.")
@click.option("--proposal", is_flag=True, help="Start from the current model's mask.")
@click.option("--fill", is_flag=True, help="With --version: the version is an outline, fill it.")
def start(
    caller: Caller,
    image_id: int,
    finding: Finding,
    nothing: bool,
    version_id: int | None,
    other_id: int | None,
    proposal: bool,
    fill: bool,
) -> None:
    """Show what the operator's mask of an image can start from, or start it over from one of that."""
    if fill and version_id is None:
        raise click.UsageError("--fill goes with --version.")
    if sum((nothing, version_id is not None, other_id is not None, proposal)) > 1:
        raise click.UsageError("Choose one of --nothing, --version, --image and --proposal.")
    options = starting.start_options(caller, image_id=image_id, finding=finding)
    source = _source(options, nothing=nothing, version_id=version_id, other_id=other_id, proposal=proposal)
    if source is None:
        _print_options(options)
        return
    document = service.open_annotation(caller, image_id=image_id, finding=finding)
    if fill and version_id is not None:
        filling.start_filled(caller, document_id=document.document_id, version_id=version_id)
    else:
        starting.start_from(caller, document_id=document.document_id, source=source)
    opened = service.open_document(caller, document_id=document.document_id)
    click.echo(f"{opened.document_id} starts from {opened.start.value}; what was not submitted is replaced")


@query("to-confirm", annotations)
def to_confirm(caller: Caller) -> Answer:
    """Show the imported masks that wait for a person: closed by guess, or looking like something that was not meant."""
    ask = partial(confirmation.list_to_confirm, caller, limit=200)
    return listing(
        [version for page in every_page(ask) for version in page.versions],
        ("annotation", "image", "closed by", "area", "version"),
        lambda v: (v.annotation_id, v.image_id, v.origin.value, f"{v.area_share:.1%}", v.version_id),
    )


@action("confirm", annotations)
@click.argument("annotation_ids", nargs=-1, required=True, type=int)
def confirm(caller: Caller, annotation_ids: tuple[int, ...]) -> None:
    """Say that masks closed by guess are right; training may use them from now on."""
    for annotation_id in annotation_ids:
        confirmation.confirm_annotation(caller, annotation_id=annotation_id)
        click.echo(f"annotation {annotation_id} confirmed")


@action("reject", annotations, "annotation_id")
@click.option("--reason", required=True)
def reject(caller: Caller, annotation_id: int, reason: str) -> None:
    """Say that a mask closed by guess is wrong; training never uses it."""
    confirmation.reject_annotation(caller, annotation_id=annotation_id, reason=reason)
    click.echo(f"annotation {annotation_id} rejected")


@query("unmarked", annotations)
def unmarked(caller: Caller) -> Answer:
    """Show the acetic-acid images of which nobody has said yet whether anything acetowhite is on them."""
    ask = partial(clear_images.list_unmarked, caller, limit=500)
    return listing(
        [image for page in every_page(ask) for image in page.images],
        ("image", "case", "patient", "Swede score", "mask"),
        lambda i: (i.image_id, i.case_id, i.patient_code, i.swede_total, "empty" if i.has_empty_mask else ""),
    )


@action("no-lesion", annotations)
@click.argument("image_ids", nargs=-1, required=True, type=int)
@click.option("--note", default="")
def no_lesion(caller: Caller, image_ids: tuple[int, ...], note: str) -> None:
    """Say of images that nothing acetowhite is on them; they count as annotated, and training takes them as background.

    Look at every one of them before; a new version undoes it.
    """
    made = clear_images.confirm_clear(caller, image_ids=image_ids, note=note)
    print_lines(f"image {version.image_id}: nothing acetowhite, version {version.version_id}" for version in made)


@action("points", annotations, "image_id")
@click.argument("points", nargs=-1)
def points(caller: Caller, image_id: int, points: tuple[str, ...]) -> None:
    """Show the operator's biopsy points of an image, or set them: each as X,Y in pixels from the top left."""
    if points:
        pairs = [_point(text) for text in points]
        saved = annotations_biopsy_points.save_biopsy_points(caller, image_id=image_id, points=pairs)
    else:
        saved = annotations_biopsy_points.biopsy_points(caller, image_id=image_id)
    print_table(("point", "x", "y"), [(point.position, point.x_px, point.y_px) for point in saved])


_WAYS_OUT = {
    MaskDoubt.EMPTY: "--nothing-there submits it as that; else paint first",
    MaskDoubt.OUTLINE: "--fill fills it, --as-it-is submits the line",
    MaskDoubt.INVERTED: "--as-it-is submits it; else export it with black and white swapped",
    MaskDoubt.LARGE: "--as-it-is submits it",
}


def _sure_of(*, as_it_is: bool, nothing_there: bool) -> frozenset[MaskDoubt]:
    """What the mask may look like, by what was said on the command line."""
    odd = {MaskDoubt.OUTLINE, MaskDoubt.INVERTED, MaskDoubt.LARGE} if as_it_is else set()
    return frozenset(odd | ({MaskDoubt.EMPTY} if nothing_there else set()))


@contextmanager
def _naming_options() -> Iterator[None]:
    """Say with a question about a mask how it is answered."""
    try:
        yield
    except MaskDoubted as error:
        raise click.ClickException(f"{error} Nothing was submitted: {_WAYS_OUT[error.doubt]}.") from error


def _version_row(version: VersionRecord) -> tuple[object, ...]:
    return (
        version.version_id,
        version.number,
        version.base_number,
        _start_text(version),
        version.strokes,
        None if version.active_ms is None else f"{version.active_ms / 1000:.0f}",
        _percent(version.kept_share),
        _percent(version.added_share),
        "none there" if version.absence_confirmed else _percent(version.area_share),
        version.note,
    )


def _start_text(version: VersionRecord) -> str:
    if version.start is None:
        return f"not recorded ({version.origin.value})"
    was_dropped = version.proposal_shown and version.start is not Start.PROPOSAL
    return version.start.value + (", after a proposal" if was_dropped else "")


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


def _source(
    options: StartOptions, *, nothing: bool, version_id: int | None, other_id: int | None, proposal: bool
) -> StartSource | None:
    if nothing:
        return StartSource(Start.NOTHING)
    if version_id is not None:
        is_own = version_id in {version.version_id for version in options.own_versions}
        return StartSource(Start.OWN_VERSION if is_own else Start.OTHER_VERSION, version_id=version_id)
    if other_id is not None:
        return StartSource(Start.OTHER_IMAGE, image_id=other_id)
    if not proposal:
        return None
    if options.proposal is None:
        raise click.ClickException(options.proposals_refused or "The current model has not predicted this image.")
    return StartSource(Start.PROPOSAL, prediction_id=options.proposal.prediction_id)


def _print_options(options: StartOptions) -> None:
    rows: list[tuple[object, ...]] = [("--nothing", "an empty mask", None)]
    for version in (*options.own_versions, *options.others):
        words = f"version {version.number} by {version.author}"
        rows.append((f"--version {version.version_id}", words, f"{version.area_share:.1%}"))
    rows += [
        (f"--image {other.image.id}", f"the operator's mask of {other.image.stage.value}", f"{other.area_share:.1%}")
        for other in options.other_images
    ]
    if options.proposal is not None:
        share = f"{options.proposal.acetowhite_share:.1%}"
        rows.append(("--proposal", f"the mask of {options.proposal.checkpoint_name}", share))
    print_table(("start", "from", "area"), rows)
    if options.proposals_refused:
        click.echo(options.proposals_refused)


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a point; write it as 320,240") from error
    return x, y
