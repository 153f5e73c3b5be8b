"""A reader's blinded session: the next case, its image, and an answer that locks.

Nothing that leaves this module tells which case, patient or file is shown: the browser knows a case by a random token
alone, and the image is pixels encoded anew.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Blinding, InputRejected, NotFound, ShownNoMore, StudyLocked
from colpo_core.images.decoding import read_rgb
from colpo_core.records.people import Actor
from colpo_core.records.studies.reading_plans import ASKED_FINDINGS, MOST_POINTS, ConfidenceScale, ReadingPlan
from colpo_core.records.studies.readings import AssignedStudy, Presented, ReadingProgress
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.cache import Kept
from colpo_core.services.common.permissions import require
from colpo_core.services.studies.aid import Turn, aid_png, aid_shown, arm_of, require_aided
from colpo_core.services.studies.drafts import draft_of, drop_draft, write_draft
from colpo_core.services.studies.places import Place, find_place, session_progress
from colpo_core.services.studies.practice import (
    TOKEN_BYTES,
    answer_practice,
    practice_by_token,
    practice_image,
    practice_presented,
    practice_showing,
    show_practice,
    waiting_practice,
)
from colpo_core.services.studies.readers import amended, plan_of, withheld_cases
from colpo_core.store import Store
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
from colpo_core.studies.presenting import MEDIA_TYPE, blinded_jpeg
from colpo_core.terms import Arm, ExposureKind, Finding, Label, Role, Stage, StudyState

READERS = (Role.READER,)
# What a showing's token ends with where its second call is awaited; a token itself holds no dot.
_SECOND_CALL = ".2"
# How long after an answer a picture may have been on its way to the page that sent it: that is no attempt to see more.
_ON_ITS_WAY = timedelta(seconds=10)
# The readers of a study are shown the same images, each in an order of their own.
_ENCODED: Kept[str, bytes] = Kept(100)


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
            _assigned(session, study, actor)
            for study in studies.all()
            if actor.person_id not in amended(session, study.id).removed
        )


def next_picture(store: Store, *, actor: Actor, study_id: int) -> Presented | None:
    """The case that waits for the reader, the same one until it is answered; None when all is read.

    Practice cases come first, then session after session.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The actor does not read in such a study.
        StudyLocked: The study is not open.
        SessionWaits: The washout before the next session is not over.
    """
    require(actor, READERS)
    exposures.settle(store)
    with store.reading() as session:
        study = _open_study(session, actor, study_id)
        found, shown = _waiting(session, study, actor, show=False)
    if found and shown is None:
        with store.writing() as session:
            study = _open_study(session, actor, study_id)
            shown = _waiting(session, study, actor, show=True)[1]
    if shown is not None and shown.aid is not None:
        _note_aid(store, actor, study_id, shown.token)
    return shown


def presented_image(
    store: Store, *, actor: Actor, study_id: int, token: str, other: int | None = None
) -> tuple[bytes, str]:
    """The image of the case that waits for the reader: pixels alone, encoded anew.

    Args:
        store: The open store.
        actor: The reader.
        study_id: The study.
        token: Of the case that was shown.
        other: One of the case's other images in place of the one that is read: its place in `Presented.stages`.

    Returns:
        The bytes and their media type.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The token is not one of this reader's in this study.
        StudyLocked: The study is not open.
        Blinding: The case is answered, so it is not shown again; `ShownNoMore` where it was answered a moment ago.
    """
    require(actor, READERS)
    with store.reading() as session:
        study = _open_study(session, actor, study_id)
        sha256 = _image_to_show(session, actor, study_id, token)
        if other is not None:
            sha256 = _other_to_show(session, study, actor, token, other)
    if sha256 is None:
        raise NotFound("The image of this case is missing. Tell an administrator.")
    return _ENCODED.find(sha256, lambda: blinded_jpeg(read_rgb(store.blobs.get(sha256)))), MEDIA_TYPE


def presented_aid(store: Store, *, actor: Actor, study_id: int, token: str, layer: str) -> bytes:
    """A layer of the model's output over the case that waits, as PNG, where it is to be read with it now.

    Args:
        store: The open store.
        actor: The reader.
        study_id: The study.
        token: Of the case that was shown.
        layer: `mask` or `map`.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The token is not one of this reader's in this study, or there is no such layer.
        StudyLocked: The study is not open.
        Blinding: The case is answered, or is not to be read with the model's output now; `ShownNoMore` where it was
            read with it and answered a moment ago.
    """
    require(actor, READERS)
    with store.reading() as session:
        study = _open_study(session, actor, study_id)
        shown, phase = _by_token(session, actor, study_id, token)
        arm = arm_of(session, study, actor.person_id, Turn(shown.session, shown.case_id, phase))
        is_too_early = phase > 1 and _reading(session, shown, 1) is None
        require_aided(Arm.UNAIDED if is_too_early else arm)
        _check_waits(session, study, shown, phase)
        png = aid_png(store, session, study, shown.case_id, layer)
    _note_aid(store, actor, study_id, token)
    return png


def keep_set(
    store: Store,
    *,
    actor: Actor,
    study_id: int,
    token: str,
    points: Sequence[tuple[float, float]],
    findings: Sequence[Finding],
) -> None:
    """Keep what the reader has set on the case that waits, so that a reload or a sign-out loses none of it.

    Nothing of it is a reading before the answer, which takes its own points and findings and ends this. It replaces
    what was kept before, and the next `next_picture` gives it back to this reader alone.

    Args:
        store: The open store.
        actor: The reader.
        study_id: The study.
        token: Of the case that was shown.
        points: All biopsy sites that are set now, as in `record_reading`.
        findings: All findings that are chosen now.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The token is not one of this reader's in this study, or no second call is awaited.
        StudyLocked: The study is not open.
        Blinding: The case is answered, or kept from the reader; `ShownNoMore` where it was answered a moment ago.
        InputRejected: A point or finding is not fit, or the study does not ask for it.
    """
    require(actor, READERS)
    with store.writing() as session:
        study = _open_study(session, actor, study_id)
        shown, phase = _by_token(session, actor, study_id, token)
        _check_waits(session, study, shown, phase)
        _check_second(session, shown, phase)
        kept_points, kept_findings = _said(plan_of(study), points, findings)
        _check_points(session, study, shown, points)
        write_draft(session, shown.token, phase, points=kept_points or [], findings=kept_findings or [])


def record_reading(
    store: Store,
    *,
    actor: Actor,
    study_id: int,
    token: str,
    call: Label,
    confidence: int,
    active_ms: int | None = None,
    points: Sequence[tuple[float, float]] | None = None,
    findings: Sequence[Finding] | None = None,
) -> ReadingProgress:
    """Keep the reader's answer for good. The same answer again changes nothing; another one is refused.

    Args:
        store: The open store.
        actor: The reader.
        study_id: The study.
        token: Of the case that was shown.
        call: `normal` or `hsil`.
        confidence: How sure the reader is of the call, 0 (a guess) to 100 (certain); in five steps 0, 25, 50, 75
            or 100.
        active_ms: Time on the case without breaks, as the reader's page measured it; it cannot be longer than the time
            since the case was shown.
        points: Biopsy sites as (x, y) in pixels of the image, at most six, where the study asks for them; None for
            those that `keep_set` has kept.
        findings: What is seen, where the study asks for it; None likewise.

    Returns:
        How far the reader is in the session; after a practice case also what the reference standard says of it.

    Raises:
        PermissionDenied: The actor is no reader.
        NotFound: The token is not one of this reader's in this study.
        StudyLocked: The study is not open, or the case was answered otherwise before.
        Blinding: The reader was exposed to the case since it was shown, and the design excludes such a case.
        InputRejected: The confidence is none of the study's scale, or a point or finding is not fit.
    """
    require(actor, READERS)
    exposures.settle(store)
    with store.writing() as session:
        study = _own_study(session, actor, study_id)
        _check_confidence(plan_of(study), confidence)
        practised = practice_by_token(session, study_id, actor, token)
        if practised is not None:
            _check_open(study)
            return answer_practice(session, actor, practised, call=call, confidence=confidence)
        shown, phase = _by_token(session, actor, study_id, token)
        before = _reading(session, shown, phase)
        if before is not None:
            is_same = (before.call, before.confidence) == (call, confidence)
            said = _said(plan_of(study), points or (), findings or ())
            is_same &= points is None or before.points == said[0]
            is_same &= findings is None or before.findings == said[1]
            if not is_same:
                raise StudyLocked("This case is answered already, and an answer cannot be changed.")
            return session_progress(session, study, actor, shown.session)
        _check_open(study)
        _check_given(session, study, shown)
        _check_second(session, shown, phase)
        reading = _new_reading(session, study, shown, phase, active_ms)
        reading.call, reading.confidence = call, confidence
        kept = draft_of(session, shown.token, phase)
        if points is None:
            points = [(x, y) for x, y in kept.points] if kept is not None else []
        if findings is None:
            findings = [Finding(one) for one in kept.findings] if kept is not None else []
        reading.points, reading.findings = _said(plan_of(study), points, findings)
        _check_points(session, study, shown, points)
        session.add(reading)
        drop_draft(session, shown.token, phase)
        session.flush()
        progress = session_progress(session, study, actor, shown.session)
        # The log must not unblind anybody who may read it: it tells neither the case nor the call.
        audit.record(session, actor, "record reading", f"study {study_id}", number=progress.answered)
        return progress


def _note_aid(store: Store, actor: Actor, study_id: int, token: str) -> None:
    """The study's own screens show it, so that it is no exposure for this study, and one for every other."""
    with store.reading() as session:
        case_id = session.get_one(Presentation, token.removesuffix(_SECOND_CALL)).case_id
    kinds = (ExposureKind.PREDICTION, ExposureKind.MASK)
    exposures.note(store, actor, [(case_id, kind) for kind in kinds], within_study=study_id)


