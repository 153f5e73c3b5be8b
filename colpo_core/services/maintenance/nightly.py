"""Back-ups that are made by themselves: off until an administrator chooses a folder and an hour.

A serving process asks from time to time whether it is time, and makes one in a thread of its own, so that jobs are
looked after meanwhile. One of however many processes does it. After it the whole store is checked once a week.
"""

import logging
import threading
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import ColpoError, InputRejected
from colpo_core.records.maintenance import KEPT_GENERATIONS, BackUpPlan
from colpo_core.services.common import audit
from colpo_core.services.common.actors import OPERATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.maintenance.back_ups import back_up
from colpo_core.services.maintenance.checking import newest_check, walk_store
from colpo_core.store import Store
from colpo_core.store.backup_folder import check_target
from colpo_core.store.tables import BackUpPlan as PlanRow
from colpo_core.store.tables import Person, utc_now

CHECK_EVERY = timedelta(days=7)
MOST_KEPT = 60
_CLOCK_SLACK = timedelta(hours=1)
log = logging.getLogger(__name__)


@allowed(ADMINISTRATORS)
def set_plan(caller: Caller, *, folder: str, hour: int, kept: int = KEPT_GENERATIONS) -> BackUpPlan | None:
    """Let the program back up by itself from now on, or no more.

    Args:
        caller: An administrator.
        folder: Where to, on the machine that serves, an absolute path; empty switches it off.
        hour: At which hour of that machine's clock, 0 to 23.
        kept: How many earlier databases stay in the folder, 1 to 60.

    Raises:
        InputRejected: The folder is no place for a back-up, or a number is out of range; or the database is not here.
    """
    place = folder.strip()
    if place:
        _check(caller.store, place, hour, kept)
        Path(place).mkdir(mode=0o700, exist_ok=True)  # that it is gone at night says that its disk is
    with caller.store.writing() as session:
        row = PlanRow(is_on=bool(place), folder=place, hour=hour, kept=kept, set_by=caller.person_id)
        session.add(row)
        detail = {"folder": place, "hour": hour, "kept": kept} if place else {}
        audit.record(session, caller.actor, "back up by itself" if place else "back up no more", "store", **detail)
    return get_plan(caller)


@allowed(ADMINISTRATORS)
def get_plan(caller: Caller) -> BackUpPlan | None:
    """When the store is backed up by itself; None where it is not."""
    with caller.store.reading() as session:
        row = _newest(session)
        if row is None or not row.is_on:
            return None
        name = session.get_one(Person, row.set_by).display_name
        return BackUpPlan(row.folder, row.hour, row.kept, name, row.set_at)


def back_up_if_due(store: Store) -> threading.Thread | None:
    """Begin the night's back-up where it is time; whoever supervises the jobs asks this from time to time.

    Returns:
        The thread that makes it, or None.
    """
    plan = _take(store, utc_now())
    if plan is None:
        return None
    thread = threading.Thread(target=_make, args=(store, plan), name="back-up", daemon=True)
    thread.start()
    return thread


def _make(store: Store, plan: PlanRow) -> None:
    actor = program_actor(store, OPERATOR)
    try:
        back_up(Caller(store, actor), folder=Path(plan.folder), kept=plan.kept, must_exist=True)
        with store.reading() as session:
            checked = newest_check(session)
        if checked is None or utc_now() - checked[0] >= CHECK_EVERY:
            walk_store(store, actor)
    except ColpoError:
        # Why stands in the log of who did what and on the home page.
        log.exception("the back-up by itself failed")


def _take(store: Store, now: datetime) -> PlanRow | None:
    """The plan, for one of however many processes, where a back-up is due."""
    with store.reading() as session:
        if not _is_due(_newest(session), now):
            return None
    with store.writing() as session:
        row = _newest(session)
        if row is None or not _is_due(row, now):
            return None
        row.last_begun_at = now
        return row


def _is_due(row: PlanRow | None, now: datetime) -> bool:
    if row is None or not row.is_on:
        return False
    local = now.astimezone()
    moment = local.replace(hour=row.hour, minute=0, second=0, microsecond=0)
    if moment > local:
        moment -= timedelta(days=1)
    # What lies in the future is from before the clock was put back.
    since = [at for at in (row.set_at, row.last_begun_at) if at is not None and at <= now + _CLOCK_SLACK]
    return not since or max(since) < moment


def _newest(session: Session) -> PlanRow | None:
    return session.scalar(select(PlanRow).order_by(PlanRow.id.desc()).limit(1))


def _check(store: Store, folder: str, hour: int, kept: int) -> None:
    if store.settings.database_url:
        raise InputRejected("The database lies on PostgreSQL: back it up there, such as with pg_dump.")
    if not Path(folder).is_absolute():
        raise InputRejected("Name the folder by its whole path, such as /mnt/back-up/colpodesk.")
    if not Path(folder).parent.is_dir():
        raise InputRejected(f"There is no folder {Path(folder).parent} on the machine that serves.")
    if not 0 <= hour <= 23:
        raise InputRejected("The hour lies between 0 and 23.")
    if not 1 <= kept <= MOST_KEPT:
        raise InputRejected(f"Between 1 and {MOST_KEPT} earlier databases can be kept.")
    check_target(store.settings, Path(folder))
