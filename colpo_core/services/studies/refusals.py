"""What readers are refused: written into the log of who did what, and counted for each study that they read in.

The borders ask this: the gate for addresses, the pages' frame for pages. A refusal is answered whether or not it can
be written.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from colpo_core.errors import Busy
from colpo_core.records.studies.conduct import Refusal
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.incidents import log_incident
from colpo_core.services.studies.reader_names import ReaderNames
from colpo_core.services.studies.readers import amended
from colpo_core.store.tables import AuditEntry, Person, Study, StudyReader
from colpo_core.terms import Role, StudyState

ACTION = "refused"
_PATIENCE_MS = 1000
_MAX_WHAT = 200


def note_refusal(caller: Caller, *, what: str) -> None:
    """Write down that a reader was refused something; what others are refused is not written.

    Args:
        caller: Who asked.
        what: The page or the address, without its query.
    """
    if caller.actor.role is not Role.READER:
        return
    try:
        with caller.store.writing(patience_ms=_PATIENCE_MS) as session:
            subjects = [f"study {study_id}" for study_id in open_studies_of(session, caller.person_id)]
            for subject in subjects or [f"person {caller.person_id}"]:
                audit.record(session, caller.actor, ACTION, subject, what=what[:_MAX_WHAT])
    except (OperationalError, Busy) as error:
        log_incident(error)  # the refusal stands, and the log says that it could not be counted


def open_studies_of(session: Session, person_id: int) -> list[int]:
    """The open studies that a person reads in."""
    rows = session.scalars(
        select(Study.id)
        .join(StudyReader, StudyReader.study_id == Study.id)
        .where(StudyReader.person_id == person_id, Study.state == StudyState.OPEN)
        .order_by(Study.id)
    )
    return [study_id for study_id in rows.all() if person_id not in amended(session, study_id).removed]


def list_refusals(session: Session, study_id: int, names: ReaderNames) -> tuple[Refusal, ...]:
    """What a study's readers were refused while it was open, by reader and address."""
    rows: Sequence[Row[int, str, dict[str, Any], datetime]] = session.execute(
        select(Person.id, Person.display_name, AuditEntry.detail, AuditEntry.at)
        .join(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.subject == f"study {study_id}", AuditEntry.action == ACTION)
        .order_by(AuditEntry.id)
    ).all()
    counted: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], datetime] = {}
    for person_id, name, detail, at in rows:
        key = (names.of(person_id, name), str(detail["what"]))
        counted[key] += 1
        last[key] = at
    return tuple(Refusal(*key, times, last[key]) for key, times in counted.items())