def _check_confidence(plan: ReadingPlan, confidence: int) -> None:
    if plan.takes(confidence):
        return
    if plan.confidence is ConfidenceScale.FIVE_STEPS:
        raise InputRejected("The confidence is one of five steps: 0, 25, 50, 75 or 100.")
    raise InputRejected("The confidence is a whole number from 0 to 100.")


def _said(
    plan: ReadingPlan, points: Sequence[tuple[float, float]], findings: Sequence[Finding]
) -> tuple[list[list[float]] | None, list[str] | None]:
    """Points and findings as they are kept; None where the study does not ask.

    Raises:
        InputRejected: They are not asked for, or not fit.
    """
    if (points and not plan.asks_points) or (findings and not plan.asks_findings):
        raise InputRejected("This study does not ask for that.")
    if len(points) > MOST_POINTS:
        raise InputRejected(f"At most {MOST_POINTS} sites can be set.")
    if not set(findings) <= set(ASKED_FINDINGS):
        raise InputRejected(f"A finding is one of {', '.join(ASKED_FINDINGS)}.")
    kept = [[round(float(x), 1), round(float(y), 1)] for x, y in points] if plan.asks_points else None
    return kept, sorted({one.value for one in findings}) if plan.asks_findings else None


def _check_second(session: Session, shown: Presentation, phase: int) -> None:
    if phase > 1 and _reading(session, shown, 1) is None:
        raise NotFound("No second call is awaited on this case. Open the reading page anew.")


