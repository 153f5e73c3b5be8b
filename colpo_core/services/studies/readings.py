"""A reader's answers: what is set on a case is kept until the answer, and the answer locks."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected, NotFound, StudyLocked
from colpo_core.records.studies.reading_plans import ASKED_FINDINGS, MOST_POINTS, ConfidenceScale, ReadingPlan
from colpo_core.records.studies.readings import ReadingProgress
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import READERS, allowed
from colpo_core.services.studies.aid import Turn, arm_of
from colpo_core.services.studies.drafts import draft_of, drop_draft, write_draft
from colpo_core.services.studies.positions import session_progress
from colpo_core.services.studies.practice import answer_practice, practice_by_token
from colpo_core.services.studies.readers import plan_of
from colpo_core.services.studies.showings import (
    check_given,
    check_open,
    check_waits,
    image_to_read,
    open_study,
    own_study,
    reading_of,
    showing_of,
)
from colpo_core.store.tables import Presentation, Reading, Study, utc_now
from colpo_core.terms import Finding, Label


@allowed(READERS)
def save_reading_draft(
    caller: Caller,
    *,
    study_id: int,
    token: str,
    points: Sequence[tuple[float, float]],
    findings: Sequence[Finding],
) -> None:
    """Keep what the reader has set on the case that waits, so that a reload or a sign-out loses none of it.

    Nothing of it is a reading before the answer, which takes its own points and findings and ends this. It replaces
    what was kept before, and the next `next_case` gives it back to this reader alone.

    Args:
        caller: The reader.
        study_id: The study.
        token: Of the case that was shown.
        points: All biopsy sites that are set now, as in `record_reading`.
        findings: All findings that are chosen now.

    Raises:
        NotFound: The token is not one of this reader's in this study, or no second call is awaited.
        StudyLocked: The study is not open.
        Blinding: The case is answered, or kept from the reader; `ShownNoMore` where it was answered a moment ago.
        InputRejected: A point or finding is not fit, or the study does not ask for it.
    """
    with caller.store.writing() as session:
        study = open_study(session, caller.actor, study_id)
        shown, phase = showing_of(session, caller.actor, study_id, token)
        check_waits(session, study, shown, phase)
        _check_second(session, shown, phase)
        stored_points, stored_findings = _as_stored(plan_of(study), points, findings)
        _check_points(session, study, shown, points)
        write_draft(session, shown.token, phase, points=stored_points or [], findings=stored_findings or [])


@allowed(READERS)
def record_reading(
    caller: Caller,
    *,
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
        caller: The reader.
        study_id: The study.
        token: Of the case that was shown.
        call: `normal` or `hsil`.
        confidence: How sure the reader is of the call, 0 (a guess) to 100 (certain); in five steps 0, 25, 50, 75
            or 100.
        active_ms: Time on the case without breaks, as the reader's page measured it; it cannot be longer than the time
            since the case was shown.
        points: Biopsy sites as (x, y) in pixels of the image, at most six, where the study asks for them; None for
            those that `save_reading_draft` has kept.
        findings: What is seen, where the study asks for it; None likewise.

    Returns:
        How far the reader is in the session; after a practice case also what the reference standard says of it.

    Raises:
        NotFound: The token is not one of this reader's in this study.
        StudyLocked: The study is not open, or the case was answered otherwise before.
        Blinding: The reader was exposed to the case since it was shown, and the design excludes such a case.
        InputRejected: The confidence is none of the study's scale, or a point or finding is not fit.
    """
    exposures.settle(caller.store)
    with caller.store.writing() as session:
        study = own_study(session, caller.actor, study_id)
        _check_confidence(plan_of(study), confidence)
        practised = practice_by_token(session, study_id, caller.actor, token)
        if practised is not None:
            check_open(study)
            return answer_practice(session, caller.actor, practised, call=call, confidence=confidence)
        shown, phase = showing_of(session, caller.actor, study_id, token)
        before = reading_of(session, shown, phase)
        if before is not None:
            is_same = (before.call, before.confidence) == (call, confidence)
            stored_points, stored_findings = _as_stored(plan_of(study), points or (), findings or ())
            is_same &= points is None or before.points == stored_points
            is_same &= findings is None or before.findings == stored_findings
            if not is_same:
                raise StudyLocked("This case is answered already, and an answer cannot be changed.")
            return session_progress(session, study, caller.actor, shown.session)
        check_open(study)
        check_given(session, study, shown)
        _check_second(session, shown, phase)
        reading = _new_reading(session, study, shown, phase, active_ms)
        reading.call, reading.confidence = call, confidence
        draft = draft_of(session, shown.token, phase)
        if points is None:
            points = [(x, y) for x, y in draft.points] if draft is not None else []
        if findings is None:
            findings = [Finding(name) for name in draft.findings] if draft is not None else []
        reading.points, reading.findings = _as_stored(plan_of(study), points, findings)
        _check_points(session, study, shown, points)
        session.add(reading)
        drop_draft(session, shown.token, phase)
        session.flush()
        progress = session_progress(session, study, caller.actor, shown.session)
        # The log must not unblind anybody who may read it: it tells neither the case nor the call.
        audit.record(session, caller.actor, "record reading", f"study {study_id}", number=progress.answered)
        return progress


def _check_confidence(plan: ReadingPlan, confidence: int) -> None:
    if plan.takes(confidence):
        return
    if plan.confidence is ConfidenceScale.FIVE_STEPS:
        raise InputRejected("The confidence is one of five steps: 0, 25, 50, 75 or 100.")
    raise InputRejected("The confidence is a whole number from 0 to 100.")


def _as_stored(
    plan: ReadingPlan, points: Sequence[tuple[float, float]], findings: Sequence[Finding]
) -> tuple[list[list[float]] | None, list[str] | None]:
    """Points and findings as they are stored; None where the study does not ask.

    Raises:
        InputRejected: They are not asked for, or not fit.
    """
    if (points and not plan.asks_points) or (findings and not plan.asks_findings):
        raise InputRejected("This study does not ask for that.")
    if len(points) > MOST_POINTS:
        raise InputRejected(f"At most {MOST_POINTS} sites can be set.")
    if not set(findings) <= set(ASKED_FINDINGS):
        raise InputRejected(f"A finding is one of {', '.join(ASKED_FINDINGS)}.")
    rounded = [[round(float(x), 1), round(float(y), 1)] for x, y in points] if plan.asks_points else None
    return rounded, sorted({finding.value for finding in findings}) if plan.asks_findings else None


def _check_second(session: Session, shown: Presentation, phase: int) -> None:
    if phase > 1 and reading_of(session, shown, 1) is None:
        raise NotFound("No second call is awaited on this case. Open the reading page anew.")


def _check_points(session: Session, study: Study, shown: Presentation, points: Sequence[tuple[float, float]]) -> None:
    if not points:
        return
    image = image_to_read(session, study.id, shown.case_id)
    if image is None or not all(0 <= x <= image.width_px and 0 <= y <= image.height_px for x, y in points):
        raise InputRejected("A site lies on the image.")


def _new_reading(session: Session, study: Study, shown: Presentation, phase: int, active_ms: int | None) -> Reading:
    first = None if phase == 1 else reading_of(session, shown, 1)
    shown_at = shown.shown_at if first is None else first.answered_at
    answered_at = max(utc_now(), shown_at)  # the clock may have been set back in between
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
