import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import FourthChannel
from colpo_core.evaluation.judged import Judged
from colpo_core.records.statistics.figures import Estimate
from colpo_core.records.training.stages import (
    ARMS,
    CLASSIFICATION_3CH,
    CLASSIFICATION_4CH,
    EMPTY,
    EXPERT,
    PREDICTED,
    SHUFFLED,
    THREE,
)
from colpo_core.terms import Label, Split
from colpo_core.training.comparison import PAIRS, ArmPredictions, comparison_figures, run_comparison, verdict
from colpo_core.training.contract import FitResult
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.stage_splits import images_of_split
from colpo_core.training.trainer import Trainer
from colpo_core.training.training_run import PreparedData
from tests.support.blobs import Blobs, blobs, tiny
from tests.support.hidden import expert_channel, hidden_lesions
from tests.support.training_runs import opened

SIZE = {"classification_epochs": 3, "batch_size": 8, "learning_rate_classification": 2e-3, "comparison_seeds": 2}


def prepared(trainer: Trainer) -> PreparedData:
    sides = {split: images_of_split(trainer.frames, split).labels for split in Split}
    return PreparedData(
        segmenter=nn.Identity(),  # type: ignore[arg-type]
        segmented=sides[Split.TRAIN],
        fitted={},
        channel=expert_channel(trainer.frames),
        train=sides[Split.TRAIN],
        validation=sides[Split.VALIDATION],
        test=sides[Split.TEST],
        evaluation_sets={},
    )


def compared(some: Blobs, folder: Path) -> dict[str, object]:
    """Two seeds of three channels against four, whose fourth is the expert's mask."""
    with opened(some, folder, tiny(**SIZE)) as run:
        trainer = run.trainer
        channels = FourthChannelControls(trainer.frames, expert_channel(trainer.frames), seed=0)
        runs = [(arm, run) for run in range(2) for arm in (THREE, PREDICTED)]
        return run_comparison(trainer, channels, prepared(trainer), runs=runs).figures


def test_where_the_mask_alone_tells_it_helps_beyond_doubt(tmp_path: Path) -> None:
    figures = compared(hidden_lesions((24, 6, 24), telling=True), tmp_path)
    auc = figures["differences"][0]["auc"]  # type: ignore[index]
    assert auc["value"] > 0.2
    assert auc["low"] > 0
    assert figures["verdict"].endswith("it helped.")  # type: ignore[attr-defined]
    assert figures["arms"][PREDICTED]["auc"]["value"] > 0.85  # type: ignore[index]


def test_where_the_mask_tells_nothing_no_difference_is_claimed(tmp_path: Path) -> None:
    figures = compared(hidden_lesions((24, 6, 24), telling=False), tmp_path)
    auc = figures["differences"][0]["auc"]  # type: ignore[index]
    assert auc["low"] <= 0 <= auc["high"]
    assert figures["verdict"].endswith("no difference is shown, in either direction.")  # type: ignore[attr-defined]


class Reader(nn.Module):
    """Calls an image by the mean of its fourth channel, or, without one, by nothing."""

    def forward(self, images: Tensor) -> Tensor:
        said = images[:, 3].mean(dim=(1, 2)) if images.shape[1] == 4 else torch.zeros(len(images))
        return torch.stack([torch.full_like(said, 0.3), said * 4], dim=1)


def test_every_arm_is_taught_with_its_own_channel_and_the_seed_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[str, FourthChannel | None, int, ImageSet, ImageSet]] = []

    def train(_: Trainer, stage: str, images: ImageSet, validation: ImageSet, **how: Any) -> tuple[Reader, FitResult]:
        trained.append((stage, how["channel"], how["seed"], images, validation))
        return Reader(), FitResult(len(trained), [])

    monkeypatch.setattr(Trainer, "train_classifier", train)
    with opened(blobs((4, 4, 8)), tmp_path, tiny(seed=10, comparison_seeds=2)) as run:
        trainer = run.trainer
        sides = prepared(trainer)
        channels = FourthChannelControls(trainer.frames, sides.channel, seed=10)
        found = run_comparison(trainer, channels, sides)
        assert [seed for _, _, seed, _, _ in trained] == [10] * 5 + [11] * 5
        assert {(images.members, validation.members) for _, _, _, images, validation in trained} == {
            (sides.train.members, sides.validation.members)
        }
        for (_, channel, _, _, _), arm in zip(trained, [*ARMS, *ARMS], strict=True):
            wanted = channels.of(arm)
            assert (channel is None) == (wanted is None)
            if channel is not None and wanted is not None:
                assert all(np.array_equal(channel(place), wanted(place)) for place in range(len(trainer.frames)))
    assert found.fitted == {CLASSIFICATION_3CH: FitResult(1, []), CLASSIFICATION_4CH: FitResult(2, [])}
    figures = found.figures
    assert list(figures["arms"]) == list(ARMS)
    assert [(row["first"], row["second"]) for row in figures["differences"]] == list(PAIRS)
    assert figures["n_seeds"] == 2
    assert (figures["n_test_images"], figures["n_test_images_with_expert_mask"]) == (8, 8)
    # The blobs of hsil are larger, so a reader of the mask's size is always right, and one of nothing never knows.
    value = {arm: figures["arms"][arm]["auc"]["value"] for arm in ARMS}
    assert (value[THREE], value[EMPTY], value[PREDICTED], value[EXPERT]) == (0.5, 0.5, 1.0, 1.0)
    assert value[SHUFFLED] < 1.0
    json.dumps(figures, allow_nan=False)


