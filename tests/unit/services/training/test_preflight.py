import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from colpo_core.errors import InputRejected, NotFound, PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.services.training import starting
from colpo_core.services.training.preflight import preflight, start_probe
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Job
from colpo_core.terms import JobKind, JobState
from colpo_core.workers import runner
from tests.integration.test_failing_trainings import TINY
from tests.support.clinic import Clinic
from tests.support.store_rows import count

pytestmark = pytest.mark.usefixtures("placed")


@pytest.fixture
def snapshot_id(store: Store, annotator: Caller) -> int:
    Clinic(store).add_cohort(12)
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("all")).id


def test_a_snapshot_that_will_do_has_no_problem(annotator: Caller, snapshot_id: int) -> None:
    found = preflight(annotator, snapshot_id=snapshot_id, settings=TINY)
    assert (found.problems, found.probe, found.outlook) == ((), None, None)
    assert found.disk_needed_bytes == 12 * 64 * 64 * 4
    assert found.disk_free_bytes > 0


def test_what_is_missing_is_said_before_anything_runs(
    store: Store, annotator: Caller, snapshot_id: int, placed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(free=10**6, total=1, used=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    (problem,) = preflight(annotator, snapshot_id=snapshot_id, settings=TINY).problems
    assert "The disk is too full" in problem
    with pytest.raises(InputRejected, match="disk is too full"):
        starting.start_training(annotator, snapshot_id=snapshot_id, settings=TINY)
    assert placed == []
    assert count(store, Job) == 0


def test_a_probe_tells_time_and_memory_and_leaves_no_model(
    store: Store, annotator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    probe = start_probe(annotator, snapshot_id=snapshot_id, settings=TINY)
    assert start_probe(annotator, snapshot_id=snapshot_id, settings=TINY).id == probe.id
    assert placed == [probe.id]
    assert runner.run_job(store, probe.id) == runner.EXIT_DONE
    found = preflight(annotator, snapshot_id=snapshot_id, settings=TINY)
    assert (found.probe.kind, found.probe.state) == (JobKind.PROBE, JobState.DONE)
    outlook = found.outlook
    assert outlook.seconds == pytest.approx(sum(outlook.stage_seconds.values()))
    assert outlook.seconds > 0
    assert outlook.memory_bytes > 50e6
    assert (outlook.device, outlook.precision, outlook.gpu_bytes) == ("cpu", "fp32", None)
    assert found.disk_needed_bytes == 12 * 64 * 64 * 4 + outlook.weights_bytes
    assert preflight(annotator, snapshot_id=snapshot_id, settings=replace(TINY, seed=9)).outlook is None
    assert count(store, Checkpoint) == 0


def test_a_probe_that_fails_says_why(store: Store, annotator: Caller, snapshot_id: int) -> None:
    probe = start_probe(annotator, snapshot_id=snapshot_id, settings=replace(TINY, precision="fp16"))
    assert runner.run_job(store, probe.id) == runner.EXIT_FAILED
    asked = replace(TINY, precision="fp16")
    assert "fp16 needs a GPU" in preflight(annotator, snapshot_id=snapshot_id, settings=asked).problems[0]


def test_who_may_not_train_may_not_look_ahead(reader: Caller, annotator: Caller, snapshot_id: int) -> None:
    for deed in (preflight, start_probe):
        with pytest.raises(PermissionDenied):
            deed(reader, snapshot_id=snapshot_id, settings=TINY)
        with pytest.raises(NotFound):
            deed(annotator, snapshot_id=99, settings=TINY)
