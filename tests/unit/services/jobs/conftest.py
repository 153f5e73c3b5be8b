"""A snapshot that is fit to learn from."""

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from tests.support.clinic import Clinic


@pytest.fixture
def snapshot_id(clinic: Clinic, annotator: Caller) -> int:
    clinic.add_cohort(8)
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("first")).id
