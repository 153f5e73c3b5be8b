from typing import Any

import numpy as np
import pytest
import torch

from colpo_core.datasets.frames import IGNORED
from colpo_core.training.losses import label_weights, pixel_class_weights, segmentation_loss


@pytest.fixture
def targets() -> np.ndarray:
    """Acetowhite in 10 of 100 pixels."""
    drawn = np.zeros((1, 10, 10), dtype=np.uint8)
    drawn[0, 0] = 1
    return drawn


def test_pixel_weights_are_the_root_of_median_frequency(targets: np.ndarray) -> None:
    weights = pixel_class_weights(targets)
    # frequencies 0.9 and 0.1, their median 0.5
    assert weights.tolist() == pytest.approx([np.sqrt(0.5 / 0.9), np.sqrt(0.5 / 0.1)])


def test_ignored_pixels_and_images_without_the_class_do_not_count() -> None:
    targets = np.zeros((2, 10, 10), dtype=np.uint8)
    targets[0, 0] = 1
    targets[0, 5:] = IGNORED
    weights = pixel_class_weights(targets)
    # acetowhite: 10 of 50 known pixels where it is present; background: 140 of 150
    assert float((weights[1] / weights[0]) ** 2) == pytest.approx((140 / 150) / (10 / 50), rel=1e-5)


def test_the_weights_can_be_full_or_left_out(targets: np.ndarray) -> None:
    assert pixel_class_weights(targets, rule="median").tolist() == pytest.approx([0.5 / 0.9, 0.5 / 0.1])
    assert pixel_class_weights(targets, rule="none").tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="sqrt_median, median, none"):
        pixel_class_weights(targets, rule="mean")


def test_a_class_that_never_occurs_weighs_one() -> None:
    assert pixel_class_weights(np.full((1, 4, 4), IGNORED, dtype=np.uint8)).tolist() == [1.0, 1.0]
    assert pixel_class_weights(np.zeros((1, 4, 4), dtype=np.uint8)).tolist() == [1.0, 1.0]


def test_a_rare_label_weighs_as_much_as_a_frequent_one() -> None:
    weights = label_weights([30, 10])
    assert float(weights[0] * 30) == pytest.approx(float(weights[1] * 10))
    assert label_weights([5, 5]).tolist() == [1.0, 1.0]


def confident(target: torch.Tensor, *, right: bool) -> torch.Tensor:
    said = (target == 1) == right
    return torch.stack([~said, said], dim=1).float() * 20 - 10


def test_loss_is_near_nothing_when_right_and_high_when_wrong() -> None:
    target = torch.zeros((1, 8, 8), dtype=torch.int64)
    target[0, :4, :4] = 1
    weights = torch.ones(2)
    assert float(segmentation_loss(confident(target, right=True), target, weights)) < 0.01
    assert float(segmentation_loss(confident(target, right=False), target, weights)) > 10


def test_a_small_lesion_counts_as_much_as_a_large_one() -> None:
    """Missed altogether, either costs the same part of the loss that is Dice's."""
    target = torch.zeros((2, 16, 16), dtype=torch.int64)
    target[0, :2, :2] = 1
    target[1, :12, :12] = 1
    weights = torch.tensor([1.0, 0.0])  # of the cross entropy nothing is left but the background
    missed = []
    for image in range(2):
        logits = confident(target, right=True)
        logits[image] = confident(torch.zeros_like(target), right=True)[image]
        missed.append(float(segmentation_loss(logits, target, weights)))
    assert missed[0] == pytest.approx(missed[1], abs=0.11)
    assert missed[1] == pytest.approx(0.5, abs=0.02)


def test_ignored_pixels_change_nothing() -> None:
    target = torch.zeros((1, 8, 8), dtype=torch.int64)
    target[0, :4, :4] = 1
    target[0, 6:] = IGNORED
    logits = torch.randn((1, 2, 8, 8), generator=torch.Generator().manual_seed(0))
    other = logits.clone()
    other[:, :, 6:] = 50 * torch.randn((1, 2, 2, 8), generator=torch.Generator().manual_seed(1))
    weights = torch.tensor([0.7, 1.6])
    first, second = (float(segmentation_loss(one, target, weights)) for one in (logits, other))
    assert first == pytest.approx(second)


@pytest.mark.parametrize("among_processes", [{}, {"total": lambda value: value}])
def test_a_batch_that_is_ignored_everywhere_teaches_nothing(among_processes: dict[str, Any]) -> None:
    logits = torch.randn((1, 2, 4, 4), requires_grad=True)
    loss = segmentation_loss(logits, torch.full((1, 4, 4), IGNORED), torch.ones(2), **among_processes)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert not logits.grad.any()


def test_sums_over_processes_give_the_loss_of_the_whole_batch() -> None:
    logits = torch.randn(4, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    target = (logits[:, 1] > 0.3).long()
    target[1, :3], target[2] = IGNORED, IGNORED
    weights = torch.tensor([0.5, 3.0])
    whole = segmentation_loss(logits, target, weights)
    assert float(segmentation_loss(logits, target, weights, total=lambda value: value)) == pytest.approx(float(whole))
    # One process has half of the batch; what the other adds is known here.
    parts: list[list[torch.Tensor]] = [[], []]
    for rank, seen in enumerate(parts):
        segmentation_loss(
            logits[rank::2], target[rank::2], weights, total=lambda value, seen=seen: (seen.append(value), value)[1]
        )
    sums = iter([first + second for first, second in zip(*parts, strict=True)])
    shared = segmentation_loss(logits[::2], target[::2], weights, total=lambda value: next(sums))
    assert float(shared) == pytest.approx(float(whole))
