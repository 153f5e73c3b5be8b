"""Checking the store as a whole: every file that a row names, every seal, what is kept counted, the database itself.

Nothing is changed by it; what it found last is kept, so that pages can show it.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from colpo_core.errors import CheckpointMismatch, ColpoError, NotFound
from colpo_core.images.masks import mask_sha256
from colpo_core.records.maintenance import CheckReport, FaultKind, StoreFault
from colpo_core.records.people import Actor
from colpo_core.records.typed_json import from_values, to_values
from colpo_core.services.cases import lowest_agreement
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.models.files import verify_files
from colpo_core.services.models.registry import read_checkpoint
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.services.studies.rows import check_seal
from colpo_core.store import Store
from colpo_core.store.case_summaries import differing_summaries
from colpo_core.store.schema import APPEND_ONLY
from colpo_core.store.tables import AuditEntry, Checkpoint, Mask, Snapshot, StoreCheck, Study, utc_now
from colpo_core.store.walk import Ask, FileState, NamedFile, named_blobs, named_files, state_of, unnamed_files
from colpo_core.terms import StudyState

_IN_FLIGHT_SECONDS = 3600.0
_MASKS_AT_ONCE = 500
_MOST_UNNAMED = 1_000
_PUT_BACK = "Put it back from a back-up with `python -m colpo_core store heal FOLDER`"
_COUNT_ANEW = "Run `python -m colpo_core store heal`, which counts it anew."
_RESTORE = "Restore the newest sound back-up into another folder."


@allowed(ADMINISTRATORS)
def check_store(caller: Caller, *, on_file: Callable[[int, int], object] = lambda _done, _total: None) -> CheckReport:
    """Walk over the whole store, and keep what was found.

    Args:
        caller: An administrator.
        on_file: Told from time to time how many of how many files have been read.
    """
    return walk_store(caller.store, caller.actor, on_file=on_file)


def walk_store(
    store: Store, actor: Actor | None, *, on_file: Callable[[int, int], object] = lambda _done, _total: None
) -> CheckReport:
    """Walk over the whole store for somebody, or for the program itself, and keep what was found."""
    begun_at = utc_now()
    faults = list(_database_faults(store))
    files = _named(store)
    size_bytes = 0
    for number, file in enumerate(files, start=1):
        state, n_bytes = _look(store, file)
        size_bytes += n_bytes
        if state is not FileState.WHOLE:
            kind = FaultKind.MISSING if state is FileState.MISSING else FaultKind.DAMAGED
            sentence = f"{file.what[0].upper()}{file.what[1:]} is {state.value}. {_PUT_BACK}: {file.place}"
            faults.append(StoreFault(kind, file.place, sentence))
        if number % 100 == 0 or number == len(files):
            on_file(number, len(files))
    for faults_of in (_checkpoint_faults, _manifest_faults, _mask_faults, _seal_faults, _count_faults, log_faults):
        faults += faults_of(store)
    report = CheckReport(begun_at, utc_now(), len(files), size_bytes, tuple(faults), _unnamed(store, files))
    _keep(store, actor, report)
    return report


@allowed(ADMINISTRATORS)
def last_check(caller: Caller) -> CheckReport | None:
    """What was found when the store was checked last; None where it never was."""
    with caller.store.reading() as session:
        row = session.scalar(select(StoreCheck).order_by(StoreCheck.id.desc()).limit(1))
    if row is None:
        return None
    faults = tuple(from_values(StoreFault, fault, name="a fault of the store") for fault in row.faults)
    return CheckReport(row.begun_at, row.finished_at, row.n_files, row.size_bytes, faults, tuple(row.unnamed))


def newest_check(session: Session) -> tuple[datetime, int] | None:
    """When the store was checked last, and how much was found wrong; None where it never was."""
    row = session.scalar(select(StoreCheck).order_by(StoreCheck.id.desc()).limit(1))
    return None if row is None else (row.finished_at, len(row.faults))


def _keep(store: Store, actor: Actor | None, report: CheckReport) -> None:
    with store.writing() as session:
        session.add(
            StoreCheck(
                begun_at=report.begun_at,
                finished_at=report.finished_at,
                person_id=None if actor is None else actor.person_id,
                n_files=report.n_files,
                size_bytes=report.size_bytes,
                faults=[to_values(fault) for fault in report.faults],
                unnamed=list(report.unnamed[:_MOST_UNNAMED]),
            )
        )
        audit.record(session, actor, "check store", "store", files=report.n_files, faults=len(report.faults))


def _database_faults(store: Store) -> Iterator[StoreFault]:
    if store.settings.database_url:
        return  # PostgreSQL checks its pages and its keys by itself
    with store.reading() as session:
        for (found,) in session.execute(text("PRAGMA integrity_check(20)")):
            if found != "ok":
                yield StoreFault(FaultKind.DATABASE, "database", f"The database is damaged: {found}. {_RESTORE}")
        for table, row, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
            sentence = f"Row {row} of {table} names a row of {parent} that is not there. {_RESTORE}"
            yield StoreFault(FaultKind.DATABASE, f"{table} {row}", sentence)


def _asking(session: Session) -> Ask:
    return lambda query: session.execute(text(query))


def _named(store: Store) -> list[NamedFile]:
    with store.reading() as session:
        if store.files is not None:  # shared checkpoints are asked for by their own way, below
            return list(named_blobs(_asking(session)))
        return list(named_files(_asking(session), store.settings.data_dir))


def _look(store: Store, file: NamedFile) -> tuple[FileState, int]:
    if store.files is None:
        path = store.settings.data_dir / file.place
        state = state_of(store.settings.data_dir, file)
        return state, path.stat().st_size if state is FileState.WHOLE else 0
    try:
        return FileState.WHOLE, len(store.blobs.get(file.sha256))
    except NotFound:
        return FileState.MISSING if store.files.size(file.place) is None else FileState.DAMAGED, 0


def _checkpoint_faults(store: Store) -> Iterator[StoreFault]:
    """Of shared checkpoints; those of the store's folder are among the files that rows name."""
    if store.files is None:
        return
    with store.reading() as session:
        ids = session.scalars(select(Checkpoint.id).order_by(Checkpoint.id)).all()
    for checkpoint_id in ids:
        try:
            verify_files(store, read_checkpoint(store, checkpoint_id))
        except CheckpointMismatch as error:
            yield StoreFault(FaultKind.DAMAGED, f"checkpoint {checkpoint_id}", str(error))


