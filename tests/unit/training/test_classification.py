from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from colpo_core.datasets.frames import ACETOWHITE, Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import FourthChannel
from colpo_core.errors import JobCancelled
from colpo_core.nets.registry import build_classifier
from colpo_core.terms import Label, Split
from colpo_core.training.classification import (
    ClassificationObjective,
    classes_of,
    classification_objective,
    image_logits,
)
from colpo_core.training.contract import FitResult, Hyperparameters
from colpo_core.training.loop import reproducible
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.stage_splits import images_of_split
from tests.support.blobs import batches_of, blobs
from tests.support.training_runs import fit_quietly, quiet_progress, stopping_after


def truth_channel(frames: Frames) -> FourthChannel:
    return lambda place: (frames.target[place] == ACETOWHITE).astype(np.uint8) * 255


def objective_of(frames: Frames, *, channel: FourthChannel | None = None) -> ClassificationObjective:
    sides = [images_of_split(frames, split).labels for split in (Split.TRAIN, Split.VALIDATION)]
    how = {"channel": channel, "batch_size": 4, "seed": 1, "progress": quiet_progress()}
    return classification_objective(frames, batches_of(frames), *sides, **how)


def train(channels: int, frames: Frames, *, epochs: int, seen: list[Tensor]) -> tuple[nn.Module, FitResult]:
    with reproducible(seed=1, threads=1):
        torch.manual_seed(1)
        network = build_classifier("resnet18", in_channels=channels)
        network.register_forward_pre_hook(
            lambda module, given: seen.append(given[0].clone()) if module.training else None
        )
        objective = objective_of(frames, channel=truth_channel(frames) if channels == 4 else None)
        hyperparameters = Hyperparameters(epochs=epochs, batch_size=4, learning_rate=5e-4, weight_decay=1e-4, seed=1)
        return network, fit_quietly(network, objective, hyperparameters)


def test_three_and_four_channels_see_the_same_images_in_the_same_order(tmp_path: Path) -> None:
    frames = blobs((9, 2, 0)).frames(tmp_path)
    three, four = list[Tensor](), list[Tensor]()
    train(3, frames, epochs=2, seen=three)
    second, _ = train(4, frames, epochs=2, seen=four)
    assert len(three) == len(four) == 4
    for left, right in zip(three, four, strict=True):
        assert torch.equal(left, right[:, :3])
        assert float(right[:, 3].max()) > 0.9
    assert not torch.equal(three[0], three[2])
    assert bool(second.get_parameter("resnet.conv1.weight")[:, 3].any())


def test_it_learns_to_tell_dense_blobs_from_thin_ones(tmp_path: Path) -> None:
    frames = blobs((16, 8, 0)).frames(tmp_path)
    network, fitted = train(3, frames, epochs=5, seen=[])
    judged = objective_of(frames).validate(network)
    assert judged.figures["validation_auc"] > 0.9
    best = fitted.history[fitted.best_epoch - 1]["validation_loss"]
    assert best == min(figures["validation_loss"] for figures in fitted.history)
    assert judged.figures["validation_loss"] == pytest.approx(best, abs=1e-4)


def test_a_rare_label_counts_as_much(tmp_path: Path) -> None:
    frames = blobs((8, 2, 0), labels=[Label.NORMAL, Label.NORMAL, Label.NORMAL, Label.HSIL]).frames(tmp_path)
    weights = objective_of(frames).class_weights
    assert weights.tolist() == pytest.approx([8 / (2 * 6), 8 / (2 * 2)])


def test_images_without_label_teach_and_judge_nothing(tmp_path: Path) -> None:
    frames = blobs((6, 3, 0), labels=[Label.NORMAL, Label.HSIL, None]).frames(tmp_path)
    objective = objective_of(frames)
    assert objective.count == 4
    shown = objective.batch([0, 1, 2, 3], 0).members
    assert None not in {frames.items[place].label for place in shown}
    with pytest.raises(ValueError, match="without a label"):
        classes_of(frames, [2])
    nothing = blobs((4, 0, 0)).frames(tmp_path)
    assert objective_of(nothing).validate(build_classifier("resnet18", in_channels=3).eval()) is None


def test_a_validation_side_of_one_label_has_no_ranking(tmp_path: Path) -> None:
    frames = blobs((4, 1, 0)).frames(tmp_path)
    judged = objective_of(frames).validate(build_classifier("resnet18", in_channels=3).eval())
    assert "validation_auc" not in judged.figures
    assert judged.score == pytest.approx(-judged.figures["validation_loss"])


def test_logits_come_in_the_order_of_the_set_and_can_be_stopped(tmp_path: Path) -> None:
    frames = blobs((5, 0, 0)).frames(tmp_path)
    network = build_classifier("resnet18", in_channels=3).eval()
    order = (4, 0, 3, 1, 2)

    def said(members: tuple[int, ...], progress: ProgressReporter) -> tuple[Tensor, Tensor]:
        return image_logits(network, frames, batches_of(frames), ImageSet(members), None, 2, progress)

    logits, classes = said(order, quiet_progress())
    assert classes.tolist() == [int(frames.items[place].label is Label.HSIL) for place in order]
    alone, _ = said((3,), quiet_progress())
    assert torch.allclose(logits[2], alone[0], atol=1e-5)
    with pytest.raises(JobCancelled):
        said(order, quiet_progress(stopping_after(2)))
