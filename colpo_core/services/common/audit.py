"""Writing the log of who did what, in the transaction of the deed itself."""

from sqlalchemy.orm import Session

from colpo_core.records.people import Actor
from colpo_core.store.tables import AuditEntry


def record(session: Session, actor: Actor | None, action: str, subject: str, **detail: object) -> None:
    """Add one line to the log.

    Args:
        session: The writing session of the deed: both are stored, or neither.
        actor: Who did it; None for somebody who is not signed in.
        action: A verb and its object, such as `import image`.
        subject: What it was done to, such as `case 12`.
        detail: Further facts; never patient data.
    """
    person_id = actor.person_id if actor else None
    session.add(AuditEntry(person_id=person_id, action=action, subject=subject, detail=detail))