def _manifest_faults(store: Store) -> Iterator[StoreFault]:
    with store.reading() as session:
        rows = session.execute(select(Snapshot.id, Snapshot.sha256).order_by(Snapshot.id)).all()
    for snapshot_id, sha256 in rows:
        try:
            read_manifest(store, sha256)
        except NotFound:  # its file was named above
            continue
        except ColpoError as error:
            yield StoreFault(FaultKind.CONTENT, f"snapshot {snapshot_id}", f"Snapshot {snapshot_id}: {error}")


def _mask_faults(store: Store) -> Iterator[StoreFault]:
    last = 0
    while True:
        with store.reading() as session:
            query = select(Mask.id, Mask.sha256, Mask.rle).where(Mask.id > last).order_by(Mask.id).limit(_MASKS_AT_ONCE)
            masks = session.execute(query).all()
        if not masks:
            return
        for mask_id, sha256, code in masks:
            if mask_sha256(code) != sha256:
                sentence = f"Mask {mask_id} no longer is what was painted. {_RESTORE}"
                yield StoreFault(FaultKind.CONTENT, f"mask {mask_id}", sentence)
        last = masks[-1][0]


def _seal_faults(store: Store) -> Iterator[StoreFault]:
    with store.reading() as session:
        for study in session.scalars(select(Study).where(Study.state != StudyState.DRAFT).order_by(Study.id)).all():
            try:
                check_seal(session, study)
            except ColpoError as error:
                yield StoreFault(FaultKind.SEAL, f"study {study.id}", f"Study {study.id}: {error}")


def _count_faults(store: Store) -> Iterator[StoreFault]:
    with store.reading() as session:
        differing = dict.fromkeys(differing_summaries(session), "its line in lists")
        differing |= dict.fromkeys(lowest_agreement.differing(session), "how its annotators agree")
    for case_id, what in sorted(differing.items()):
        sentence = f"Of case {case_id}, {what} is not what counting anew gives. {_COUNT_ANEW}"
        yield StoreFault(FaultKind.COUNT, f"case {case_id}", sentence)


def log_faults(store: Store) -> Iterator[StoreFault]:
    """What is wrong with the log of who did what: whatever proves that nobody has changed it is asked here."""
    if store.settings.database_url:
        return  # its numbers have gaps where a deed was taken back, and its triggers have other names
    with store.reading() as session:
        found = set(session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
        has = set(inspect(session.connection()).get_table_names())
        for table in APPEND_ONLY:
            for action in ("update", "delete"):
                if table in has and f"{table}_refuses_{action}" not in found:
                    sentence = (
                        f"The database no longer refuses to {action} rows of {table}: somebody has taken that out. "
                        f"{_RESTORE}"
                    )
                    yield StoreFault(FaultKind.LOG, table, sentence)
        after = AuditEntry.id.label("number")
        numbers = session.scalars(select(after).order_by(after)).all()
    for before, number in zip((0, *numbers), numbers, strict=False):
        if number != before + 1:
            sentence = f"Lines {before + 1} to {number - 1} of the log are gone. {_RESTORE}"
            yield StoreFault(FaultKind.LOG, f"log {before + 1}", sentence)


def _unnamed(store: Store, files: list[NamedFile]) -> tuple[str, ...]:
    if store.files is not None:
        return ()  # copies of shared files come and go
    folder, before = store.settings.data_dir, time.time() - _IN_FLIGHT_SECONDS
    found = [
        place for place in unnamed_files(folder, (file.place for file in files)) if _is_older(folder / place, before)
    ]
    named_since = {file.place for file in _named(store)} if found else set()
    return tuple(place for place in found if place not in named_since)


def _is_older(path: Path, moment: float) -> bool:
    """Whether a file is from before a moment; what is younger may belong to a row that is being written."""
    try:
        return path.stat().st_mtime < moment
    except FileNotFoundError:
        return False
