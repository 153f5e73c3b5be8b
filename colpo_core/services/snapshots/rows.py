"""Rows of snapshots, their records, and the manifests behind them."""

from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import aliased

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import SnapshotMismatch
from colpo_core.records.copying import copied
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.records.snapshots.snapshots import SnapshotRecord
from colpo_core.records.typed_json import from_values
from colpo_core.store import Store
from colpo_core.store.tables import Person, Snapshot


def snapshot_rows() -> Select[Snapshot, str, str | None]:
    """Snapshots with the names of who froze each and of whose masks count in it."""
    annotator = aliased(Person)
    return (
        select(Snapshot, Person.display_name, annotator.display_name)
        .join(Person, Person.id == Snapshot.created_by)
        .outerjoin(annotator, annotator.id == Snapshot.mask_annotator_id)
    )


def snapshot_record(row: Row[Snapshot, str, str | None]) -> SnapshotRecord:
    """The record of a row of `snapshot_rows`."""
    snapshot, created_by, annotator = row
    return copied(
        SnapshotRecord,
        snapshot,
        counts=dict(snapshot.counts),
        mask_annotator=annotator,
        created_by=created_by,
        shortcuts=None if snapshot.shortcuts is None else stored_shortcuts(snapshot.shortcuts),
    )


def stored_shortcuts(values: dict[str, Any]) -> ShortcutReport:
    """The report of a search for shortcuts that a snapshot keeps."""
    return from_values(ShortcutReport, values, name="the report of a search for shortcuts")


def read_manifest(store: Store, sha256: str) -> Manifest:
    """Read a manifest back and check that it is the one that was frozen.

    Raises:
        NotFound: Its file is missing or damaged.
        SnapshotMismatch: It is not what its hash says, or not what this version reads.
    """
    manifest = Manifest.from_json(store.blobs.get(sha256))
    if manifest.sha256 != sha256:
        raise SnapshotMismatch("The snapshot is not what its hash says. Freeze it again with this version.")
    return manifest
