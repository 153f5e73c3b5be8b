"""What snapshots hold, for tests that look into one."""

from colpo_core.datasets.manifest import Manifest
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots.freezing import SnapshotQuery, freeze_snapshot
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.tables import Snapshot
from tests.support.clinic import Clinic


def manifest_of(store: Store, snapshot_id: int) -> Manifest:
    """The manifest of a snapshot, checked against its hash."""
    with store.reading() as session:
        sha256 = session.get_one(Snapshot, snapshot_id).sha256
    return read_manifest(store, sha256)


def freeze_cohort(caller: Caller, **changes: object) -> int:
    """A snapshot of twelve new cases, half of them HSIL; returns its row."""
    Clinic(caller.store).add_cohort(12, **changes)
    return freeze_snapshot(caller, query=SnapshotQuery("all")).id