def _check_points(session: Session, study: Study, shown: Presentation, points: Sequence[tuple[float, float]]) -> None:
    if not points:
        return
    image = _image_read(session, study.id, shown.case_id)
    if image is None or not all(0 <= x <= image.width_px and 0 <= y <= image.height_px for x, y in points):
        raise InputRejected("A site lies on the image.")


def _new_reading(session: Session, study: Study, shown: Presentation, phase: int, active_ms: int | None) -> Reading:
    first = None if phase == 1 else _reading(session, shown, 1)
    shown_at = shown.shown_at if first is None else first.answered_at
    answered_at = _not_before(shown_at)
    if active_ms is not None:
        wall_ms = int((answered_at - shown_at).total_seconds() * 1000)
        active_ms = min(max(active_ms, 0), wall_ms)
    return Reading(
        study_id=shown.study_id,
        reader_id=shown.reader_id,
        case_id=shown.case_id,
        session=shown.session,
        arm=arm_of(session, study, shown.reader_id, Turn(shown.session, shown.case_id, phase)),
        occurrence=shown.occurrence,
        phase=phase,
        shown_at=shown_at,
        answered_at=answered_at,
        active_ms=active_ms,
    )


def _check_given(session: Session, study: Study, shown: Presentation) -> None:
    if _reading(session, shown, 1) is not None:
        return  # begun before the exposure: its second call is made all the same
    if shown.case_id in withheld_cases(session, study, shown.reader_id):
        raise Blinding("You have seen something of this case elsewhere, so it is not read. Open the reading page anew.")


def _own_study(session: Session, actor: Actor, study_id: int) -> Study:
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


def _check_open(study: Study) -> None:
    if study.state is not StudyState.OPEN:
        raise StudyLocked("This study is closed. Thank you; nothing more is to be read.")


def _open_study(session: Session, actor: Actor, study_id: int) -> Study:
    study = _own_study(session, actor, study_id)
    _check_open(study)
    return study


def _assigned(session: Session, study: Study, actor: Actor) -> AssignedStudy:
    place = find_place(session, study, actor)
    return AssignedStudy(
        study_id=study.id,
        name=study.name,
        answered=place.answered,
        total=place.total,
        session=place.session,
        n_sessions=place.n_sessions,
        opens_at=place.opens_at,
    )


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
    place = find_place(session, study, actor)
    if place.showing is None:
        return False, None
    place.check_open()
    shown = _presentation(session, study.id, actor, place)
    if shown is None and show:
        shown = Presentation(
            token=secrets.token_hex(TOKEN_BYTES),
            study_id=study.id,
            reader_id=actor.person_id,
            case_id=place.showing.case_id,
            session=place.session,
            occurrence=place.showing.occurrence,
            shown_at=utc_now(),
        )
        session.add(shown)
        session.flush()
    return True, None if shown is None else _presented(session, study, shown, place, five_steps=five_steps)


