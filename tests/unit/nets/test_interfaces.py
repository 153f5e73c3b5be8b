"""What every network of the registry keeps, whoever wrote it."""

from copy import deepcopy
from unittest.mock import Mock

import pytest
import torch
from torch.nn import functional as F

from colpo_core.evaluation.calibration import apply_calibration
from colpo_core.nets.interfaces import ACETOWHITE, Classifier, Segmenter, prob_hsil
from colpo_core.nets.registry import build_classifier, build_segmenter
from colpo_core.records.models.networks import CLASSIFIERS, MIRRORED, SEGMENTERS
from colpo_core.records.statistics.calibration import Calibration


@pytest.fixture(scope="module", params=SEGMENTERS)
def segmenter(request: pytest.FixtureRequest) -> Segmenter:
    torch.manual_seed(0)
    return build_segmenter(request.param, width=0.05).to(memory_format=torch.channels_last)


# ResNet-101 is ResNet-50 with more of the same blocks; test_resnet holds it to torchvision's.
@pytest.fixture(scope="module", params=[name for name in CLASSIFIERS if name != "resnet101"])
def pair(request: pytest.FixtureRequest) -> tuple[Classifier, Classifier]:
    made = []
    for in_channels in (3, 4):
        torch.manual_seed(5)
        made.append(build_classifier(request.param, in_channels=in_channels).to(memory_format=torch.channels_last))
    return made[0], made[1]


