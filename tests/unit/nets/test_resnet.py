"""The classifiers against torchvision's, and the fourth channel against three."""

import pytest
import torch
import torchvision

from colpo_core.nets.resnet import ColpoResNet

# Millions of weights with four channels and two classes.
RESNETS = {"resnet18": 11.2, "resnet50": 23.5, "resnet101": 42.5}


def make(name: str, in_channels: int, seed: int = 0) -> ColpoResNet:
    torch.manual_seed(seed)
    return ColpoResNet(name, in_channels).eval()


@pytest.mark.parametrize(("name", "millions"), RESNETS.items())
def test_it_has_the_published_size_and_one_more_channel(name: str, millions: float) -> None:
    with torch.device("meta"):
        three, four = ColpoResNet(name, 3), ColpoResNet(name, 4)
    n_three, n_four = (sum(weight.numel() for weight in net.parameters()) for net in (three, four))
    assert round(n_four / 1e6, 1) == millions
    assert n_four - n_three == 64 * 7 * 7


@pytest.mark.parametrize("name", RESNETS)
def test_it_is_torchvisions_network_on_normalised_images(name: str) -> None:
    ours = make(name, 3)
    theirs = getattr(torchvision.models, name)(weights=None, num_classes=2).eval()
    theirs.load_state_dict(ours.resnet.state_dict())
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours(images), theirs(ours.normalise(images)))


def test_logits_are_those_of_the_features() -> None:
    net = make("resnet18", 3)
    images = torch.rand(2, 3, 70, 97)
    with torch.inference_mode():
        features = net.features(images)
        assert features.shape == (2, 512, 3, 4)
        assert torch.equal(net(images), net.logits(features))
        assert torch.allclose(
            net(images), features.mean(dim=(2, 3)) @ net.class_weights.T + net.resnet.fc.bias, atol=1e-5
        )


def test_imagenet_weights_leave_the_last_layer_alone() -> None:
    torch.manual_seed(3)
    published = torchvision.models.resnet18(weights=None).state_dict()
    net = make("resnet18", 4)
    last = net.class_weights.clone()
    net.load_pretrained(published)
    assert torch.equal(net.class_weights, last)
    assert torch.equal(net.resnet.conv1.weight[:, :3], published["conv1.weight"])
    assert net.resnet.conv1.weight[:, 3].abs().sum() == 0
    assert torch.equal(net.resnet.layer4[1].conv2.weight, published["layer4.1.conv2.weight"])


def test_weights_of_another_network_are_refused_and_nothing_is_copied() -> None:
    net = make("resnet18", 3)
    before = net.resnet.conv1.weight.clone()
    torch.manual_seed(9)
    with pytest.raises(ValueError, match="resnet18"):
        net.load_pretrained(torchvision.models.resnet50(weights=None).state_dict())
    assert torch.equal(net.resnet.conv1.weight, before)


@pytest.mark.parametrize(("name", "channels", "words"), [("resnet34", 3, "must be one of"), ("resnet18", 5, "3 or 4")])
def test_names_and_channels_that_are_not_there_are_refused(name: str, channels: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ColpoResNet(name, channels)
