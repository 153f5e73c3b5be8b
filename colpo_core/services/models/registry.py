"""The registry of checkpoints: publish and list. The newest promotion names the clinic's current model."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from colpo_core.nets.card import read_card
from colpo_core.records.copying import copied
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.models.files import place_files
from colpo_core.services.snapshots.learned import record_learned
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.facts import find_one
from colpo_core.store.tables import Checkpoint, Job, Promotion, Snapshot
from colpo_core.terms import ExposureKind

# What of a card names cases: those that a network calls both ways, and every test case with its label.
_FLIPS, _PREDICTIONS = "flips", "predictions"


@allowed(CLINICIANS)
def list_checkpoints(caller: Caller) -> tuple[CheckpointRecord, ...]:
    """All checkpoints, newest first; their cards without the rows that name cases."""
    with caller.store.reading() as session:
        current = current_id(session)
        rows = session.execute(_checkpoints().order_by(Checkpoint.id.desc()))
        return tuple(_without(_record(row, current), _FLIPS, _PREDICTIONS) for row in rows)


@allowed(CLINICIANS)
def find_checkpoint(caller: Caller, *, name: str) -> CheckpointRecord:
    """The checkpoint of a name or a number; its card without the rows that name cases.

    Raises:
        NotFound: There is no such checkpoint.
    """
    if name.strip().isdecimal():
        return _without(read_checkpoint(caller.store, int(name)), _FLIPS, _PREDICTIONS)
    with caller.store.reading() as session:
        row = find_one(session, _checkpoints().where(Checkpoint.name == name.strip()), name)
        return _without(_record(row, current_id(session)), _FLIPS, _PREDICTIONS)


@allowed(CLINICIANS)
def get_checkpoint(caller: Caller, *, checkpoint_id: int) -> CheckpointRecord:
    """One checkpoint, with the cases that a network calls both ways, which count as seen.

    Raises:
        NotFound: There is no such checkpoint.
    """
    record = _without(read_checkpoint(caller.store, checkpoint_id), _PREDICTIONS)
    exposures.note(caller, [(case_id, ExposureKind.PREDICTION) for case_id in _cases_in(record.card, _FLIPS)])
    return record


@allowed(CLINICIANS)
def whole_checkpoint(caller: Caller, *, checkpoint_id: int) -> CheckpointRecord:
    """One checkpoint with all that its card holds, such as the label and prediction of every test case.

    Raises:
        NotFound: There is no such checkpoint.
    """
    record = read_checkpoint(caller.store, checkpoint_id)
    judged = _cases_in(record.card, _PREDICTIONS)
    seen = [(case_id, ExposureKind.LABEL) for case_id in judged]
    seen += [(case_id, ExposureKind.PREDICTION) for case_id in judged | _cases_in(record.card, _FLIPS)]
    exposures.note(caller, seen)
    return record


def read_checkpoint(store: Store, checkpoint_id: int) -> CheckpointRecord:
    """One checkpoint for another service, which shows nobody its card: nothing counts as seen.

    Raises:
        NotFound: There is no such checkpoint.
    """
    with store.reading() as session:
        row = find_one(session, _checkpoints().where(Checkpoint.id == checkpoint_id), checkpoint_id)
        return _record(row, current_id(session))


def _without(record: CheckpointRecord, *names: str) -> CheckpointRecord:
    """The record, its card without rows of these names, wherever they stand in it."""
    return replace(record, card={key: _sifted(part, names) for key, part in record.card.items()})


def _sifted(part: Any, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if not isinstance(part, dict):
        return part
    return {
        key: [] if key in names and isinstance(value, list) else _sifted(value, names) for key, value in part.items()
    }


def _cases_in(part: Any, name: str) -> frozenset[int]:  # noqa: ANN401 - JSON has no narrower type
    """The cases that rows of a name tell of, wherever in a card they stand."""
    if not isinstance(part, dict):
        return frozenset()
    cases: frozenset[int] = frozenset()
    for key, value in part.items():
        if key == name and isinstance(value, list):
            cases |= {int(row["case_id"]) for row in value if row.get("case_id") is not None}
        else:
            cases |= _cases_in(value, name)
    return cases


def current_checkpoint(store: Store) -> CheckpointRecord | None:
    """The clinic's current model, or None before the first promotion."""
    with store.reading() as session:
        current = current_id(session)
        if current is None:
            return None
        return _record(session.execute(_checkpoints().where(Checkpoint.id == current)).one(), current)


def publish_checkpoint(session: Session, store: Store, *, job: Job, prepared: Path) -> Checkpoint:
    """Move a checkpoint into its place and enter it in the registry, within the runner's fenced transaction.

    Whom and what it has learned from is written down with it.

    A folder without a row is what a crash between the two left; it is replaced.

    Args:
        session: The transaction that holds the job's lease.
        store: The open store.
        job: The training that made it.
        prepared: What `checkpoint_files.prepare_files` returned.

    Raises:
        CheckpointMismatch: The folder's card is damaged.
        NotFound: The manifest of its snapshot is missing or damaged.
        SnapshotMismatch: That manifest is not what its hash says.
    """
    card = read_card(prepared)
    snapshot = session.get_one(Snapshot, job.snapshot_id)
    manifest = read_manifest(store, snapshot.sha256)
    name = str(card["name"])
    if session.scalar(select(Checkpoint.id).where(Checkpoint.name == name)) is not None:
        name = f"{name}-{job.id}"
    place_files(store, prepared, name=name, sha256=card["sha256"])
    checkpoint = Checkpoint(
        name=name,
        sha256=card["sha256"],
        snapshot_id=snapshot.id,
        job_id=job.id,
        label_source=snapshot.label_source,
        simulated=snapshot.simulated,
        card=card,
    )
    session.add(checkpoint)
    session.flush()
    record_learned(session, checkpoint, manifest)
    return checkpoint


def _checkpoints() -> Select[Checkpoint, str, datetime]:
    promoted = select(func.max(Promotion.at)).where(Promotion.checkpoint_id == Checkpoint.id).scalar_subquery()
    return select(Checkpoint, Snapshot.name, promoted).join(Snapshot, Snapshot.id == Checkpoint.snapshot_id)


def _record(row: Row[Checkpoint, str, datetime], current: int | None) -> CheckpointRecord:
    checkpoint, snapshot_name, promoted_at = row
    return copied(
        CheckpointRecord,
        checkpoint,
        snapshot_name=snapshot_name,
        card=dict(checkpoint.card),
        promoted_at=promoted_at,
        is_current=checkpoint.id == current,
    )
