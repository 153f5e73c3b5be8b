"""The optional libraries' networks against the libraries themselves."""

import pytest
import segmentation_models_pytorch as smp
import timm
import torch

from colpo_core.nets.library import SmpSegmenter, TimmClassifier
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, NetworkEntry


def entry_of(architecture: str) -> NetworkEntry:
    return NetworkEntry(f"timm_{architecture}", architecture, "timm", architecture, 1.0, needs="timm")


def test_a_segmenter_is_the_librarys_on_normalised_images() -> None:
    torch.manual_seed(0)
    ours = SmpSegmenter(SEGMENTERS["unet_resnet34"]).eval()
    theirs = smp.Unet("resnet34", encoder_weights=None, classes=2).eval()
    theirs.load_state_dict(ours.net.state_dict())
    images = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(ours(images), theirs(ours.normalise(images)))


def test_a_classifier_is_the_librarys_but_for_its_last_layer() -> None:
    """Where the library pools and then has one linear layer, as EfficientNet does, the logits are the same."""
    torch.manual_seed(0)
    ours = TimmClassifier(CLASSIFIERS["timm_efficientnet_b0"]).eval()
    theirs = timm.create_model("efficientnet_b0", pretrained=False, num_classes=2).eval()
    theirs.load_state_dict(
        ours.body.state_dict() | {f"classifier.{name}": value for name, value in ours.linear.state_dict().items()}
    )
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(ours(images), theirs(ours.normalise(images)), atol=1e-5)


def test_a_classifier_normalises_as_its_weights_were_trained() -> None:
    layer = TimmClassifier(entry_of("test_nfnet"), 4).normalise  # not ImageNet's mean, as most have
    assert layer.mean.flatten().tolist() == [0.5, 0.5, 0.5, 0.0]
    assert layer.std.flatten().tolist()[:3] == [0.5, 0.5, 0.5]


def test_maps_are_counted_by_looking_not_by_what_the_library_calls_its_features() -> None:
    net = TimmClassifier(entry_of("mobilenetv3_small_050"))
    assert net.training
    assert net.body.num_features != net.class_weights.shape[1]
    assert net.eval().features(torch.rand(1, 3, 64, 64)).shape == (1, net.class_weights.shape[1], 2, 2)


@pytest.mark.parametrize("architecture", ["test_vit", "test_mambaout"])  # tokens; channels at the end
def test_what_gives_no_maps_is_refused(architecture: str) -> None:
    with pytest.raises(ValueError, match=f"timm_{architecture} gives .* not maps B x K x h x w"):
        TimmClassifier(entry_of(architecture))


def test_weights_of_another_network_are_refused_and_nothing_is_copied() -> None:
    net = SmpSegmenter(SEGMENTERS["unet_resnet34"])
    before = net.net.encoder.conv1.weight.clone()
    other = {name: value + 1 for name, value in net.net.encoder.state_dict().items()}
    with pytest.raises(ValueError, match=r"encoder of unet_resnet34: bn1\.bias"):
        net.load_pretrained({name: value for name, value in other.items() if name != "bn1.bias"})
    assert torch.equal(net.net.encoder.conv1.weight, before)
    net.load_pretrained(other | {"fc.weight": torch.ones(1)})
    assert torch.equal(net.net.encoder.conv1.weight, before + 1)
