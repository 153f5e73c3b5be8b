"""Back-ups: making one while the program runs, making a store of one, and when the last one was made."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import ColpoError, DiskRefuses, InputRejected, NotFound, StoreMismatch
from colpo_core.records.maintenance import KEPT_GENERATIONS, BackUpFacts, BackUpState, Healed
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.actors import OPERATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.machine_errors import disk_error
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, allowed
from colpo_core.services.maintenance.checking import newest_check
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store import backup as copies
from colpo_core.store.case_summaries import sum_up
from colpo_core.store.tables import AuditEntry, CaseAgreement, Person, utc_now

_DEED = "back up store"
_FAILED = "fail to back up store"
OLD_AFTER = timedelta(days=7)
"""A clinic that loses more than a week of painting and histology does not get it back."""


@allowed(ADMINISTRATORS)
def back_up(
    caller: Caller, *, folder: Path, verify: bool = False, kept: int = KEPT_GENERATIONS, must_exist: bool = False
) -> BackUpFacts:
    """Copy the store into a folder, or bring the copy there up to the present, while everybody goes on.

    Args:
        caller: An administrator, or the program itself.
        folder: Where to.
        verify: Read every file, and not only those that are new, changed or not read for a week.
        kept: How many earlier databases stay in the folder.
        must_exist: Whether a missing folder is a disk that is not there, and not to be made.

    Raises:
        NotFound: The folder that must exist does not.
        InputRejected: The folder lies in the store or around it, or holds something else.
        Conflict: The folder holds another store's back-up or more of this one, another back-up is under way, or the
            copied database is not whole.
        StoreDamaged: The folder's disk does not keep what is written.
        DiskRefuses: The folder's disk is full, or cannot be written or read.
    """
    exposures.settle(caller.store)  # what waits in a file beside the store belongs to it
    try:
        if must_exist and not folder.is_dir():
            raise NotFound(f"The folder {folder} is not there. Look whether its disk is connected.")
        with _telling_disk(folder):
            facts = copies.back_up(caller.store.settings, folder, verify=verify, kept=kept)
    except ColpoError as error:
        with caller.store.writing() as session:
            audit.record(session, caller.actor, _FAILED, "store", reason=str(error))
        raise
    with caller.store.writing() as session:
        detail = {"files": facts.files, "bytes": facts.size_bytes, "damaged": len(facts.faults), "all_read": verify}
        audit.record(session, caller.actor, _DEED, "store", **detail)
    return facts


def restore(settings: Settings, *, folder: Path, generation: str | None = None) -> BackUpFacts:
    """Make a store from a back-up in the empty folder that the settings name, end all sign-ins, and write it down.

    Raises:
        NotFound: There is no back-up in the folder, or no such generation.
        Conflict: The store's folder is not empty, or the back-up's database is not the one that was written.
        DiskRefuses: The disk is full, or cannot be written or read; asked again it goes on.
    """
    with _telling_disk(settings.data_dir):
        facts = copies.restore(folder, settings, generation=generation)
    try:
        store = Store.open(settings, make=False)
    except StoreMismatch:
        return facts  # of an older version of the program: it has to be upgraded before anything is written
    try:
        actor = program_actor(store, OPERATOR)
        with store.writing() as session:
            detail = {"made_at": facts.made_at.isoformat(), "lacking": len(facts.faults)}
            audit.record(session, actor, "restore store", "store", **detail)
    finally:
        store.close()
    return facts


@allowed(ADMINISTRATORS)
def heal(caller: Caller, *, folder: Path | None, on_file: Callable[[str], object] = lambda _place: None) -> Healed:
    """Put files back that are missing or damaged in the store and whole in a back-up, and count anew what is counted.

    Args:
        caller: An administrator.
        folder: The back-up; None to count anew alone.
        on_file: Told the place of each file that was put back.

    Raises:
        InputRejected: The database or the files lie elsewhere than in the store's folder.
    """
    if folder and (caller.store.settings.database_url or caller.store.files is not None):
        raise InputRejected("The store's files are not in its folder alone: put them back where they are shared.")
    healed = Healed((), ())
    if folder:
        with _telling_disk(caller.store.settings.data_dir):
            healed = copies.heal(caller.store.settings, folder, on_file=on_file)
    with caller.store.writing() as session:
        sum_up(session, None)
        session.query(CaseAgreement).delete()  # made anew when somebody asks
        audit.record(session, caller.actor, "heal store", "store", healed=len(healed.healed), left=len(healed.left))
    return healed


@allowed(CLINICIANS)
def last_back_up(caller: Caller) -> BackUpState:
    """When the store was backed up and checked last, by the log, and whether one has failed since."""
    with caller.store.reading() as session:
        made, failed, checked = _newest(session, _DEED), _newest(session, _FAILED), newest_check(session)
    entry, name = made or (None, "")
    failure = failed[0] if failed and (entry is None or failed[0].id > entry.id) else None
    return BackUpState(
        at=entry.at if entry else None,
        by=name,
        is_old=entry is None or utc_now() - entry.at > OLD_AFTER,
        n_faults=int(entry.detail.get("damaged", 0)) if entry else 0,
        failed_at=failure.at if failure else None,
        failure=str(failure.detail.get("reason", "")) if failure else "",
        checked_at=checked[0] if checked else None,
        n_check_faults=checked[1] if checked else 0,
    )


@contextmanager
def _telling_disk(target: Path) -> Iterator[None]:
    """Say in a sentence that a disk is full or cannot be written: files are written whole or not at all.

    SQLite, which writes the database itself, has errors of its own for it.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and disk_error(error) is None:
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DiskRefuses(
            f"{target} cannot be written or read: {reason}. What was whole before is whole still. Make room or look at "
            "the disk, and do it again."
        ) from error


def _newest(session: Session, action: str) -> tuple[AuditEntry, str] | None:
    query = (
        select(AuditEntry, Person.display_name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.subject == "store", AuditEntry.action == action)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], row[1] or "")
