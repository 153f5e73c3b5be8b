"""Where a reader is in a study: the session, the showing that waits, and when the next session opens."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import SessionWaits
from colpo_core.records.people import Actor
from colpo_core.records.studies import ReadingProgress
from colpo_core.services.study_records import plan_of
from colpo_core.store.tables import Reading, Study, StudyCase, StudyReader, utc_now
from colpo_core.studies.orders import Showing, session_orders


@dataclass(frozen=True)
class Place:
    """Where a reader is.

    Attributes:
        session: The session that is being read, from 1; the last one when all is read.
        n_sessions: Sessions of the study.
        showing: What waits in the session; None when all sessions are read.
        answered: Answers in the session.
        total: Showings of the session.
        opens_at: When the session may begin, where the washout before it is not over.
    """

    session: int
    n_sessions: int
    showing: Showing | None
    answered: int
    total: int
    opens_at: datetime | None = None

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


def find_place(session: Session, study: Study, actor: Actor) -> Place:
    """Where a reader is in the order of the session that is being read."""
    cases = session.scalars(select(StudyCase.case_id).where(StudyCase.study_id == study.id)).all()
    readers = session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study.id)).all()
    plan = plan_of(study)
    orders = session_orders(
        cases, readers, seed=study.seed, n_sessions=plan.n_sessions, n_repeats=plan.n_repeats(len(cases))
    )
    rows = session.execute(
        select(Reading.session, Reading.case_id, Reading.occurrence, Reading.answered_at).where(
            Reading.study_id == study.id, Reading.reader_id == actor.person_id
        )
    ).all()
    done = {(number, Showing(case_id, occurrence)) for number, case_id, occurrence, _ in rows}
    order: tuple[Showing, ...] = ()
    for number in range(1, plan.n_sessions + 1):
        order = orders[actor.person_id, number]
        waiting = next((one for one in order if (number, one) not in done), None)
        if waiting is None:
            continue
        answered = sum(one in done for one in ((number, showing) for showing in order))
        opens_at = None
        if number > 1 and not answered:
            last = max(at for session_number, _, _, at in rows if session_number == number - 1)
            opens_at = plan.opens_at(last)
            opens_at = opens_at if opens_at > utc_now() else None
        return Place(number, plan.n_sessions, waiting, answered, len(order), opens_at)
    return Place(plan.n_sessions, plan.n_sessions, None, len(order), len(order))


def session_progress(session: Session, study: Study, actor: Actor, number: int) -> ReadingProgress:
    """How far a reader is in one session."""
    n_cases = len(session.scalars(select(StudyCase.case_id).where(StudyCase.study_id == study.id)).all())
    answered = session.scalars(
        select(Reading.id).where(
            Reading.study_id == study.id, Reading.reader_id == actor.person_id, Reading.session == number
        )
    ).all()
    return ReadingProgress(len(answered), n_cases + plan_of(study).n_repeats(n_cases))
