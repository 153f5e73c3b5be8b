"""What each kind of job made is kept as it always was."""

import json

import pytest

from colpo_core.records.jobs.results import (
    EvaluationResult,
    ExplanationResult,
    FailedImage,
    JobResult,
    PredictionResult,
    TrainingResult,
    read_result,
    write_result,
)
from colpo_core.records.training.estimates import ResourceEstimate
from colpo_core.terms import JobKind

STORED: list[tuple[JobKind, str, JobResult]] = [
    (JobKind.TRAIN, '{"checkpoint_id": 4, "checkpoint": "first"}', TrainingResult(4, "first")),
    (
        JobKind.PREDICT,
        '{"predicted": 2, "failed": [{"image_id": 1, "reason": "damaged"}]}',
        PredictionResult(2, (FailedImage(1, "damaged"),)),
    ),
    (JobKind.EVALUATE, '{"evaluation_id": 5}', EvaluationResult(5)),
    (JobKind.EXPLAIN, '{"what_ifs": 6}', ExplanationResult(6)),
    (
        JobKind.PROBE,
        '{"seconds": 12.5, "stage_seconds": {"segmentation": 12.5}, "memory_bytes": 7, "gpu_bytes": null, '
        '"gpu_total_bytes": null, "weights_bytes": 8, "device": "cpu", "precision": "fp32"}',
        ResourceEstimate(12.5, {"segmentation": 12.5}, 7, None, None, 8, "cpu", "fp32"),
    ),
]


@pytest.mark.parametrize(("kind", "stored", "result"), STORED)
def test_the_store_holds_the_same_json_as_ever(kind: JobKind, stored: str, result: JobResult) -> None:
    assert read_result(kind, json.loads(stored)) == result
    assert json.dumps(write_result(result)) == stored


def test_every_kind_of_job_is_among_them() -> None:
    assert {kind for kind, _, _ in STORED} == set(JobKind)


def test_before_it_is_done_and_from_another_version_there_is_none() -> None:
    assert read_result(JobKind.TRAIN, {}) is None
    assert read_result(JobKind.TRAIN, {"model": 4}) is None
    assert write_result(None) == {}
