"""Commands of what is asked about images."""

from collections.abc import Sequence

import click

from colpo_core.cli.option_types import WordType
from colpo_core.cli.output import Answer, action, answer, query
from colpo_core.records.cases.images import AskedImage, grouped_questions, question_text
from colpo_core.services.cases import image_questions as service
from colpo_core.services.common.callers import Caller
from colpo_core.terms import ImageQuestion, Stage

_SHOWN = 10


def print_questions(asked: Sequence[AskedImage]) -> None:
    """Print what is asked, one line a question, with the images that it is asked about."""
    for (question, stage), images in grouped_questions(asked).items():
        numbers = ", ".join(f"{image.image_id} of case {image.case_id}" for image in images[:_SHOWN])
        more = f" and {len(images) - _SHOWN} more" if len(images) > _SHOWN else ""
        click.echo(f"asked: {question_text(question, stage, len(images))}: image {numbers}{more}")
    if asked:
        click.echo("answer with “cases questions right” or “cases questions refile”; nothing was changed")


@click.group()
def questions() -> None:
    """What is asked about images whose look contradicts how they are filed."""


@query("list", questions)
def list_questions(caller: Caller) -> Answer:
    """Show what is asked and not answered."""
    return answer(
        service.asked_images(caller),
        lambda asked: print_questions(asked) if asked else click.echo("Nothing is asked."),
    )


@action("right", questions)
@click.argument("image_ids", nargs=-1, required=True, type=int)
@click.option("--question", type=WordType(ImageQuestion), help="That question alone; all that are asked if not given.")
def confirm(caller: Caller, image_ids: tuple[int, ...], question: ImageQuestion | None) -> None:
    """Say that images are right as they are filed; it is kept, and not asked again."""
    answered = service.confirm_images(caller, image_ids=image_ids, question=question)
    click.echo(f"{answered} questions answered")


@action("refile", questions)
@click.argument("image_ids", nargs=-1, required=True, type=int)
@click.option("--stage", type=WordType(Stage), required=True)
def refile(caller: Caller, image_ids: tuple[int, ...], stage: Stage) -> None:
    """File images under another stage."""
    changed = service.refile_images(caller, image_ids=image_ids, stage=stage)
    click.echo(f"{changed} images are now filed as {stage.value}")
