"""Stages come back from their stored names."""

import pytest

from colpo_core.records.training import stages
from colpo_core.records.training.settings import preset
from colpo_core.records.training.stages import StageKind, TrainingStage, arm_stage, fold_stage, read_stage

STORED = {
    "segmentation": TrainingStage(StageKind.SEGMENTATION),
    "segmentation without fold 2 of 3": TrainingStage(StageKind.FOLD, number=2, total=3),
    "classification 3 channels": TrainingStage(StageKind.CLASSIFICATION_3CH),
    "classification 4 channels": TrainingStage(StageKind.CLASSIFICATION_4CH),
    "comparison, an empty channel, seed 1": TrainingStage(StageKind.COMPARISON, number=1, arm_title="an empty channel"),
    "evaluation": TrainingStage(StageKind.EVALUATION),
}


@pytest.mark.parametrize(("name", "stage"), STORED.items())
def test_a_stored_name_is_a_stage_and_back(name: str, stage: TrainingStage) -> None:
    assert read_stage(name) == stage
    assert stage.name == name


def test_the_names_are_those_of_a_training() -> None:
    assert {stage.kind for stage in STORED.values()} == set(StageKind)
    assert fold_stage(1, 3) == "segmentation without fold 2 of 3"
    assert arm_stage(stages.EMPTY, 0) == "comparison, an empty channel, seed 1"
    assert all(read_stage(arm_stage(*run)) is not None for run in stages.arm_runs(preset("standard")))


def test_what_is_no_stage_of_a_training_is_none() -> None:
    assert read_stage("prediction") is None
