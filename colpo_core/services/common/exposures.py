"""The exposure ledger: who has seen what of a case that a blinded reader must not know.

Each service through which a person sees a label, a histology, a prediction or somebody else's mask says so here, and
each that annotates. One row a person, case and kind keeps the ledger small.

Looking must not fail because the ledger cannot be written. While somebody else writes for long, what was seen goes to
a file beside the store, line by line and on the disk, and into the ledger with the next look, or before a study asks.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from weakref import WeakKeyDictionary

from filelock import FileLock
from sqlalchemy import case as sql_case
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from colpo_core.errors import Busy
from colpo_core.records.annotations import VersionRecord
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.incidents import log_incident
from colpo_core.store import Store
from colpo_core.store.dialects import insert_or_change
from colpo_core.store.tables import Case, Exposure, Image, utc_now
from colpo_core.terms import ExposureKind

Seen = Iterable[tuple[int, ExposureKind]]
_Line = tuple[int, int, ExposureKind, int]
_PATIENCE_MS = 200
_SAME_LOOK_SECONDS = 60.0
_MOST_REMEMBERED = 100_000
_MOST_AT_ONCE = 10_000
_logger = logging.getLogger(__name__)


class _Looks:
    """What this process has noted of late, so that a page that is drawn again and again writes once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stores: WeakKeyDictionary[Store, dict[_Line, float]] = WeakKeyDictionary()

    def sort_out(self, store: Store, lines: Iterable[_Line]) -> list[_Line]:
        """Those that were not noted within the last minute; they count as noted from now on."""
        now = time.monotonic()
        with self._lock:
            noted = self._stores.setdefault(store, {})
            if len(noted) > _MOST_REMEMBERED:
                noted.clear()
            fresh = [line for line in dict.fromkeys(lines) if now - noted.get(line, -1e9) >= _SAME_LOOK_SECONDS]
            noted.update(dict.fromkeys(fresh, now))
        return fresh


_looks = _Looks()


def note(caller: Caller, seen: Seen, *, within_study: int = 0) -> None:
    """Write down what a person has just seen. It never fails, and never waits long.

    Looks at the same thing within a minute count once.

    Args:
        caller: Who has seen it; no session of theirs may be writing.
        seen: Rows of cases, each with what of it was seen.
        within_study: The study whose own screens showed it, by its design; 0 for everything else.
    """
    store, person_id = caller.store, caller.person_id
    lines = _looks.sort_out(store, [(person_id, case_id, kind, within_study) for case_id, kind in seen])
    if not lines:
        return
    now = utc_now()
    try:
        with store.writing(patience_ms=_PATIENCE_MS) as session:
            _write(session, lines, now)
    except (OperationalError, Busy):
        _put_aside(store, lines, now)
        return
    try:
        settle(store, patience_ms=_PATIENCE_MS)
    except (OperationalError, Busy):
        _logger.info("the exposures that wait are written with the next look")


def note_within(session: Session, actor: Actor, seen: Seen, *, within_study: int = 0) -> None:
    """The same in the transaction of a deed: both are stored, or neither.

    Args:
        session: The writing session of the deed.
        actor: Who has seen or annotated it.
        seen: Rows of cases, each with what of it was seen or done.
        within_study: The study whose own screens showed it; 0 for everything else.
    """
    lines = dict.fromkeys((actor.person_id, case_id, kind, within_study) for case_id, kind in seen)
    _write(session, list(lines), utc_now())


def note_mask_within(session: Session, actor: Actor, image_id: int) -> None:
    """That a person has seen a mask of an image, in the transaction of a deed."""
    note_within(session, actor, [(case_id, ExposureKind.MASK) for case_id in cases_of(session, [image_id])])


def note_images(caller: Caller, image_ids: Iterable[int], *kinds: ExposureKind) -> None:
    """The same by the rows of images."""
    wanted = set(image_ids)
    if wanted:
        with caller.store.reading() as session:
            note(caller, [(case_id, kind) for case_id in cases_of(session, wanted) for kind in kinds])


def note_masks(caller: Caller, versions: Iterable[VersionRecord]) -> None:
    """That a person has seen masks; one's own are no exposure beyond having annotated."""
    theirs = [version.image_id for version in versions if version.author_id != caller.person_id]
    note_images(caller, theirs, ExposureKind.MASK)


def cases_of(session: Session, image_ids: Collection[int]) -> set[int]:
    """The cases of some images."""
    return set(session.scalars(select(Image.case_id).where(Image.id.in_(image_ids))))


def settle(store: Store, *, patience_ms: int = 30_000) -> None:
    """Bring what waits in the file into the ledger; a study asks for this before it asks who has seen what.

    Raises:
        OperationalError: Somebody else writes all the time.
    """
    while (texts := _take_waiting(store)) is not None:
        with store.writing(patience_ms=patience_ms) as session:
            for text in texts:
                _write_text(session, text)
        _taken_path(store).unlink(missing_ok=True)


def _take_waiting(store: Store) -> list[str] | None:
    """The lines that wait; the lock is held for a moment only, because a page that puts some aside waits for it."""
    waiting, taken = _waiting_path(store), _taken_path(store)
    if not waiting.exists() and not taken.exists():
        return None
    with FileLock(_lock_path(store)):
        if not taken.exists():  # one that is there was taken by a process that was killed
            if not waiting.exists():
                return None
            waiting.replace(taken)
        return taken.read_text(encoding="utf-8").splitlines()


def _write(session: Session, lines: list[_Line], at: datetime) -> None:
    for start in range(0, len(lines), _MOST_AT_ONCE):
        _write_some(session, lines[start : start + _MOST_AT_ONCE], at)


def _write_some(session: Session, lines: list[_Line], at: datetime) -> None:
    # A card from elsewhere may name cases that this store does not hold.
    known = set(session.scalars(select(Case.id).where(Case.id.in_({case for _, case, _, _ in lines}))))
    lines = [line for line in lines if line[1] in known]
    if not lines:
        return
    statement = insert_or_change(session, Exposure)
    coming = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[Exposure.person_id, Exposure.case_id, Exposure.kind, Exposure.within_study],
        set_={
            "first_at": sql_case((coming.first_at < Exposure.first_at, coming.first_at), else_=Exposure.first_at),
            "last_at": sql_case((coming.last_at > Exposure.last_at, coming.last_at), else_=Exposure.last_at),
            "times": Exposure.times + 1,
        },
    )
    rows = [
        {"person_id": person, "case_id": case, "kind": kind, "within_study": study}
        | {"first_at": at, "last_at": at, "times": 1}
        for person, case, kind, study in lines
    ]
    session.execute(statement, rows)


def _put_aside(store: Store, lines: list[_Line], at: datetime) -> None:
    try:
        with FileLock(_lock_path(store)), _waiting_path(store).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": at.isoformat(), "lines": lines}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        log_incident(error)  # the disk is full: the page is shown all the same, and the log says what is missing


def _write_text(session: Session, text: str) -> None:
    try:
        record = json.loads(text)
        at = datetime.fromisoformat(record["at"])
        lines = [
            (int(person), int(case), ExposureKind(kind), int(study)) for person, case, kind, study in record["lines"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        log_incident(error)  # a line that a power cut tore apart
        return
    _write(session, lines, at)


def _waiting_path(store: Store) -> Path:
    return store.settings.data_dir / "exposures-waiting.jsonl"


def _taken_path(store: Store) -> Path:
    return store.settings.data_dir / "exposures-taken.jsonl"


def _lock_path(store: Store) -> Path:
    return store.settings.data_dir / "exposures.lock"
