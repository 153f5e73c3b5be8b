from pathlib import Path

import pytest
import torch

from colpo_core.errors import Conflict, InputRejected, LeakageFound, PermissionDenied
from colpo_core.nets.checkpoint import save_checkpoint
from colpo_core.nets.pipeline import build_pipeline
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.jobs.results import EvaluationResult
from colpo_core.records.snapshots.snapshots import SnapshotQuery, SnapshotRecord
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import engine
from colpo_core.services.models import evaluations
from colpo_core.services.snapshots import freezing
from colpo_core.store import Store
from colpo_core.store.tables import Evaluation, Patient
from colpo_core.terms import Grade, JobKind, JobState, Split
from colpo_core.workers.runner import run_job
from tests.support.clinic import Clinic
from tests.support.learned import add_checkpoint
from tests.support.snapshots import manifest_of
from tests.support.store_rows import count, get


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No runner is started by itself."""
    monkeypatch.setattr(engine, "place", lambda _store, _job_id: True)


@pytest.fixture
def learned(clinic: Clinic, annotator: Caller) -> SnapshotRecord:
    clinic.add_cohort(8)
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("learned", fractions=(0.5, 0.25, 0.25)))


@pytest.fixture
def checkpoint_id(store: Store, learned: SnapshotRecord) -> int:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipeline = build_pipeline(PipelineSpec(segnet_width=0.1, height_px=64, width_px=64, threshold_4ch=0.4))
    sha256 = save_checkpoint(store.settings.checkpoints_dir / "model", pipeline, {"name": "model"})
    return add_checkpoint(store, learned.id, sha256=sha256)


def keep(caller: Caller, name: str, case_ids: set[int]) -> int:
    codes = tuple(get(caller.store, Patient, patient_id).code for patient_id in case_ids)
    return freezing.freeze_snapshot(caller, query=SnapshotQuery(name, external=True, patient_codes=codes)).id


def test_each_look_at_an_external_test_set_is_kept_and_counted(
    store: Store, annotator: Caller, learned: SnapshotRecord, checkpoint_id: int, clinic: Clinic
) -> None:
    cases = [clinic.add_case(grades=(grade,)) for grade in (Grade.CIN3, Grade.NORMAL)]
    kept = keep(annotator, "kept", {case.patient_id for case in cases})
    for look in (1, 2):
        job = evaluations.start_evaluation(annotator, checkpoint_id=checkpoint_id, snapshot_id=kept)
        assert job.kind is JobKind.EVALUATE
        if look == 1:
            with pytest.raises(Conflict, match="already under way"):
                evaluations.start_evaluation(annotator, checkpoint_id=checkpoint_id, snapshot_id=kept)
        assert run_job(store, job.id) == 0
        done = jobs.get_job(annotator, job_id=job.id)
        newest = evaluations.list_evaluations(annotator, checkpoint_id=checkpoint_id)[0]
        assert (done.state, done.result) == (JobState.DONE, EvaluationResult(newest.id))
        assert (newest.look, newest.snapshot_name, newest.created_by) == (look, "kept", annotator.actor.display_name)
    first, second = evaluations.list_evaluations(annotator, checkpoint_id=checkpoint_id)
    assert first.metrics == second.metrics
    assert first.metrics["classification_4ch"]["case"]["n"] == 2
    assert first.metrics["classification_4ch"]["case"]["threshold"] == 0.4
    assert first.metrics["segmentation"]["n_images"] == 2
    assert evaluations.list_evaluations(annotator, checkpoint_id=checkpoint_id + 1) == ()


def test_what_its_training_has_seen_and_what_is_no_external_set_is_refused(
    store: Store, annotator: Caller, reader: Caller, learned: SnapshotRecord, checkpoint_id: int
) -> None:
    seen = keep(annotator, "seen", {manifest_of(store, learned.id).of(Split.TRAIN)[0].patient_id})
    with pytest.raises(LeakageFound, match="cannot be judged on “seen”"):
        evaluations.start_evaluation(annotator, checkpoint_id=checkpoint_id, snapshot_id=seen)
    with pytest.raises(InputRejected, match="no external test set"):
        evaluations.start_evaluation(annotator, checkpoint_id=checkpoint_id, snapshot_id=learned.id)
    with pytest.raises(PermissionDenied):
        evaluations.start_evaluation(reader, checkpoint_id=checkpoint_id, snapshot_id=seen)
    assert jobs.list_jobs(annotator) == ()


def test_a_damaged_checkpoint_ends_the_look_with_a_sentence(
    store: Store, annotator: Caller, learned: SnapshotRecord, checkpoint_id: int, clinic: Clinic
) -> None:
    kept = keep(annotator, "kept", {clinic.add_case().patient_id})
    weights = Path(store.settings.checkpoints_dir / "model" / "weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    job = evaluations.start_evaluation(annotator, checkpoint_id=checkpoint_id, snapshot_id=kept)
    assert run_job(store, job.id) == 1
    assert "damaged" in str(jobs.get_job(annotator, job_id=job.id).error)
    assert count(store, Evaluation) == 0
