"""What the tests of promotions share."""

from collections.abc import Callable
from typing import Any

import pytest

from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import engine
from colpo_core.services.models import files as checkpoint_files
from colpo_core.services.snapshots import freezing
from colpo_core.store import Store
from tests.support.clinic import Clinic, make_card
from tests.support.learned import add_checkpoint
from tests.support.promotable import sound

Publish = Callable[..., int]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No runner is started, and a checkpoint's files are not looked at."""
    monkeypatch.setattr(engine, "place", lambda _store, _job_id: True)
    monkeypatch.setattr(checkpoint_files, "verify_files", lambda _store, _checkpoint: None)


@pytest.fixture
def publish(store: Store, annotator: Caller, clinic: Clinic) -> Publish:
    clinic.add_cohort(8)
    snapshot = freezing.freeze_snapshot(annotator, query=SnapshotQuery("s"))

    def published(
        name: str = "model", metrics: dict[str, Any] | None = None, *, snapshot_id: int = snapshot.id, **card: object
    ) -> int:
        content = make_card() | {"thresholds": {"4ch": 0.5}} | card
        content["metrics"] |= sound() | (metrics or {})  # type: ignore[operator]
        return add_checkpoint(store, snapshot_id, name, sha256=name[-1] * 64, card=content)

    return published
