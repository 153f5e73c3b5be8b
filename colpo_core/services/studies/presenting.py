"""What a blinded reader is shown: the next case, its image, and the model's output where it is to be read with it.

Nothing that leaves this module tells which case, patient or file is shown: the browser knows a case by a random token
alone, and the image is pixels encoded anew.
"""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.records.studies.reading_plans import ConfidenceScale
from colpo_core.records.studies.readings import AssignedStudy, Presented
from colpo_core.services.common import exposures
from colpo_core.services.common.cache import LruCache
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import READERS, allowed
from colpo_core.services.studies.aid import Turn, aid_png, aid_shown, arm_of, require_aided
from colpo_core.services.studies.drafts import draft_of
from colpo_core.services.studies.positions import ReadingPosition, find_position
from colpo_core.services.studies.practice import (
    TOKEN_BYTES,
    practice_by_token,
    practice_image,
    practice_presented,
    practice_showing,
    show_practice,
    waiting_practice,
)
from colpo_core.services.studies.readers import amended, plan_of
from colpo_core.services.studies.showings import (
    SECOND_CALL,
    check_unanswered,
    check_waits,
    image_to_read,
    open_study,
    other_images,
    reading_of,
    showing_of,
)
from colpo_core.store.tables import Presentation, Study, StudyReader, utc_now
from colpo_core.studies.presenting import MEDIA_TYPE, blinded_jpeg
from colpo_core.terms import Arm, ExposureKind, Finding, StudyState

# The readers of a study are shown the same images, each in an order of their own.
_ENCODED: LruCache[str, bytes] = LruCache(100)


@allowed(READERS)
def assigned_studies(caller: Caller) -> tuple[AssignedStudy, ...]:
    """The open studies that the reader reads in, with how far they are."""
    with caller.store.reading() as session:
        studies = session.scalars(
            select(Study)
            .join(StudyReader, StudyReader.study_id == Study.id)
            .where(StudyReader.person_id == caller.person_id, Study.state == StudyState.OPEN)
            .order_by(Study.opened_at, Study.id)
        )
        return tuple(
            copied(AssignedStudy, find_position(session, study, caller.actor), study_id=study.id, name=study.name)
            for study in studies.all()
            if caller.person_id not in amended(session, study.id).removed
        )


@allowed(READERS)
def next_case(caller: Caller, *, study_id: int) -> Presented | None:
    """The case that waits for the reader, the same one until it is answered; None when all is read.

    Practice cases come first, then session after session.

    Raises:
        NotFound: The caller does not read in such a study.
        StudyLocked: The study is not open.
        SessionWaits: The washout before the next session is not over.
    """
    exposures.settle(caller.store)
    with caller.store.reading() as session:
        study = open_study(session, caller.actor, study_id)
        is_waiting, shown = _waiting(session, study, caller.actor, show=False)
    if is_waiting and shown is None:
        with caller.store.writing() as session:
            study = open_study(session, caller.actor, study_id)
            shown = _waiting(session, study, caller.actor, show=True)[1]
    if shown is not None and shown.aid is not None:
        _note_aid(caller, study_id, shown.token)
    return shown


@allowed(READERS)
def presented_image(caller: Caller, *, study_id: int, token: str, other: int | None = None) -> tuple[bytes, str]:
    """The image of the case that waits for the reader: pixels alone, encoded anew.

    Args:
        caller: The reader.
        study_id: The study.
        token: Of the case that was shown.
        other: One of the case's other images in position of the one that is read: its index in `Presented.stages`.

    Returns:
        The bytes and their media type.

    Raises:
        NotFound: The token is not one of this reader's in this study.
        StudyLocked: The study is not open.
        Blinding: The case is answered, so it is not shown again; `ShownNoMore` where it was answered a moment ago.
    """
    with caller.store.reading() as session:
        study = open_study(session, caller.actor, study_id)
        sha256 = _image_to_show(session, caller.actor, study_id, token)
        if other is not None:
            sha256 = _other_to_show(session, study, caller.actor, token, other)
    if sha256 is None:
        raise NotFound("The image of this case is missing. Tell an administrator.")
    return _ENCODED.find(sha256, lambda: blinded_jpeg(read_rgb(caller.store.blobs.get(sha256)))), MEDIA_TYPE