def _presentation(session: Session, study_id: int, actor: Actor, place: Place) -> Presentation | None:
    if place.showing is None:
        return None
    return session.scalar(
        select(Presentation).where(
            Presentation.study_id == study_id,
            Presentation.reader_id == actor.person_id,
            Presentation.session == place.session,
            Presentation.case_id == place.showing.case_id,
            Presentation.occurrence == place.showing.occurrence,
        )
    )


def _image_to_show(session: Session, actor: Actor, study_id: int, token: str) -> str | None:
    practised = practice_by_token(session, study_id, actor, token)
    if practised is not None:
        _check_unanswered(practised)
        return practice_image(session, practised)
    shown, phase = _by_token(session, actor, study_id, token)
    _check_waits(session, session.get_one(Study, study_id), shown, phase)
    image = _image_read(session, study_id, shown.case_id)
    return None if image is None else image.sha256


def _check_waits(session: Session, study: Study, shown: Presentation, phase: int) -> None:
    """Refuse a case that is kept from the reader or whose call of this phase is made."""
    _check_given(session, study, shown)
    _check_unanswered(_reading(session, shown, phase))


def _check_unanswered(answer: PracticeReading | Reading | None) -> None:
    if answer is None or answer.answered_at is None:
        return
    is_late = abs(utc_now() - answer.answered_at) < _ON_ITS_WAY
    raise (ShownNoMore if is_late else Blinding)(
        "This case is answered, and an answered case is not shown again. Go on with the next one."
    )


def _image_read(session: Session, study_id: int, case_id: int) -> Image | None:
    """The image of a case that the study's readers read."""
    return session.scalar(
        select(Image)
        .join(StudyCase, StudyCase.image_id == Image.id)
        .where(StudyCase.study_id == study_id, StudyCase.case_id == case_id)
    )


def _other_to_show(session: Session, study: Study, actor: Actor, token: str, other: int) -> str:
    if practice_by_token(session, study.id, actor, token) is not None:
        raise NotFound("There is no other image of this case.")
    shown, _ = _by_token(session, actor, study.id, token)
    images = _other_images(session, study, shown.case_id)
    if not 0 <= other < len(images):
        raise NotFound("There is no other image of this case.")
    return images[other][1]


def _by_token(session: Session, actor: Actor, study_id: int, token: str) -> tuple[Presentation, int]:
    """What was put before the reader, and which call on it the token is for."""
    shown = session.get(Presentation, token.removesuffix(_SECOND_CALL))
    if shown is None or shown.study_id != study_id or shown.reader_id != actor.person_id:
        raise NotFound("No such case waits for you. Open the reading page anew.")
    phase = 2 if token.endswith(_SECOND_CALL) else 1
    if phase > plan_of(session.get_one(Study, study_id)).calls_a_showing:
        raise NotFound("No such case waits for you. Open the reading page anew.")
    return shown, phase


def _reading(session: Session, shown: Presentation, phase: int) -> Reading | None:
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


def _presented(session: Session, study: Study, shown: Presentation, place: Place, *, five_steps: bool) -> Presented:
    image = _image_read(session, shown.study_id, shown.case_id)
    arm = arm_of(session, study, shown.reader_id, Turn(shown.session, shown.case_id, place.phase))
    draft = draft_of(session, shown.token, place.phase)
    return Presented(
        token=shown.token if place.phase == 1 else f"{shown.token}{_SECOND_CALL}",
        number=place.answered + 1,
        total=place.total,
        shown_at=shown.shown_at,
        simulated=image is not None and image.simulated,
        session=place.session,
        n_sessions=place.n_sessions,
        five_steps=five_steps,
        phase=place.phase,
        aid=aid_shown(session, study, shown.case_id) if arm is Arm.AIDED else None,
        stages=tuple(stage for stage, _ in _other_images(session, study, shown.case_id)),
        asks_points=plan_of(study).asks_points,
        asks_findings=plan_of(study).asks_findings,
        points=() if draft is None else tuple((x, y) for x, y in draft.points),
        findings=() if draft is None else tuple(Finding(one) for one in draft.findings),
    )


def _other_images(session: Session, study: Study, case_id: int) -> list[tuple[Stage, str]]:
    """Stage and hash of the case's other images that were sealed, in the order in which they were taken in."""
    if not plan_of(study).shows_stages:
        return []
    sealed = {one["image_id"] for one in study.design.get("others", ())}
    rows = session.execute(
        select(Image.stage, Image.sha256).where(Image.case_id == case_id, Image.id.in_(sealed)).order_by(Image.id)
    )
    return [(stage, sha256) for stage, sha256 in rows]


def _not_before(shown_at: datetime) -> datetime:
    """The present, or the showing where the clock was set back in between."""
    return max(utc_now(), shown_at)
