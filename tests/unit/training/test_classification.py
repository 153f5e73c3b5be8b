import numpy as np
import pytest
import torch
from torch import Tensor

from colpo_core.datasets.frames import Frames, load_frames
from colpo_core.nets.registry import build_classifier
from colpo_core.nets.resnet import ColpoResNet
from colpo_core.terms import Label, Split
from colpo_core.training.classification import judge_classifier, train_classifier
from colpo_core.training.loop import Fitted, Plan, reproducible
from colpo_core.training.watch import Watch
from tests.blobs import Blobs, blobs

CPU = torch.device("cpu")


def watch() -> Watch:
    made = Watch(lambda event: None, lambda: False)
    made.begin("classification 3 channels", epochs_total=1, share=(0.0, 1.0), message="")
    return made


def frames_of(some: Blobs, split: Split) -> Frames:
    return load_frames(
        some.manifest.of(split), height_px=64, width_px=64, load_image=some.load_image, load_mask=some.load_mask
    )


def truth_channel(frames: Frames) -> np.ndarray:
    return (frames.target == 1).astype(np.uint8) * 255


def teach(
    channels: int, frames: Frames, validation: Frames, *, epochs: int, seen: list[Tensor]
) -> tuple[ColpoResNet, Fitted]:
    with reproducible(seed=1, threads=1):
        torch.manual_seed(1)
        network = build_classifier("resnet18", in_channels=channels)
        network.register_forward_pre_hook(
            lambda module, given: seen.append(given[0].clone()) if module.training else None
        )
        fitted = train_classifier(
            network,
            frames,
            validation,
            acetowhite=truth_channel(frames) if channels == 4 else None,
            validation_acetowhite=truth_channel(validation) if channels == 4 else None,
            plan=Plan(epochs=epochs, batch_size=4, learning_rate=5e-4, weight_decay=1e-4, seed=1),
            device=CPU,
            watch=watch(),
        )
    return network, fitted


def test_three_and_four_channels_see_the_same_images_in_the_same_order() -> None:
    some = blobs((9, 2, 0))
    frames, validation = frames_of(some, Split.TRAIN), frames_of(some, Split.VALIDATION)
    three: list[Tensor] = []
    four: list[Tensor] = []
    first, _ = teach(3, frames, validation, epochs=2, seen=three)
    second, _ = teach(4, frames, validation, epochs=2, seen=four)
    assert len(three) == len(four) == 4
    for left, right in zip(three, four, strict=True):
        assert torch.equal(left, right[:, :3])
        assert float(right[:, 3].max()) > 0.9
    assert not torch.equal(three[0], three[2])
    assert first.in_channels == 3
    assert bool(second.resnet.conv1.weight[:, 3].any())


def test_it_learns_to_tell_dense_blobs_from_thin_ones() -> None:
    some = blobs((16, 8, 0))
    frames, validation = frames_of(some, Split.TRAIN), frames_of(some, Split.VALIDATION)
    network, fitted = teach(3, frames, validation, epochs=5, seen=[])
    judged = judge_classifier(network, validation, None, torch.ones(2), 4, CPU, watch())
    assert judged is not None
    assert judged.figures["validation_auc"] > 0.9
    best = fitted.history[fitted.best_epoch - 1]["validation_loss"]
    assert best == min(figures["validation_loss"] for figures in fitted.history)


def test_images_without_label_teach_and_judge_nothing() -> None:
    some = blobs((6, 3, 0), labels=[Label.NORMAL, Label.HSIL, None])
    seen: list[Tensor] = []
    frames = frames_of(some, Split.TRAIN)
    teach(3, frames, frames_of(some, Split.VALIDATION), epochs=1, seen=seen)
    assert sum(len(batch) for batch in seen) == 4
    unlabelled = frames_of(blobs((0, 2, 0), labels=[None]), Split.VALIDATION)
    network = build_classifier("resnet18", in_channels=3).eval()
    assert judge_classifier(network, unlabelled, None, torch.ones(2), 4, CPU, watch()) is None


def test_a_validation_side_of_one_label_has_no_ranking() -> None:
    frames = frames_of(blobs((0, 2, 0), labels=[Label.HSIL]), Split.VALIDATION)
    judged = judge_classifier(
        build_classifier("resnet18", in_channels=3).eval(), frames, None, torch.ones(2), 4, CPU, watch()
    )
    assert judged is not None
    assert "validation_auc" not in judged.figures
    assert judged.score == pytest.approx(-judged.figures["validation_loss"])