@allowed(READERS)
def presented_aid(caller: Caller, *, study_id: int, token: str, layer: str) -> bytes:
    """A layer of the model's output over the case that waits, as PNG, where it is to be read with it now.

    Args:
        caller: The reader.
        study_id: The study.
        token: Of the case that was shown.
        layer: `mask` or `map`.

    Raises:
        NotFound: The token is not one of this reader's in this study, or there is no such layer.
        StudyLocked: The study is not open.
        Blinding: The case is answered, or is not to be read with the model's output now; `ShownNoMore` where it was
            read with it and answered a moment ago.
    """
    with caller.store.reading() as session:
        study = open_study(session, caller.actor, study_id)
        shown, phase = showing_of(session, caller.actor, study_id, token)
        arm = arm_of(session, study, caller.person_id, Turn(shown.session, shown.case_id, phase))
        is_too_early = phase > 1 and reading_of(session, shown, 1) is None
        require_aided(Arm.UNAIDED if is_too_early else arm)
        check_waits(session, study, shown, phase)
        png = aid_png(caller.store, session, study, shown.case_id, layer)
    _note_aid(caller, study_id, token)
    return png


def _note_aid(caller: Caller, study_id: int, token: str) -> None:
    """The study's own screens show it, so that it is no exposure for this study, and one for every other."""
    with caller.store.reading() as session:
        case_id = session.get_one(Presentation, token.removesuffix(SECOND_CALL)).case_id
    kinds = (ExposureKind.PREDICTION, ExposureKind.MASK)
    exposures.note(caller, [(case_id, kind) for kind in kinds], within_study=study_id)


def _waiting(session: Session, study: Study, actor: Actor, *, show: bool) -> tuple[bool, Presented | None]:
    """Whether anything waits, and what was put before the reader; `show` puts it there if it was not yet."""
    five_steps = plan_of(study).confidence is ConfidenceScale.FIVE_STEPS
    practice_case = waiting_practice(session, study.id, actor)
    if practice_case is not None:
        practised = practice_showing(session, study.id, actor, practice_case)
        if practised is None and show:
            practised = show_practice(session, study.id, actor, practice_case)
        if practised is None:
            return True, None
        return True, practice_presented(session, practised, five_steps=five_steps)
    position = find_position(session, study, actor)
    if position.showing is None:
        return False, None
    position.check_open()
    shown = _presentation(session, study.id, actor, position)
    if shown is None and show:
        shown = Presentation(
            token=secrets.token_hex(TOKEN_BYTES),
            study_id=study.id,
            reader_id=actor.person_id,
            case_id=position.showing.case_id,
            session=position.session,
            occurrence=position.showing.occurrence,
            shown_at=utc_now(),
        )
        session.add(shown)
        session.flush()
    return True, None if shown is None else _presented(session, study, shown, position, five_steps=five_steps)


def _presentation(session: Session, study_id: int, actor: Actor, position: ReadingPosition) -> Presentation | None:
    if position.showing is None:
        return None
    return session.scalar(
        select(Presentation).where(
            Presentation.study_id == study_id,
            Presentation.reader_id == actor.person_id,
            Presentation.session == position.session,
            Presentation.case_id == position.showing.case_id,
            Presentation.occurrence == position.showing.occurrence,
        )
    )


def _image_to_show(session: Session, actor: Actor, study_id: int, token: str) -> str | None:
    practised = practice_by_token(session, study_id, actor, token)
    if practised is not None:
        check_unanswered(practised)
        image = practice_image(session, practised)
    else:
        shown, phase = showing_of(session, actor, study_id, token)
        check_waits(session, session.get_one(Study, study_id), shown, phase)
        image = image_to_read(session, study_id, shown.case_id)
    return None if image is None else image.sha256


def _other_to_show(session: Session, study: Study, actor: Actor, token: str, other: int) -> str:
    if practice_by_token(session, study.id, actor, token) is not None:
        raise NotFound("There is no other image of this case.")
    shown, _ = showing_of(session, actor, study.id, token)
    images = other_images(session, study, shown.case_id)
    if not 0 <= other < len(images):
        raise NotFound("There is no other image of this case.")
    return images[other][1]


def _presented(
    session: Session, study: Study, shown: Presentation, position: ReadingPosition, *, five_steps: bool
) -> Presented:
    image = image_to_read(session, shown.study_id, shown.case_id)
    arm = arm_of(session, study, shown.reader_id, Turn(shown.session, shown.case_id, position.phase))
    draft = draft_of(session, shown.token, position.phase)
    return Presented(
        token=shown.token if position.phase == 1 else f"{shown.token}{SECOND_CALL}",
        number=position.answered + 1,
        total=position.total,
        shown_at=shown.shown_at,
        simulated=image is not None and image.simulated,
        session=position.session,
        n_sessions=position.n_sessions,
        five_steps=five_steps,
        phase=position.phase,
        aid=aid_shown(session, study, shown.case_id) if arm is Arm.AIDED else None,
        stages=tuple(stage for stage, _ in other_images(session, study, shown.case_id)),
        asks_points=plan_of(study).asks_points,
        asks_findings=plan_of(study).asks_findings,
        points=() if draft is None else tuple((x, y) for x, y in draft.points),
        findings=() if draft is None else tuple(Finding(name) for name in draft.findings),
    )
