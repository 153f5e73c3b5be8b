from dataclasses import replace
from datetime import UTC, datetime

import pytest

from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord, seconds_left
from colpo_core.terms import JobKind, JobState

NOW = datetime(2026, 5, 31, tzinfo=UTC)
JOB = JobRecord(
    id=1, kind=JobKind.PREDICT, state=JobState.RUNNING, silent=False, settings=None, snapshot_id=None, attempt=1,
    max_attempts=3, cancel_requested=False, paused=False, priority=0, stage="prediction", epoch=30, epochs_total=90,
    progress=1 / 3, error=None, result=None, created_by="Ada", created_at=NOW, started_at=NOW, finished_at=None,
)  # fmt: skip


def told(*speeds: float | None) -> list[JobEventRecord]:
    figures = [{} if speed is None else {"images_per_second": speed} for speed in speeds]
    return [JobEventRecord(number, NOW, "prediction", number, one, "") for number, one in enumerate(figures)]


def test_the_time_left_is_told_at_the_pace_of_late() -> None:
    assert seconds_left(JOB, told(1.0, None, 4.0, None)) == pytest.approx(60 / 4)


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.RUNNING])
def test_only_what_runs_has_time_left(state: JobState) -> None:
    assert seconds_left(replace(JOB, state=state), told(4.0)) is None


def test_without_a_pace_nothing_is_told() -> None:
    assert seconds_left(JOB, []) is None
    assert seconds_left(JOB, told(None, None)) is None
    assert seconds_left(JOB, told(0.0)) is None
