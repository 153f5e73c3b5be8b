"""What is asked about images whose look contradicts how they are filed, and what people answer.

Nothing is changed unasked: a person files an image under another stage, says that it does not show the cervix, or says
that it is right as it is, which is kept under that person's name so that it is not asked again.
"""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.images.looks import ImageLooks, image_questions
from colpo_core.records.cases.images import AskedImage
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import no_such
from colpo_core.store.tables import Image, ImageAnswer, ImageLook
from colpo_core.terms import ImageQuestion, Stage


@allowed(CLINICIANS)
def asked_images(caller: Caller, *, image_ids: Collection[int] | None = None) -> tuple[AskedImage, ...]:
    """The images about which something is asked that nobody has answered yet, by their rows.

    Images that the program drew, and those that do not show the cervix, are not asked about.

    Args:
        caller: Who looks.
        image_ids: Rows of the images; all when None.
    """
    with caller.store.reading() as session:
        return open_questions(session, image_ids)


def open_questions(session: Session, image_ids: Collection[int] | None = None) -> tuple[AskedImage, ...]:
    """The same within a session."""
    wanted = None if image_ids is None else set(image_ids)
    answered = {(image_id, question) for image_id, question in session.execute(_ANSWERS)}
    questions = []
    for image, look in session.execute(_LOOKS):
        if wanted is not None and image.id not in wanted:
            continue
        asked = list(
            image_questions(
                copied(ImageLooks, look), stage=image.stage, height_px=image.height_px, width_px=image.width_px
            )
        )
        if image.stage_guessed:
            asked.insert(0, ImageQuestion.STAGE_GUESSED)
        left = tuple(question for question in asked if (image.id, question) not in answered)
        if left:
            questions.append(AskedImage(image.id, image.case_id, image.stage, left))
    return tuple(questions)


@allowed(CLINICIANS)
def confirm_images(caller: Caller, *, image_ids: Collection[int], question: ImageQuestion | None = None) -> int:
    """Say that images are right as they are filed: what is asked about them now is not asked again.

    Args:
        caller: Who says so.
        image_ids: Rows of the images.
        question: The question that is answered; all that are asked about them when None.

    Returns:
        How many questions were answered.

    Raises:
        NotFound: There is no such image.
        InputRejected: Nothing of the kind is asked about any of them.
    """
    answered = 0
    with caller.store.writing() as session:
        _check_known(session, image_ids)
        for asked in open_questions(session, image_ids):
            for asked_question in asked.questions:
                if question in (None, asked_question):
                    session.add(
                        ImageAnswer(image_id=asked.image_id, question=asked_question, answered_by=caller.person_id)
                    )
                    audit.record(
                        session, caller.actor, "confirm image", f"image {asked.image_id}", question=asked_question.value
                    )
                    answered += 1
        if not answered:
            raise InputRejected("Nothing of the kind is asked about these images. Look at the list of questions.")
    return answered


@allowed(CLINICIANS)
def refile_images(caller: Caller, *, image_ids: Collection[int], stage: Stage) -> int:
    """File images under another stage, all or none.

    Returns:
        How many were filed elsewhere before, or under a stage that was guessed.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.writing() as session:
        _check_known(session, image_ids)
        rows = session.scalars(select(Image).where(Image.id.in_(set(image_ids)))).all()
        changed = [image for image in rows if image.stage is not stage or image.stage_guessed]
        for image in changed:
            file_under(session, caller.actor, image, stage)
    return len(changed)


def file_under(session: Session, actor: Actor, image: Image, stage: Stage) -> None:
    """File an image under the stage that a person says, and say so in the log."""
    image.stage, image.stage_guessed = stage, False
    if stage is not Stage.ACETIC_ACID:
        image.seconds_after_acid = None
    audit.record(session, actor, "mark image", f"image {image.id}", stage=stage.value, shows_cervix=image.shows_cervix)


_ANSWERS = select(ImageAnswer.image_id, ImageAnswer.question)
_LOOKS = (
    select(Image, ImageLook)
    .join(ImageLook, ImageLook.image_id == Image.id)
    .where(Image.shows_cervix, Image.simulated.is_(False))
    .order_by(Image.id)
)


def _check_known(session: Session, image_ids: Collection[int]) -> None:
    known = set(session.scalars(select(Image.id).where(Image.id.in_(set(image_ids)))))
    missing = sorted(set(image_ids) - known)
    if missing:
        raise no_such(Image, missing[0])
