"""Where a reader is in a study: the session, the showing that waits, and when the next session opens."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import SessionWaits
from colpo_core.records.people import Actor
from colpo_core.records.studies.readings import ReadingProgress
from colpo_core.services.studies.readers import answered_showings, plan_of, study_orders, withheld_cases
from colpo_core.store.tables import Reading, Study, utc_now
from colpo_core.studies.orders import Showing


@dataclass(frozen=True)
class ReadingPosition:
    """Where a reader is.

    Attributes:
        session: The session that is being read, from 1; the last one when all is read.
        n_sessions: Sessions of the study.
        showing: What waits in the session; None when all sessions are read.
        answered: Answers in the session.
        total: Showings of the session.
        opens_at: When the session may begin, where the washout before it is not over.
        phase: 2 where the showing's first call is locked and its second is awaited.
    """

    session: int
    n_sessions: int
    showing: Showing | None
    answered: int
    total: int
    opens_at: datetime | None = None
    phase: int = 1

    def check_open(self) -> None:
        """Check that the washout is over.

        Raises:
            SessionWaits: It is not; the message has the date.
        """
        if self.opens_at is not None:
            raise SessionWaits(
                f"Session {self.session} of {self.n_sessions} opens for you on {self.opens_at:%Y-%m-%d at %H:%M} UTC. "
                "The days in between are part of the study; your answers so far are kept."
            )


def find_position(session: Session, study: Study, actor: Actor) -> ReadingPosition:
    """Where a reader is in the order of the session that is being read."""
    plan = plan_of(study)
    orders = study_orders(session, study)
    withheld = withheld_cases(session, study, actor.person_id)
    rows = session.execute(
        select(Reading.session, Reading.case_id, Reading.occurrence, Reading.answered_at, Reading.phase).where(
            Reading.study_id == study.id, Reading.reader_id == actor.person_id
        )
    ).all()
    begun = {(number, Showing(case_id, occurrence)) for number, case_id, occurrence, *_ in rows}
    done = {
        (number, Showing(case_id, occurrence))
        for number, case_id, occurrence, _, phase in rows
        if phase == plan.calls_a_showing
    }
    order: tuple[Showing, ...] = ()
    for number in range(1, plan.n_sessions + 1):
        order = tuple(
            showing
            for showing in orders[actor.person_id, number]
            if showing.case_id not in withheld or (number, showing) in begun
        )
        waiting = next((showing for showing in order if (number, showing) not in done), None)
        if waiting is None:
            continue
        answered = sum((number, showing) in done for showing in order)
        opens_at = None
        if number > 1 and not answered:
            before = [at for session_number, _, _, at, _ in rows if session_number < number]
            opens_at = plan.opens_at(max(before)) if before else None
            opens_at = opens_at if opens_at is not None and opens_at > utc_now() else None
        phase = 2 if (number, waiting) in begun else 1
        return ReadingPosition(number, plan.n_sessions, waiting, answered, len(order), opens_at, phase)
    return ReadingPosition(plan.n_sessions, plan.n_sessions, None, len(order), len(order))


def session_progress(session: Session, study: Study, actor: Actor, number: int) -> ReadingProgress:
    """How far a reader is in one session."""
    last = plan_of(study).calls_a_showing
    begun, done = (
        {
            showing
            for in_session, showing in answered_showings(session, study.id, actor.person_id, phase=phase)
            if in_session == number
        }
        for phase in (1, last)
    )
    withheld = withheld_cases(session, study, actor.person_id)
    order = study_orders(session, study)[actor.person_id, number]
    return ReadingProgress(len(done), sum(showing in begun or showing.case_id not in withheld for showing in order))
