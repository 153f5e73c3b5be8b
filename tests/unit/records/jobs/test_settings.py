"""What each kind of job is to do is kept as it always was, so that jobs which wait in a store run after an update."""

import json
from typing import Any

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.jobs.settings import (
    EvaluationSettings,
    ExplanationSettings,
    ImageChange,
    JobSettings,
    PredictionSettings,
    read_settings,
    settings_of_kind,
    write_settings,
)
from colpo_core.records.training.settings import TrainingSettings, preset
from colpo_core.terms import Change, Finding, JobKind

TRAINING = (
    '{"preset": "quick", "protocol": "patient", "segmenter": "segnet_vgg19", "classifier": "resnet18", '
    '"height_px": 96, "width_px": 128, "segnet_width": 0.25, "segmentation_epochs": 40, "classification_epochs": 10, '
    '"batch_size": 4, "learning_rate_segmentation": 0.0005, "learning_rate_classification": 0.0005, '
    '"weight_decay": 0.0001, "max_gradient_norm": 1.0, "class_weights": "sqrt_median", "early_stopping": 0, '
    '"ema_decay": 0.0, "folds": 2, "comparison_seeds": 2, "threshold_rule": "youden", "flips": true, '
    '"rotation_deg": 20.0, "zoom_out": 0.9, "zoom_in": 1.25, "translation": 0.08, "brightness": 0.2, "gamma": 0.18, '
    '"contrast": 0.0, "hue_deg": 0.0, "blur_px": 0.0, "mask_highlights": false, "precision": "auto", '
    '"compile": "auto", "devices": 1, "pretrained": "none", "average_flips": true, "seed": 0, "threads": 0}'
)
STORED: list[tuple[JobKind, str, JobSettings]] = [
    (JobKind.TRAIN, TRAINING, preset("quick")),
    (JobKind.PROBE, TRAINING, preset("quick")),
    (
        JobKind.PREDICT,
        '{"checkpoint_id": 3, "image_ids": [4, 7], "n_images": 2}',
        PredictionSettings(3, (4, 7), 2),
    ),
    (
        JobKind.PREDICT,
        '{"checkpoint_id": 3, "image_ids": null, "n_images": 7, "after_image_id": 0, "up_to_image_id": 8, "shards": 2, '
        '"first_job_id": 11}',
        PredictionSettings(3, None, 7, after_image_id=0, up_to_image_id=8, shards=2, first_job_id=11),
    ),
    (JobKind.EVALUATE, '{"checkpoint_id": 3, "snapshot_id": 5}', EvaluationSettings(3, 5)),
    (
        JobKind.EXPLAIN,
        '{"prediction_id": 9, "changes": [{"change": "mask_emptied", "finding": null, "version_id": null}, '
        '{"change": "covered", "finding": "acetowhite_epithelium", "version_id": 12}]}',
        ExplanationSettings(
            9,
            (
                ImageChange(Change.MASK_EMPTIED, None, None),
                ImageChange(Change.COVERED, Finding.ACETOWHITE, 12),
            ),
        ),
    ),
]


@pytest.mark.parametrize(("kind", "stored", "settings"), STORED)
def test_the_store_holds_the_same_json_as_ever(kind: JobKind, stored: str, settings: JobSettings) -> None:
    assert read_settings(type(settings), json.loads(stored)) == settings
    assert settings_of_kind(kind, json.loads(stored)) == settings
    assert json.dumps(write_settings(settings)) == stored


def test_every_kind_of_job_is_among_them() -> None:
    assert {kind for kind, _, _ in STORED} == set(JobKind)


def test_a_prediction_of_the_first_version_names_every_image() -> None:
    settings = read_settings(PredictionSettings, {"checkpoint_id": 1, "image_ids": [4, 7, 9]})
    assert settings == PredictionSettings(1, (4, 7, 9), 3)


def test_a_training_of_an_older_version_lacks_the_newer_settings() -> None:
    assert read_settings(TrainingSettings, {"preset": "quick", "seed": 3}) == TrainingSettings(seed=3)


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        (TrainingSettings, {"momentum": 0.9}, "unknown to this version: momentum"),
        (TrainingSettings, {"seed": "three"}, "seed"),
        (PredictionSettings, {}, "checkpoint_id"),
        (EvaluationSettings, {"checkpoint_id": 1}, "snapshot_id"),
        (ExplanationSettings, {"prediction_id": 1, "changes": [{"change": "sharpened"}]}, "change"),
    ],
)
def test_what_another_version_wrote_is_refused_or_passed_over(
    kind: type[JobSettings], values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputRejected, match=sentence):
        read_settings(kind, values)
    of_kind = {TrainingSettings: JobKind.TRAIN, PredictionSettings: JobKind.PREDICT}
    if kind in of_kind:
        assert settings_of_kind(of_kind[kind], values) is None
