"""A reader's blinded session: the next case, its image, and an answer that locks.

Nothing that leaves this module tells which case, patient or file is shown: the browser knows a case by a random token
alone, and the image is pixels encoded anew.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import Blinding, InputRejected, NotFound, StudyLocked
from colpo_core.images.decoding import read_rgb
from colpo_core.records.people import Actor
from colpo_core.records.studies import AssignedStudy, Presented, ReadingProgress
from colpo_core.services import audit
from colpo_core.services.permissions import require
from colpo_core.store import Store
from colpo_core.store.tables import Image, Presentation, Reading, Study, StudyCase, StudyReader, utc_now
from colpo_core.studies.orders import reader_orders
from colpo_core.studies.presenting import MEDIA_TYPE, blinded_jpeg
from colpo_core.terms import Label, Role, StudyState

READERS = (Role.READER,)
_TOKEN_BYTES = 24


@dataclass(frozen=True)
class _Place:
    """Where a reader is in an order of their own."""

    case_id: int | None
    answered: int
    total: int


def assigned_studies(store: Store, *, actor: Actor) -> tuple[AssignedStudy, ...]:
    """The open studies that the reader reads in, with how far they are.

    Raises:
        PermissionDenied: The actor is no reader.
    """
    require(actor, READERS)
    with store.reading() as session:
        studies = session.scalars(
            select(Study)
            .join(StudyReader, StudyReader.study_id == Study.id)
            .where(StudyReader.person_id == actor.person_id, Study.state == StudyState.OPEN)
            .order_by(Study.opened_at, Study.id)
        )
        return tuple(
            AssignedStudy(study.id, study.name, progress.answered, progress.total)
            for study in studies.all()
            for progress in [_progress(session, study.id, actor)]
        )


def next_picture(store: Store, *, actor: Actor, study_id: int) -> Presented | None:
    """The case that waits for the reader, the same one until it is answered; None when all are read.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The actor does not read in such a study.
        StudyLocked: The study is not open.
    """
    require(actor, READERS)
    with store.reading() as session:
        study = _open_study(session, actor, study_id)
        place = _place(session, study, actor)
        if place.case_id is None:
            return None
        shown = _presentation(session, study_id, actor, place.case_id)
        if shown is not None:
            return _presented(session, shown, place)
    with store.writing() as session:
        study = _open_study(session, actor, study_id)
        place = _place(session, study, actor)
        if place.case_id is None:
            return None
        shown = _presentation(session, study_id, actor, place.case_id)
        if shown is None:
            shown = Presentation(
                token=secrets.token_urlsafe(_TOKEN_BYTES),
                study_id=study_id,
                reader_id=actor.person_id,
                case_id=place.case_id,
                shown_at=utc_now(),
            )
            session.add(shown)
            session.flush()
        return _presented(session, shown, place)


def presented_image(store: Store, *, actor: Actor, study_id: int, token: str) -> tuple[bytes, str]:
    """The image of the case that waits for the reader: pixels alone, encoded anew.

    Returns:
        The bytes and their media type.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The token is not one of this reader's in this study.
        StudyLocked: The study is not open.
        Blinding: The case is answered, so it is not shown again.
    """
    require(actor, READERS)
    with store.reading() as session:
        _open_study(session, actor, study_id)
        shown = _by_token(session, actor, study_id, token)
        if _reading(session, shown) is not None:
            raise Blinding("This case is answered, and an answered case is not shown again. Go on with the next one.")
        sha256 = session.scalar(
            select(Image.sha256)
            .join(StudyCase, StudyCase.image_id == Image.id)
            .where(StudyCase.study_id == study_id, StudyCase.case_id == shown.case_id)
        )
    if sha256 is None:
        raise NotFound("The image of this case is missing. Tell an administrator.")
    return blinded_jpeg(read_rgb(store.blobs.get(sha256))), MEDIA_TYPE


def record_reading(
    store: Store, *, actor: Actor, study_id: int, token: str, call: Label, confidence: int
) -> ReadingProgress:
    """Keep the reader's answer for good. The same answer again changes nothing; another one is refused.

    Args:
        store: The open store.
        actor: The reader.
        study_id: The study.
        token: Of the case that was shown.
        call: `normal` or `hsil`.
        confidence: How sure the reader is of the call, 0 (a guess) to 100 (certain).

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The token is not one of this reader's in this study.
        StudyLocked: The study is not open, or the case was answered otherwise before.
        InputRejected: The confidence is outside 0 to 100.
    """
    require(actor, READERS)
    if not isinstance(confidence, int) or not 0 <= confidence <= 100:
        raise InputRejected("The confidence is a whole number from 0 to 100.")
    with store.writing() as session:
        study = _own_study(session, actor, study_id)
        shown = _by_token(session, actor, study_id, token)
        before = _reading(session, shown)
        if before is not None:
            if (before.call, before.confidence) != (call, confidence):
                raise StudyLocked("This case is answered already, and an answer cannot be changed.")
            return _progress(session, study_id, actor)
        _check_open(study)
        session.add(
            Reading(
                study_id=study_id,
                reader_id=actor.person_id,
                case_id=shown.case_id,
                call=call,
                confidence=confidence,
                shown_at=shown.shown_at,
                answered_at=_not_before(shown.shown_at),
            )
        )
        session.flush()
        progress = _progress(session, study_id, actor)
        # The log must not unblind anybody who may read it: it tells neither the case nor the call.
        audit.record(session, actor, "record reading", f"study {study_id}", number=progress.answered)
        return progress


def _own_study(session: Session, actor: Actor, study_id: int) -> Study:
    study = session.scalar(
        select(Study)
        .join(StudyReader, StudyReader.study_id == Study.id)
        .where(Study.id == study_id, StudyReader.person_id == actor.person_id, Study.state != StudyState.DRAFT)
    )
    if study is None:
        raise NotFound("You do not read in such a study. Your studies are listed on the reading page.")
    return study


def _check_open(study: Study) -> None:
    if study.state is not StudyState.OPEN:
        raise StudyLocked("This study is closed. Thank you; nothing more is to be read.")


def _open_study(session: Session, actor: Actor, study_id: int) -> Study:
    study = _own_study(session, actor, study_id)
    _check_open(study)
    return study


def _place(session: Session, study: Study, actor: Actor) -> _Place:
    cases = session.scalars(select(StudyCase.case_id).where(StudyCase.study_id == study.id)).all()
    readers = session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study.id)).all()
    order = reader_orders(cases, readers, seed=study.seed)[actor.person_id]
    answered = set(
        session.scalars(
            select(Reading.case_id).where(Reading.study_id == study.id, Reading.reader_id == actor.person_id)
        )
    )
    waiting = next((case_id for case_id in order if case_id not in answered), None)
    return _Place(waiting, len(answered), len(order))


def _progress(session: Session, study_id: int, actor: Actor) -> ReadingProgress:
    total = select(func.count()).select_from(StudyCase).where(StudyCase.study_id == study_id)
    answered = (
        select(func.count())
        .select_from(Reading)
        .where(Reading.study_id == study_id, Reading.reader_id == actor.person_id)
    )
    return ReadingProgress(session.scalar(answered) or 0, session.scalar(total) or 0)


def _presentation(session: Session, study_id: int, actor: Actor, case_id: int) -> Presentation | None:
    return session.scalar(
        select(Presentation).where(
            Presentation.study_id == study_id,
            Presentation.reader_id == actor.person_id,
            Presentation.case_id == case_id,
        )
    )


def _by_token(session: Session, actor: Actor, study_id: int, token: str) -> Presentation:
    shown = session.get(Presentation, token)
    if shown is None or shown.study_id != study_id or shown.reader_id != actor.person_id:
        raise NotFound("No such case waits for you. Open the reading page anew.")
    return shown


def _reading(session: Session, shown: Presentation) -> Reading | None:
    return session.scalar(
        select(Reading).where(
            Reading.study_id == shown.study_id,
            Reading.reader_id == shown.reader_id,
            Reading.case_id == shown.case_id,
        )
    )


def _presented(session: Session, shown: Presentation, place: _Place) -> Presented:
    simulated = session.scalar(
        select(Image.simulated)
        .join(StudyCase, StudyCase.image_id == Image.id)
        .where(StudyCase.study_id == shown.study_id, StudyCase.case_id == shown.case_id)
    )
    return Presented(shown.token, place.answered + 1, place.total, shown.shown_at, bool(simulated))


def _not_before(shown_at: datetime) -> datetime:
    """The present, or the showing where the clock was set back in between."""
    return max(utc_now(), shown_at)
