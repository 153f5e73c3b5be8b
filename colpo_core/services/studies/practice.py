"""Practice before a study: cases with feedback, kept apart from the readings so that no analysis can count them."""

import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import StudyLocked
from colpo_core.records.people import Actor
from colpo_core.records.studies.readings import Presented, ReadingProgress
from colpo_core.services.common import exposures
from colpo_core.services.common.counting import count_rows
from colpo_core.store.tables import Image, PracticeReading, StudyPracticeCase, utc_now
from colpo_core.terms import ExposureKind, Label

TOKEN_BYTES = 24


def waiting_practice(session: Session, study_id: int, actor: Actor) -> int | None:
    """The practice case that waits for a reader; None when all are done. All readers practise in one order."""
    done = select(PracticeReading.case_id).where(
        PracticeReading.study_id == study_id,
        PracticeReading.reader_id == actor.person_id,
        PracticeReading.call.is_not(None),
    )
    return session.scalar(
        select(func.min(StudyPracticeCase.case_id)).where(
            StudyPracticeCase.study_id == study_id, StudyPracticeCase.case_id.not_in(done)
        )
    )


def practice_showing(session: Session, study_id: int, actor: Actor, case_id: int) -> PracticeReading | None:
    """How a practice case was put before a reader, if it was."""
    return session.scalar(
        select(PracticeReading).where(
            PracticeReading.study_id == study_id,
            PracticeReading.reader_id == actor.person_id,
            PracticeReading.case_id == case_id,
        )
    )


def show_practice(session: Session, study_id: int, actor: Actor, case_id: int) -> PracticeReading:
    """Put a practice case before a reader."""
    shown = PracticeReading(
        token=secrets.token_hex(TOKEN_BYTES),
        study_id=study_id,
        reader_id=actor.person_id,
        case_id=case_id,
        shown_at=utc_now(),
    )
    session.add(shown)
    session.flush()
    return shown


def practice_by_token(session: Session, study_id: int, actor: Actor, token: str) -> PracticeReading | None:
    """The practice showing of a token, where it is one of this reader's."""
    shown = session.get(PracticeReading, token)
    if shown is None or shown.study_id != study_id or shown.reader_id != actor.person_id:
        return None
    return shown


def practice_presented(session: Session, shown: PracticeReading, *, five_steps: bool) -> Presented:
    """A practice showing as the reader's page gets it."""
    progress, image = _progress(session, shown), practice_image(session, shown)
    return Presented(
        token=shown.token,
        number=progress.answered + 1,
        total=progress.total,
        shown_at=shown.shown_at,
        simulated=image is not None and image.simulated,
        practice=True,
        five_steps=five_steps,
    )


def practice_image(session: Session, shown: PracticeReading) -> Image | None:
    """The image of a practice case."""
    return session.scalar(
        select(Image)
        .join(StudyPracticeCase, StudyPracticeCase.image_id == Image.id)
        .where(StudyPracticeCase.study_id == shown.study_id, StudyPracticeCase.case_id == shown.case_id)
    )


def answer_practice(
    session: Session, actor: Actor, shown: PracticeReading, *, call: Label, confidence: int
) -> ReadingProgress:
    """Keep a practice answer and tell what the reference standard says. The same answer again changes nothing.

    Raises:
        StudyLocked: The case was answered otherwise before.
    """
    if shown.call is not None and (shown.call, shown.confidence) != (call, confidence):
        raise StudyLocked("This practice case is answered already. Go on with the next one.")
    if shown.call is None:
        shown.call, shown.confidence = call, confidence
        shown.answered_at = max(utc_now(), shown.shown_at)
        exposures.note_within(session, actor, [(shown.case_id, ExposureKind.LABEL)], within_study=shown.study_id)
        session.flush()
    progress = _progress(session, shown)
    truth = session.scalar(
        select(StudyPracticeCase.truth).where(
            StudyPracticeCase.study_id == shown.study_id, StudyPracticeCase.case_id == shown.case_id
        )
    )
    return ReadingProgress(progress.answered, progress.total, truth)


def _progress(session: Session, shown: PracticeReading) -> ReadingProgress:
    mine = (PracticeReading.study_id == shown.study_id, PracticeReading.reader_id == shown.reader_id)
    return ReadingProgress(
        count_rows(session, PracticeReading, *mine, PracticeReading.call.is_not(None)),
        count_rows(session, StudyPracticeCase, StudyPracticeCase.study_id == shown.study_id),
    )
