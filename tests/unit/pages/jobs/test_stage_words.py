from dataclasses import replace
from datetime import UTC, datetime

import pytest

from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord
from colpo_core.records.models.cards import CONTROLS
from colpo_core.records.training import stages
from colpo_core.records.training.settings import PRESETS
from colpo_core.terms import JobKind, JobState
from pages._ui.jobs.stage_words import MAIN_STAGES, resources_text, side_runs, speed_text, stage_text

AT = datetime(2026, 3, 1, tzinfo=UTC)
QUICK = PRESETS["quick"]


def job(stage: str, **settings: object) -> JobRecord:
    return JobRecord(
        id=1, kind=JobKind.TRAIN, state=JobState.RUNNING, silent=False, settings=replace(QUICK, **settings),
        snapshot_id=1, attempt=1, max_attempts=3, cancel_requested=False, paused=False, priority=0, stage=stage,
        epoch=0, epochs_total=2, progress=0.5, error=None, result=None, created_by="Anna", created_at=AT, started_at=AT,
        finished_at=None,
    )  # fmt: skip


def event(stage: str, **figures: float) -> JobEventRecord:
    return JobEventRecord(id=1, at=AT, stage=stage, epoch=1, figures=figures, message="")


def test_the_stages_of_a_training_are_known_by_their_names() -> None:
    assert list(MAIN_STAGES) == [stages.SEGMENTATION, stages.CLASSIFICATION_3CH, stages.CLASSIFICATION_4CH]
    assert stage_text(stages.fold_stage(0, 3)) == "Fourth channel: segmenter without part 1 of 3"
    assert stage_text(stages.arm_stage(stages.EMPTY, 1)) == "Comparison: an empty channel, training 2"
    assert stage_text(stages.EVALUATION) == "Judging validation and test side"
    assert stage_text("something new") == "Something new"
    assert set(CONTROLS) == set(stages.ARMS)


def test_folds_and_comparison_are_counted_without_the_one_under_way() -> None:
    runs = [stages.arm_stage(arm, run) for arm, run in stages.arm_runs(QUICK)]
    begun = [event(stages.SEGMENTATION), event(stages.fold_stage(0, 2)), event(stages.fold_stage(1, 2))]
    assert side_runs(begun, job(stages.fold_stage(1, 2))) == [
        "Fourth channel: 1 of 2 trainings done",
        "Comparison: 0 of 8 trainings done",
    ]
    begun += [event(stage) for stage in runs]
    assert side_runs(begun, job(runs[-1]))[1] == "Comparison: 7 of 8 trainings done"
    begun.append(event(stages.EVALUATION))
    assert side_runs(begun, job(stages.EVALUATION)) == [
        "Fourth channel: 2 of 2 trainings done",
        "Comparison: 8 of 8 trainings done",
    ]


def test_nothing_is_counted_before_the_start_or_where_there_is_nothing() -> None:
    assert side_runs([], job("")) == []
    assert side_runs([event(stages.SEGMENTATION)], job(stages.SEGMENTATION, protocol="paper")) == []


@pytest.mark.parametrize(("speed", "text"), [(56.58, "57 images a second"), (1.26, "1.3 images a second")])
def test_the_newest_speed_is_told(speed: float, text: str) -> None:
    told = [event(stages.SEGMENTATION, images_per_second=9.0), event("x", images_per_second=speed), event("x")]
    assert speed_text(told) == text
    assert speed_text([event("x")]) == ""


def test_what_a_process_takes_is_told_with_its_gpu_where_it_has_one() -> None:
    assert resources_text([event("x", train_loss=1.0)]) == ""
    assert resources_text([event("x", memory_gb=1.44)]) == "1.4 GB of memory"
    told = event("x", memory_gb=2.0, gpu_memory_gb=11.2, gpu_memory_total_gb=80.0, gpu_load=0.934)
    assert resources_text([event("x", memory_gb=9.0), told]) == "2.0 GB of memory · GPU 93% busy, 11 of 80 GB"
