"""Commands of annotations: masks in and out, confirmation, biopsy points."""

from pathlib import Path

import click

from colpo_core.cli.output import Opened, json_option, print_json, print_table
from colpo_core.cli.words import EXISTING_FILE, NEW_FILE, WordType
from colpo_core.images.mask_files import read_mask_file
from colpo_core.images.masks import encode_rle, mask_png
from colpo_core.records.annotations import VersionRecord
from colpo_core.services import annotations as service
from colpo_core.services import confirmation
from colpo_core.store.blobs import write_file
from colpo_core.terms import Finding

FINDING = click.option(
    "--finding", type=WordType(Finding), default=Finding.ACETOWHITE, show_default="acetowhite_epithelium"
)


@click.group()
def annotations() -> None:
    """Annotations: masks of findings, and the ones that wait for a person."""


@annotations.command("list")
@click.argument("image_id", type=int)
@json_option
def list_submitted(image_id: int, as_json: bool) -> None:
    """Show the submitted masks of an image."""
    with Opened() as here:
        found = service.submitted_masks(here.store, actor=here.actor, image_id=image_id)
    if as_json:
        print_json(found)
        return
    rows = [(v.version_id, v.finding.value, v.author, v.number, v.origin.value, f"{v.area_share:.1%}") for v in found]
    print_table(("version", "finding", "annotator", "number", "origin", "area"), rows)


@annotations.command("submit")
@click.argument("image_id", type=int)
@click.argument("mask", type=EXISTING_FILE)
@FINDING
@click.option("--note", default="")
def submit(image_id: int, mask: Path, finding: Finding, note: str) -> None:
    """Submit a black and white mask, at the image's size, as the operator's annotation."""
    with Opened() as here:
        document = service.open_annotation(here.store, actor=here.actor, image_id=image_id, finding=finding)
        image = document.image
        pixels = read_mask_file(mask.read_bytes(), height_px=image.height_px, width_px=image.width_px)
        saved = service.save_draft(
            here.store,
            actor=here.actor,
            document_id=document.document_id,
            base_seq=document.seq,
            rle=encode_rle(pixels),
        )
        version = service.submit_annotation(
            here.store, actor=here.actor, document_id=document.document_id, seq=saved.seq, note=note
        )
    click.echo(f"version {version.version_id}: number {version.number}, {version.area_share:.1%} of the image")


@annotations.command("export")
@click.argument("version_id", type=int)
@click.argument("out", type=NEW_FILE)
def export(version_id: int, out: Path) -> None:
    """Write a submitted mask as a PNG of 0 and 255 at the image's size."""
    with Opened() as here:
        pixels = service.version_mask(here.store, actor=here.actor, version_id=version_id)
    write_file(out, mask_png(pixels))
    click.echo(f"{out} written")


@annotations.command("to-confirm")
@json_option
def to_confirm(as_json: bool) -> None:
    """Show the imported masks that were closed by guess and wait for a person."""
    found: list[VersionRecord] = []
    after: int | None = None
    with Opened() as here:
        while True:
            page = confirmation.list_to_confirm(here.store, actor=here.actor, after=after, limit=200)
            found.extend(page.versions)
            after = page.next_after
            if after is None:
                break
    if as_json:
        print_json(found)
        return
    rows = [(v.annotation_id, v.image_id, v.origin.value, f"{v.area_share:.1%}", v.version_id) for v in found]
    print_table(("annotation", "image", "closed by", "area", "version"), rows)


@annotations.command("confirm")
@click.argument("annotation_ids", nargs=-1, required=True, type=int)
def confirm(annotation_ids: tuple[int, ...]) -> None:
    """Say that masks closed by guess are right; training may use them from now on."""
    with Opened() as here:
        for annotation_id in annotation_ids:
            confirmation.confirm_annotation(here.store, actor=here.actor, annotation_id=annotation_id)
            click.echo(f"annotation {annotation_id} confirmed")


@annotations.command("reject")
@click.argument("annotation_id", type=int)
@click.option("--reason", required=True)
def reject(annotation_id: int, reason: str) -> None:
    """Say that a mask closed by guess is wrong; training never uses it."""
    with Opened() as here:
        confirmation.reject_annotation(here.store, actor=here.actor, annotation_id=annotation_id, reason=reason)
    click.echo(f"annotation {annotation_id} rejected")


@annotations.command("points")
@click.argument("image_id", type=int)
@click.argument("points", nargs=-1)
def points(image_id: int, points: tuple[str, ...]) -> None:
    """Show the operator's biopsy points of an image, or set them: each as X,Y in pixels from the top left."""
    with Opened() as here:
        if points:
            pairs = [_point(text) for text in points]
            found = service.save_biopsy_points(here.store, actor=here.actor, image_id=image_id, points=pairs)
        else:
            found = service.biopsy_points(here.store, actor=here.actor, image_id=image_id)
    print_table(("point", "x", "y"), [(point.position, point.x_px, point.y_px) for point in found])


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a point; write it as 320,240") from error
    return x, y
