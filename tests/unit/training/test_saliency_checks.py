import pytest
import torch
from torch import Tensor, nn

from colpo_core.nets.interfaces import Classifier
from colpo_core.nets.registry import build_classifier
from colpo_core.training.saliency_checks import randomise_weights


def lively(name: str, channels: int) -> Classifier:
    torch.manual_seed(1)
    net = build_classifier(name, in_channels=channels).train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, channels, 128, 128))
    return net.eval()


@pytest.mark.parametrize(("name", "channels"), [("resnet18", 3), ("resnet18", 4), ("timm_efficientnet_b0", 3)])
def test_maps_change_when_a_network_forgets_and_the_network_itself_does_not(name: str, channels: int) -> None:
    net, images = lively(name, channels), torch.rand(3, channels, 128, 128)
    state = {key: value.clone() for key, value in net.state_dict().items()}
    chance = torch.random.get_rng_state()
    steps: list[int] = []
    lines = randomise_weights(net, images, seed=5, on_step=lambda: steps.append(1))
    assert len(lines) >= 4
    assert len(steps) == len(lines)
    assert lines[-1].similarity is None or abs(lines[-1].similarity) < 0.9
    assert all(line.n_images <= 3 for line in lines)
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), chance), "a training's own chance goes on as it was"
    assert randomise_weights(net, images, seed=5) == lines


def test_layers_are_forgotten_from_the_top() -> None:
    lines = randomise_weights(lively("resnet18", 3), torch.rand(2, 3, 128, 128))
    names = [line.layers for line in lines]
    assert names[0] == "resnet.fc"
    assert names[1] == "resnet.layer4"
    assert names[-1] in {"resnet.conv1", "resnet.bn1"}


class Edges(Classifier):
    """A network whose maps are the picture itself, whatever it learned."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.in_channels = "edges", 3
        self.body = nn.ModuleList(nn.Linear(1, 1) for _ in range(5))

    def features(self, images: Tensor) -> Tensor:
        return images

    def logits(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3)) @ self.class_weights.T

    @property
    def class_weights(self) -> Tensor:
        return torch.ones(2, 3)

    @property
    def last_block(self) -> nn.Module:
        return self.body

    def load_pretrained(self, weights: object) -> None:
        raise NotImplementedError


def test_maps_of_the_picture_alone_are_found_out() -> None:
    lines = randomise_weights(Edges().eval(), torch.rand(2, 3, 16, 16))
    assert len(lines) == 5
    assert [line.similarity for line in lines] == [pytest.approx(1.0)] * 5