@pytest.fixture(autouse=True)
def no_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be fetched, neither on building nor later."""
    refuse = Mock(side_effect=AssertionError("a network was built with the help of the internet"))
    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (65, 96), (1, 1), (5, 70), (31, 17)])
def test_a_segmenter_scores_every_pixel_of_any_size(segmenter: Segmenter, size: tuple[int, int]) -> None:
    images = torch.rand(1, 3, *size)
    with torch.inference_mode():
        logits = segmenter.eval()(images)
        soft = segmenter.acetowhite(images)
    assert logits.shape == (1, 2, *size)
    assert torch.isfinite(logits).all()
    assert torch.allclose(soft, logits.softmax(dim=1)[:, ACETOWHITE : ACETOWHITE + 1])


def test_a_mean_over_mirror_images_turns_with_the_image(segmenter: Segmenter) -> None:
    images = torch.rand(2, 3, 64, 96)
    plain, averaging = segmenter.eval(), deepcopy(segmenter).eval()
    averaging.averages_flips = True
    with torch.inference_mode():
        once, mean = plain.acetowhite(images), averaging.acetowhite(images)
        for sides in MIRRORED:
            assert torch.allclose(averaging.acetowhite(images.flip(sides)).flip(sides), mean, atol=1e-5)
        views = [plain(images.flip(sides)).softmax(dim=1)[:, 1:].flip(sides) for sides in MIRRORED]
    assert mean.shape == once.shape
    assert torch.allclose(mean, sum(views) / 4, atol=1e-5)
    assert not torch.allclose(mean, once, atol=1e-3), "the four views say the same"


def test_a_segmenter_pads_by_reflection_and_crops_back(segmenter: Segmenter) -> None:
    images = torch.rand(1, 3, 60, 50)
    with torch.inference_mode():
        wanted = segmenter.eval()(F.pad(images, (0, 14, 0, 4), mode="reflect"))[..., :60, :50]
        assert torch.equal(segmenter(images), wanted)


def test_a_segmenter_has_a_name_and_normalises_three_channels_for_itself(segmenter: Segmenter) -> None:
    assert segmenter.name in SEGMENTERS
    assert segmenter.state_dict()["normalise.mean"].shape[1] == 3
    with pytest.raises(ValueError, match="expected B x 3"):
        segmenter(torch.rand(1, 4, 64, 64))


def test_a_classifier_has_a_name_and_normalises_its_channels_for_itself(pair: tuple[Classifier, Classifier]) -> None:
    for network, channels in zip(pair, (3, 4), strict=True):
        assert network.name in CLASSIFIERS
        assert network.in_channels == network.state_dict()["normalise.mean"].shape[1] == channels
        with pytest.raises(ValueError, match=f"expected B x {channels}"):
            network(torch.rand(1, 7 - channels, 64, 64))


def test_a_segmenter_learns_in_bf16_and_channels_last(segmenter: Segmenter) -> None:
    images = torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    learning = deepcopy(segmenter).train()
    optimizer = torch.optim.SGD(learning.parameters(), lr=0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = learning(images)
    assert logits.dtype == torch.bfloat16
    F.cross_entropy(logits.float(), torch.randint(0, 2, (2, 64, 64))).backward()
    for name, weight in learning.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
    optimizer.step()
    assert all(torch.isfinite(weight).all() for weight in learning.parameters())


def test_a_classifiers_fourth_channel_starts_silent_and_learns(pair: tuple[Classifier, Classifier]) -> None:
    three, four = pair[0], deepcopy(pair[1])
    images = torch.rand(4, 4, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.equal(four.eval()(images), three.eval()(images[:, :3]))
    optimizer = torch.optim.SGD(four.train().parameters(), lr=0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = four(images)
    F.cross_entropy(logits.float(), torch.tensor([0, 1, 0, 1])).backward()
    assert all(torch.isfinite(weight.grad).all() for weight in four.parameters())
    optimizer.step()
    (first,) = [name for name, weight in three.named_parameters() if weight.shape != four.get_parameter(name).shape]
    assert four.get_parameter(first)[:, 3].abs().sum() > 0


def test_a_classifiers_logits_are_one_linear_layer_on_the_mean_of_its_maps(pair: tuple[Classifier, Classifier]) -> None:
    for network in pair:
        images = torch.rand(2, network.in_channels, 70, 97)
        with torch.inference_mode():
            features = network.eval().features(images)
            assert features.shape[:2] == (2, network.class_weights.shape[1])
            assert torch.equal(network(images), network.logits(features))
            bias = network.logits(torch.zeros_like(features))
            linear = features.mean(dim=(2, 3)) @ network.class_weights.T + bias
            assert torch.allclose(network.logits(features), linear, atol=1e-5)


def test_the_last_block_gives_the_maps(pair: tuple[Classifier, Classifier]) -> None:
    network = pair[0].eval()
    seen: list[torch.Tensor] = []
    handle = network.last_block.register_forward_hook(lambda *given: seen.append(given[2]))
    with torch.inference_mode():
        features = network.features(torch.rand(1, 3, 64, 64))
    handle.remove()
    assert torch.equal(seen[0], features)


def test_a_calibration_is_none_unless_given_and_is_the_same_for_logits_and_probabilities() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    assert torch.equal(prob_hsil(logits), logits.softmax(dim=1)[:, 1])
    assert torch.allclose(prob_hsil(logits, Calibration(4.0)), torch.tensor([0.5, -0.5]).sigmoid())
    assert torch.allclose(prob_hsil(logits, Calibration(4.0, -1.0)), torch.tensor([-0.5, -1.5]).sigmoid())
    assert prob_hsil(logits.bfloat16(), Calibration(2.0, 0.1)).dtype == torch.float32
    calibration = Calibration(1.7, -1.3)
    again = [apply_calibration(prob, calibration) for prob in prob_hsil(logits).tolist()]
    assert prob_hsil(logits, calibration).tolist() == pytest.approx(again, abs=1e-6)


def test_without_an_intercept_probabilities_are_those_of_earlier_versions_to_the_last_bit() -> None:
    logits = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * 5
    for temperature in (1.0, 0.7, 3.1):
        before = (logits.float() / temperature).softmax(dim=1)[:, 1]
        assert torch.equal(prob_hsil(logits, Calibration(temperature)), before)
