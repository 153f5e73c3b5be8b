"""The closed form against autograd, and against the grad-cam library."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from colpo_core.nets.gradcam import class_maps
from colpo_core.nets.interfaces import Classifier
from colpo_core.nets.registry import build_classifier

NAMES = ("resnet18", "resnet50", "timm_efficientnet_b0")
NETS = [(name, channels) for name in NAMES for channels in (3, 4)]
SIZE = (96, 128)


def make(name: str, in_channels: int) -> Classifier:
    torch.manual_seed(4)
    net = build_classifier(name, in_channels=in_channels).train()
    with torch.no_grad():
        if in_channels == 4:
            first = next(weight for weight in net.parameters() if weight.dim() == 4)
            first[:, 3].normal_(std=0.05)
        for _ in range(3):  # running means and variances of real activations
            net(torch.rand(4, in_channels, *SIZE))
    return net.eval()


def by_autograd(net: Classifier, images: torch.Tensor, place: int) -> torch.Tensor:
    """Eq. 1 and 2 of the paper, word for word."""
    features = net.features(images).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(net.logits(features)[:, place].sum(), features)
    alpha = gradient.mean(dim=(2, 3), keepdim=True)
    return (alpha * features).sum(dim=1).relu().detach()


def as_the_library_scales(cells: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    def stretch(values: NDArray[np.float32]) -> NDArray[np.float32]:
        values = values - values.min()
        return values / (1e-7 + values.max())

    return stretch(np.asarray(cv2.resize(stretch(cells), (size[1], size[0])), np.float32))


@pytest.mark.parametrize(("name", "channels"), NETS)
def test_it_equals_the_gradients_way(name: str, channels: int) -> None:
    net = make(name, channels)
    images = torch.rand(2, channels, *SIZE)
    with torch.inference_mode():
        ours = class_maps(net.features(images), net.class_weights)
    assert ours.shape == (2, 2, 3, 4)
    assert ours.max() > 0
    for place in (0, 1):
        theirs = by_autograd(net, images, place)
        assert torch.allclose(ours[:, place], theirs, rtol=0, atol=1e-5)
        assert torch.allclose(ours[:, place], theirs, rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize(("name", "channels"), NETS)
def test_it_equals_the_librarys_map_after_its_scaling(name: str, channels: int) -> None:
    net = make(name, channels)
    images = torch.rand(1, channels, *SIZE)
    with torch.inference_mode():
        ours = class_maps(net.features(images), net.class_weights)[0].numpy()
    for place in (0, 1):
        with GradCAM(model=net, target_layers=[net.last_block]) as cam:
            theirs = cam(images, targets=[ClassifierOutputTarget(place)])[0]
        assert np.abs(as_the_library_scales(ours[place], SIZE) - theirs).max() < 0.01


def test_the_logit_is_the_sum_of_the_evidence_before_the_cut() -> None:
    """What Grad-CAM shows is the logit itself, spread over the image: sum of w A / (H W), and the bias."""
    net = make("resnet18", 3)
    images = torch.rand(1, 3, *SIZE)
    with torch.inference_mode():
        features = net.features(images)
        for_it = class_maps(features, net.class_weights).sum(dim=(2, 3))
        against_it = class_maps(features, -net.class_weights).sum(dim=(2, 3))
        assert torch.allclose(for_it - against_it + net.logits(torch.zeros_like(features)), net(images), atol=1e-5)


def test_a_class_that_nothing_speaks_for_has_an_empty_map() -> None:
    features = torch.rand(1, 8, 3, 4) + 0.1
    weights = torch.stack([-torch.rand(8) - 0.1, torch.rand(8) + 0.1])
    maps = class_maps(features, weights)
    assert maps[0, 0].abs().sum() == 0
    assert (maps[0, 1] > 0).all()
