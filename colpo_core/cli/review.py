"""Commands of reviews."""

from pathlib import Path

import click

from colpo_core.cli.models import find_checkpoint
from colpo_core.cli.option_types import NEW_FOLDER, WordType
from colpo_core.cli.output import Answer, action, answer, print_lines, print_marks, print_table, query
from colpo_core.cli.progress import wait_for
from colpo_core.images.maps import MAP_NAMES
from colpo_core.records.models.marks import marks_text
from colpo_core.records.overview.worklist import many_text
from colpo_core.records.review.explanations import CallReasons
from colpo_core.records.review.reviews import ReviewDesk, ReviewQueue
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.records.statistics.number_texts import number_texts, percent_texts
from colpo_core.services.common.callers import Caller
from colpo_core.services.review import call_reasons, overlays, verdicts
from colpo_core.services.review import desk as service
from colpo_core.store.blobs import write_file
from colpo_core.terms import ReviewReason, Verdict
from colpo_core.workers import foreground


@click.group()
def review() -> None:
    """Review: what the current model says, case by case, and what a clinician says to that."""


@query("list", review)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_waiting(caller: Caller, limit: int) -> Answer:
    """Show the predictions that wait for the operator's verdict."""
    return answer(service.list_for_review(caller, limit=limit), _print_queue)


def _print_queue(queue: ReviewQueue) -> None:
    rows = [
        (
            *(p.id, p.image_id, number_texts(p.prob_hsil_3ch, p.threshold_3ch)[0]),
            *(number_texts(p.prob_hsil_4ch, p.threshold_4ch)[0], p.call_4ch.value, marks_text(p.all_marks)),
        )
        for p in queue.rows
    ]
    print_table(("prediction", "image", "HSIL, 3 channels", "HSIL, 4 channels", "call, 4 channels", ""), rows)
    click.echo(f"{many_text(queue.waiting)} wait")


@query("show", review, "prediction_id")
@click.option("--out", type=NEW_FOLDER, help="Write the mask and the four Grad-CAM maps here, as overlays.")
def show(caller: Caller, prediction_id: int, out: Path | None) -> Answer:
    """Show one prediction, its verdicts and the case's reference standard."""
    desk = service.open_review(caller, prediction_id=prediction_id)
    if out is not None:
        files = {"mask": overlays.prediction_mask_png(caller, prediction_id=prediction_id)}
        for name in MAP_NAMES:
            files[name] = overlays.prediction_map_png(caller, prediction_id=prediction_id, name=name)
        for name, content in files.items():
            write_file(out / f"prediction-{prediction_id}-{name}.png", content)
    return answer(desk, _print_desk)


def _print_desk(desk: ReviewDesk) -> None:
    prediction = desk.prediction
    where = f"image {prediction.image_id}, case {prediction.case_id}"
    click.echo(f"prediction {prediction.id} of {where}, by {prediction.checkpoint_name}")
    click.echo(f"trained on {label_source_text(prediction.label_source)}")
    print_marks(prediction.all_marks)
    if prediction.calibration:
        click.echo(prediction.calibration)
    for channels, prob, threshold, call in (
        (3, prediction.prob_hsil_3ch, prediction.threshold_3ch, prediction.call_3ch),
        (4, prediction.prob_hsil_4ch, prediction.threshold_4ch, prediction.call_4ch),
    ):
        probability, frozen = number_texts(prob, threshold, digits=3)
        click.echo(f"{channels} channels: probability of HSIL {probability}, threshold {frozen}: {call.value}")
    click.echo(f"acetowhite epithelium: {prediction.acetowhite_fraction:.1%} of the image")
    print_lines(f"map {name}: no positive evidence" for name in sorted(desk.empty_maps))
    for verdict in desk.reviews:
        because = f" ({verdict.because.value})" if verdict.because else ""
        click.echo(f"{verdict.reviewer}: {verdict.verdict.value}{because} {verdict.reason}".rstrip())
    click.echo(f"reference standard: {desk.reference.reason}")


@query("why", review, "prediction_id")
@click.option("--ask", is_flag=True, help="Ask the model anew what it says with other masks, and wait for it.")
def why(caller: Caller, prediction_id: int, ask: bool) -> Answer:
    """Show why a call was made: calibration, labelled cases that look alike, what changes with the mask."""
    if ask:
        wait_for(caller, call_reasons.start_what_ifs(caller, prediction_id=prediction_id).id)
    return answer(call_reasons.call_reasons(caller, prediction_id=prediction_id), _print_reasons)


def _print_reasons(reasons: CallReasons) -> None:
    for channels, band in ((3, reasons.band_3ch), (4, reasons.band_4ch)):
        if band is not None:
            shares = " to ".join(percent_texts(band.low, band.high))
            click.echo(f"{channels} channels: of test images with {shares}, HSIL were {band.observed.text()}")
    rows = [
        (
            *(like.patient_code, like.case_id, like.label.value, like.grade, f"{like.likeness:.3f}"),
            "the model has learned from it" if like.was_learned else "",
        )
        for like in reasons.like
    ]
    if rows:
        print_table(("patient", "case", "label", "grade", "likeness", ""), rows)
    else:
        click.echo(reasons.why_no_like)
    changed = [
        (
            *(what_if.change.value, what_if.finding, what_if.annotator),
            *(f"{prob:.3f}" for prob in (what_if.prob_hsil_3ch, what_if.prob_hsil_4ch)),
        )
        for what_if in reasons.what_ifs
    ]
    if changed:
        print_table(("changed", "finding", "outlined by", "HSIL, 3 channels", "HSIL, 4 channels"), changed)
    elif not reasons.failure:
        click.echo("nobody has asked yet what changes with the mask: --ask does")
    if reasons.failure:
        click.echo(reasons.failure)


@action("record", review, "prediction_id")
@click.argument("verdict", type=WordType(Verdict))
@click.option("--because", type=WordType(ReviewReason), help="Why not, in a word.")
@click.option("--reason", default="", help="Why, in your own words; whoever does not agree gives one of the two.")
def record(caller: Caller, prediction_id: int, verdict: Verdict, because: ReviewReason | None, reason: str) -> None:
    """Enter the operator's verdict on a prediction."""
    made = verdicts.record_review(caller, prediction_id=prediction_id, verdict=verdict, reason=reason, because=because)
    share = service.agreement(caller)
    click.echo(f"{made.verdict.value} entered; reviewers agree with the current model in {share.text()}")


@action("explain", review, "image_id")
@click.option("--method", default="gradcam++", show_default=True, help="gradcam, gradcam++, layercam or eigencam.")
@click.option("--checkpoint", help="Number or name; the current model if not given.")
@click.option("--out", type=NEW_FOLDER, required=True, help="Where the maps go, as overlays at the image's size.")
def explain(caller: Caller, image_id: int, method: str, checkpoint: str | None, out: Path) -> None:
    """Draw maps of a stored image by another method, for both networks and both classes."""
    record = find_checkpoint(caller, checkpoint)
    maps = foreground.explain_image(caller, checkpoint_id=record.id, image_id=image_id, method=method)
    for name, content in maps.items():
        path = out / f"image-{image_id}-{method}-{name}.png"
        write_file(path, content)
        click.echo(str(path))
