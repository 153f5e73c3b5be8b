from pathlib import Path

import numpy as np
import pytest
import torch

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import epoch_order
from colpo_core.records.training.stages import SEGMENTATION, fold_stage
from colpo_core.terms import Split
from colpo_core.training import trainer
from colpo_core.training.contract import FitRequest, FitResult, Hyperparameters, Objective
from tests.support.blobs import blobs, tiny
from tests.support.training_runs import opened

Begun = tuple[dict[str, torch.Tensor], Objective, Hyperparameters]

LEARNED, JUDGED = ImageSet((0, 1)), ImageSet((6,))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Begun]:
    """Every fit as it was about to begin: weights, objective and hyperparameters. None of them learns."""
    found: list[Begun] = []

    def fit(request: FitRequest, **_: object) -> FitResult:
        weights = {name: value.clone() for name, value in request.network.state_dict().items()}
        found.append((weights, request.objective, request.hyperparameters))
        return FitResult(1, [{"train_loss": 1.0}])

    monkeypatch.setattr(trainer, "fit", fit)
    return found


def test_one_seed_gives_three_and_four_channels_the_same_weights_order_and_augmentation(
    tmp_path: Path, begun: list[Begun]
) -> None:
    with opened(blobs((6, 2, 2)), tmp_path) as run:
        trainer, frames = run.trainer, run.trainer.frames
        images, validation = ImageSet(tuple(frames.of(Split.TRAIN))), ImageSet((6, 7))
        empty = np.zeros(frames.target.shape[1:], np.uint8)
        torch.manual_seed(123)  # what was drawn before must not matter
        trainer.train_classifier("classification 3 channels", images, validation, channel=None, seed=7)
        torch.manual_seed(321)
        trainer.train_classifier("classification 4 channels", images, validation, channel=lambda place: empty, seed=7)
        trainer.train_classifier(
            "comparison, an empty channel, seed 1", images, validation, channel=lambda place: empty, seed=8
        )
    (three, lesson_3, plan_3), (four, lesson_4, plan_4), (other, lesson_8, plan_8) = begun
    assert three.keys() == four.keys()
    for name, value in three.items():
        assert torch.equal(value, four[name][:, :3] if value.shape != four[name].shape else four[name]), name
    assert any(not torch.equal(value, other[name]) for name, value in four.items())
    assert plan_3 == plan_4
    assert plan_3 != plan_8
    for epoch in range(2):
        order = epoch_order(6, batch_size=4, seed=plan_3.seed, epoch=epoch)
        assert order == epoch_order(6, batch_size=4, seed=plan_4.seed, epoch=epoch)
        for places in order:
            left, right, later = (objective.batch(places, epoch) for objective in (lesson_3, lesson_4, lesson_8))
            assert left.members == right.members
            assert torch.equal(left.images, right.images[:, :3])
            assert not torch.equal(left.images, later.images[:, :3])


def test_all_segmenters_begin_with_the_same_weights(tmp_path: Path, begun: list[Begun]) -> None:
    with opened(blobs((6, 2, 2)), tmp_path) as run:
        trainer = run.trainer
        trainer.train_segmenter(SEGMENTATION, ImageSet((0, 1, 2, 3)), JUDGED)
        torch.rand(5)
        trainer.train_segmenter(fold_stage(0, 2), LEARNED, JUDGED)
    (first, _, _), (second, objective, hyperparameters) = begun
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert (objective.count, hyperparameters.learning_rate) == (2, tiny().learning_rate_segmentation)


def test_a_finished_stage_is_taken_from_the_shelf(tmp_path: Path, begun: list[Begun]) -> None:
    some = blobs((6, 2, 2))
    with opened(some, tmp_path) as run:
        first, how = run.trainer.train_segmenter(SEGMENTATION, LEARNED, JUDGED)
    with opened(some, tmp_path) as run:
        again, kept = run.trainer.train_segmenter(SEGMENTATION, LEARNED, JUDGED)
    assert len(begun) == 1
    assert kept == how
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in first.state_dict().items())
    with opened(some, tmp_path, tiny(seed=9)) as run:
        run.trainer.train_segmenter(SEGMENTATION, LEARNED, JUDGED)
    assert len(begun) == 2


def test_the_settings_reach_the_plan(tmp_path: Path, begun: list[Begun]) -> None:
    settings = tiny(
        segmentation_epochs=7,
        classification_epochs=3,
        early_stopping=2,
        ema_decay=0.5,
        max_gradient_norm=0.25,
        weight_decay=0.125,
        learning_rate_segmentation=0.5,
        learning_rate_classification=0.75,
    )
    with opened(blobs((6, 2, 2)), tmp_path, settings) as run:
        run.trainer.train_segmenter(SEGMENTATION, LEARNED, JUDGED)
        run.trainer.train_classifier("classification 3 channels", LEARNED, JUDGED, channel=None, seed=5)
    common = {"batch_size": 4, "weight_decay": 0.125, "max_gradient_norm": 0.25, "early_stopping": 2, "ema_decay": 0.5}
    assert begun[0][2] == Hyperparameters(epochs=7, learning_rate=0.5, seed=0, **common)  # type: ignore[arg-type]
    assert begun[1][2] == Hyperparameters(epochs=3, learning_rate=0.75, seed=5, **common)  # type: ignore[arg-type]
