"""What was put before a reader: found by its token, and shown or answered only while it waits."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Blinding, NotFound, ShownNoMore, StudyLocked
from colpo_core.records.people import Actor
from colpo_core.services.studies.readers import amended, plan_of, withheld_cases
from colpo_core.store.tables import (
    Image,
    PracticeReading,
    Presentation,
    Reading,
    Study,
    StudyCase,
    StudyReader,
    utc_now,
)
from colpo_core.studies.design import stored_design
from colpo_core.terms import Stage, StudyState

# What a showing's token ends with where its second call is awaited; a token itself holds no dot.
SECOND_CALL = ".2"
# How long after an answer an image may have been on its way to the page that sent it: that is no attempt to see more.
_ON_ITS_WAY = timedelta(seconds=10)


def check_given(session: Session, study: Study, shown: Presentation) -> None:
    """Check that a case is not kept from the reader, who may have seen something of it since it was shown.

    Raises:
        Blinding: It is.
    """
    if reading_of(session, shown, 1) is not None:
        return  # begun before the exposure: its second call is made all the same
    if shown.case_id in withheld_cases(session, study, shown.reader_id):
        raise Blinding("You have seen something of this case elsewhere, so it is not read. Open the reading page anew.")


def own_study(session: Session, actor: Actor, study_id: int) -> Study:
    """A study that the actor reads in, open or closed.

    Raises:
        NotFound: The actor does not read in such a study.
        StudyLocked: The actor was taken off it.
    """
    study = session.scalar(
        select(Study)
        .join(StudyReader, StudyReader.study_id == Study.id)
        .where(Study.id == study_id, StudyReader.person_id == actor.person_id, Study.state != StudyState.DRAFT)
    )
    if study is None:
        raise NotFound("You do not read in such a study. Your studies are listed on the reading page.")
    if actor.person_id in amended(session, study_id).removed:
        raise StudyLocked("You do not read in this study any more. Thank you; what you read is kept.")
    return study


def check_open(study: Study) -> None:
    """Check that a study is open.

    Raises:
        StudyLocked: It is not.
    """
    if study.state is not StudyState.OPEN:
        raise StudyLocked("This study is closed. Thank you; nothing more is to be read.")


def open_study(session: Session, actor: Actor, study_id: int) -> Study:
    """An open study that the actor reads in.

    Raises:
        NotFound: The actor does not read in such a study.
        StudyLocked: The study is not open, or the actor was taken off it.
    """
    study = own_study(session, actor, study_id)
    check_open(study)
    return study


def check_waits(session: Session, study: Study, shown: Presentation, phase: int) -> None:
    """Check that a case is not kept from the reader and that its call of this phase is not made.

    Raises:
        Blinding: It is kept, or the call is made; `ShownNoMore` where it was made a moment ago.
    """
    check_given(session, study, shown)
    check_unanswered(reading_of(session, shown, phase))


def check_unanswered(answer: PracticeReading | Reading | None) -> None:
    """Check that a call is not made yet.

    Raises:
        Blinding: It is; `ShownNoMore` where it was made a moment ago.
    """
    if answer is None or answer.answered_at is None:
        return
    is_late = abs(utc_now() - answer.answered_at) < _ON_ITS_WAY
    raise (ShownNoMore if is_late else Blinding)(
        "This case is answered, and an answered case is not shown again. Go on with the next one."
    )


def image_to_read(session: Session, study_id: int, case_id: int) -> Image | None:
    """The image of a case that the study's readers read."""
    return session.scalar(
        select(Image)
        .join(StudyCase, StudyCase.image_id == Image.id)
        .where(StudyCase.study_id == study_id, StudyCase.case_id == case_id)
    )


def showing_of(session: Session, actor: Actor, study_id: int, token: str) -> tuple[Presentation, int]:
    """What was put before the reader, and which call on it the token is for.

    Raises:
        NotFound: The token is not one of this reader's in this study.
    """
    shown = session.get(Presentation, token.removesuffix(SECOND_CALL))
    if shown is None or shown.study_id != study_id or shown.reader_id != actor.person_id:
        raise NotFound("No such case waits for you. Open the reading page anew.")
    phase = 2 if token.endswith(SECOND_CALL) else 1
    if phase > plan_of(session.get_one(Study, study_id)).calls_a_showing:
        raise NotFound("No such case waits for you. Open the reading page anew.")
    return shown, phase


def reading_of(session: Session, shown: Presentation, phase: int) -> Reading | None:
    """The reader's call of a phase on a showing, if it is made."""
    return session.scalar(
        select(Reading).where(
            Reading.study_id == shown.study_id,
            Reading.reader_id == shown.reader_id,
            Reading.case_id == shown.case_id,
            Reading.session == shown.session,
            Reading.occurrence == shown.occurrence,
            Reading.phase == phase,
        )
    )


def other_images(session: Session, study: Study, case_id: int) -> list[tuple[Stage, str]]:
    """Stage and hash of the case's other images that were sealed, in the order in which they were taken in."""
    if not plan_of(study).shows_stages:
        return []
    sealed = {image.image_id for image in stored_design(study.design).others}
    rows = session.execute(
        select(Image.stage, Image.sha256).where(Image.case_id == case_id, Image.id.in_(sealed)).order_by(Image.id)
    )
    return [(stage, sha256) for stage, sha256 in rows]
