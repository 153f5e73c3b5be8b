"""Back-ups: making one while the program runs, and when the last one was made."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from colpo_core.records.maintenance import BackUpFacts, BackUpState
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, allowed
from colpo_core.store import backup as copies
from colpo_core.store.tables import AuditEntry, Person, utc_now

_DEED = "back up store"
OLD_AFTER = timedelta(days=7)
"""A clinic that loses more than a week of painting and histology does not get it back."""


@allowed(ADMINISTRATORS)
def back_up(caller: Caller, *, folder: Path) -> BackUpFacts:
    """Copy the store into a folder, or bring the copy there up to the present, while everybody goes on.

    Raises:
        InputRejected: The folder lies in the store or around it, or holds something else.
        Conflict: The copied database is not whole.
    """
    exposures.settle(caller.store)  # what waits in a file beside the store belongs to it
    facts = copies.back_up(caller.store.settings, folder)
    with caller.store.writing() as session:
        detail = {"files": facts.files, "bytes": facts.size_bytes, "damaged": len(facts.damaged)}
        audit.record(session, caller.actor, _DEED, "store", **detail)
    return facts


@allowed(CLINICIANS)
def last_back_up(caller: Caller) -> BackUpState:
    """When the store was backed up last, by the log."""
    query = (
        select(AuditEntry, Person.display_name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.subject == "store", AuditEntry.action == _DEED)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    with caller.store.reading() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        return BackUpState(None, "", is_old=True, n_damaged=0)
    entry, name = row
    is_old = utc_now() - entry.at > OLD_AFTER
    return BackUpState(entry.at, name or "", is_old=is_old, n_damaged=int(entry.detail.get("damaged", 0)))