def rows(normal: Sequence[float], hsil: Sequence[float], *, first: int = 0) -> list[Judged]:
    said = [(Label.NORMAL, prob) for prob in normal] + [(Label.HSIL, prob) for prob in hsil]
    return [
        Judged(first + place, first + place, label, prob, image_id=first + place)
        for place, (label, prob) in enumerate(said)
    ]


def test_each_run_is_called_at_its_own_threshold_from_its_validation_side() -> None:
    low = rows([0.05, 0.1, 0.15], [0.2, 0.25, 0.3])
    high = rows([0.7, 0.75, 0.8], [0.85, 0.9, 0.95])
    figures = comparison_figures(
        [ArmPredictions(THREE, 0, low, low), ArmPredictions(PREDICTED, 0, high, high)], rule="youden"
    )
    for arm in (THREE, PREDICTED):
        assert figures["arms"][arm]["accuracy"]["value"] == 1.0
    assert set(figures["arms"]) == {THREE, PREDICTED}
    assert figures["differences"][0]["auc"]["value"] == 0.0


def test_figures_do_not_depend_on_the_order_of_the_runs_and_average_the_seeds() -> None:
    good, bad = rows([0.1, 0.2, 0.3], [0.7, 0.8, 0.9]), rows([0.7, 0.8, 0.9], [0.1, 0.2, 0.3])
    runs = [ArmPredictions(THREE, 0, good, good), ArmPredictions(THREE, 1, good, bad)]
    runs += [ArmPredictions(PREDICTED, 0, good, good), ArmPredictions(PREDICTED, 1, good, good)]
    figures = comparison_figures(runs, rule="youden")
    assert figures["arms"][THREE]["auc"]["value"] == pytest.approx(0.5)
    assert figures["differences"][0]["auc"]["value"] == pytest.approx(0.5)
    assert comparison_figures(runs[::-1], rule="youden") == figures


def test_figures_are_by_case() -> None:
    two_images = [Judged(1, 1, Label.HSIL, 0.2, image_id=1), Judged(1, 1, Label.HSIL, 0.9, image_id=2)]
    said = two_images + rows([0.3, 0.4], [], first=10)
    figures = comparison_figures(
        [ArmPredictions(THREE, 0, said, said), ArmPredictions(PREDICTED, 0, said, said)], rule="youden"
    )
    assert figures["differences"][0]["n"] == 3
    assert figures["arms"][THREE]["auc"]["value"] == 1.0


@pytest.mark.parametrize(
    ("estimate", "sentence"),
    [
        (Estimate(0.2, 0.05, 0.3, 12, 12), "+0.20 (+0.05 to +0.30; 12 patients): on these patients it helped."),
        (Estimate(-0.2, -0.3, -0.05, 12, 12), "-0.20 (-0.30 to -0.05; 12 patients): on these patients it did harm."),
        (Estimate(0.2, -0.1, 0.5, 12, 12), "no difference is shown, in either direction."),
        (Estimate(0.2, 0.0, 0.5, 12, 12), "no difference is shown, in either direction."),
        (Estimate(0.5, None, None, 1, 2), "Too few patients of both labels to tell whether the mask helped."),
        (Estimate(None, None, None, 0, 0), "Too few patients of both labels to tell whether the mask helped."),
    ],
)
def test_the_verdict_claims_no_more_than_the_interval(estimate: Estimate, sentence: str) -> None:
    assert verdict(estimate, n_trainings=2).endswith(sentence)
    if estimate.low is not None:
        assert verdict(estimate, n_trainings=1).endswith(
            "choose two or more trainings of each arm to learn whether the mask helps."
        )
