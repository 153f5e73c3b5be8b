"""Networks by name; pretrained weights from files that the tests write."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
import torchvision

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.registry import build_classifier, build_segmenter, find_weights
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, NetworkEntry
from colpo_core.records.training.settings import TrainingSettings


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(11)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), folder / "resnet18.pth")
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), folder / "resnet34.pth")
    features = torchvision.models.vgg19_bn(weights=None, num_classes=1).features.state_dict()
    torch.save({f"features.{key}": value for key, value in features.items()}, folder / "vgg19_bn.pth")
    return folder


def test_a_folder_of_weights_is_loaded(weights_dir: Path) -> None:
    published = torch.load(weights_dir / "resnet18.pth", weights_only=True)
    for in_channels in (3, 4):
        net = build_classifier("resnet18", in_channels=in_channels, pretrained=str(weights_dir))
        assert torch.equal(net.resnet.layer1[0].conv1.weight, published["layer1.0.conv1.weight"])
    published = torch.load(weights_dir / "vgg19_bn.pth", weights_only=True)
    net = build_segmenter(pretrained=str(weights_dir))
    assert torch.equal(net.encoder[0][0].weight, published["features.0.weight"])
    assert torch.equal(net.encoder[4][9].weight, published["features.49.weight"])


def test_a_segmenters_encoder_takes_published_weights(weights_dir: Path) -> None:
    published = torch.load(weights_dir / "resnet34.pth", weights_only=True)
    net = build_segmenter("unet_resnet34", width=0.25, pretrained=str(weights_dir))  # a width belongs to SegNet alone
    assert torch.equal(net.net.encoder.layer4[2].conv2.weight, published["layer4.2.conv2.weight"])


def test_a_library_file_is_taken_as_it_is_published(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(8)
    published = timm.create_model("efficientnet_b0", pretrained=False).state_dict()
    safetensors.torch.save_file(published, tmp_path / "efficientnet_b0.safetensors")
    four = build_classifier("timm_efficientnet_b0", in_channels=4, pretrained=str(tmp_path))
    first = four.body.conv_stem.weight
    assert torch.equal(first[:, :3], published["conv_stem.weight"])
    assert not first[:, 3].any()
    assert torch.equal(four.body.conv_head.weight, published["conv_head.weight"])


def test_a_file_of_the_time_before_counters_of_batches_is_taken(tmp_path: Path, weights_dir: Path) -> None:
    """So are torchvision's own: saved in the format before zip files, without these counters."""
    published = torch.load(weights_dir / "resnet18.pth", weights_only=True)
    old = {name: torch.nn.Parameter(value) for name, value in published.items() if "num_batches" not in name}
    torch.save(old, tmp_path / "resnet18.pth", _use_new_zipfile_serialization=False)
    net = build_classifier("resnet18", in_channels=4, pretrained=str(tmp_path))
    assert torch.equal(net.resnet.layer4[1].bn2.running_var, published["layer4.1.bn2.running_var"])
    assert torch.equal(net.resnet.conv1.weight[:, :3], published["conv1.weight"])


def test_pretrained_three_and_four_channels_start_alike(weights_dir: Path) -> None:
    torch.manual_seed(4)
    three = build_classifier("resnet18", in_channels=3, pretrained=str(weights_dir)).eval()
    torch.manual_seed(4)
    four = build_classifier("resnet18", in_channels=4, pretrained=str(weights_dir)).eval()
    images = torch.rand(2, 4, 64, 64)
    with torch.inference_mode():
        assert torch.equal(four(images), three(images[:, :3].contiguous()))


def test_the_usual_cache_is_found(tmp_path: Path, weights_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes((weights_dir / "resnet18.pth").read_bytes())
    assert find_weights("resnet18", "imagenet") == cached
    build_classifier("resnet18", in_channels=3, pretrained="imagenet")


def test_missing_weights_are_said_and_nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(CheckpointMismatch, match=r"resnet18-f37072fd\.pth are not in .*hub.checkpoints"):
        build_classifier("resnet18", in_channels=3, pretrained="imagenet")
    with pytest.raises(CheckpointMismatch, match=r"vgg19_bn-c79401a0\.pth are not in"):
        build_segmenter(pretrained="imagenet")
    with pytest.raises(CheckpointMismatch, match=r"resnet50\.pth are not in .*Copy resnet50\.pth"):
        build_classifier("resnet50", in_channels=3, pretrained=str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointMismatch, match=r"publishes no weights for SegFormer-B0.*mit_b0\.pth or mit_b0\.safe"):
        build_segmenter("segformer_mit_b0", pretrained="imagenet")
    with pytest.raises(CheckpointMismatch, match=r"Copy convnext_tiny\.pth"):
        build_classifier("timm_convnext_tiny", in_channels=3, pretrained=str(tmp_path))


def test_weights_that_are_none_or_others_are_refused(tmp_path: Path, weights_dir: Path) -> None:
    (tmp_path / "resnet18.pth").write_bytes(b"no weights at all")
    with pytest.raises(CheckpointMismatch, match="cannot be read"):
        build_classifier("resnet18", in_channels=3, pretrained=str(tmp_path))
    whole = (weights_dir / "resnet18.pth").read_bytes()
    (tmp_path / "resnet18.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointMismatch, match="cannot be read"):
        build_classifier("resnet18", in_channels=3, pretrained=str(tmp_path))
    torch.save([1, 2, 3], tmp_path / "resnet18.pth")
    with pytest.raises(CheckpointMismatch, match="holds no network weights"):
        build_classifier("resnet18", in_channels=3, pretrained=str(tmp_path))
    (tmp_path / "resnet50.pth").write_bytes(whole)
    with pytest.raises(CheckpointMismatch, match="torchvision's resnet50"):
        build_classifier("resnet50", in_channels=3, pretrained=str(tmp_path))
    (tmp_path / "vgg19_bn.pth").write_bytes(whole)
    with pytest.raises(CheckpointMismatch, match="torchvision's vgg19_bn"):
        build_segmenter(pretrained=str(tmp_path))
    (tmp_path / "resnet34.pth").write_bytes(whole)
    with pytest.raises(CheckpointMismatch, match="torchvision's resnet34: the weights are not those of the encoder"):
        build_segmenter("unet_resnet34", pretrained=str(tmp_path))
    (tmp_path / "convnext_tiny.safetensors").write_bytes(whole)
    with pytest.raises(CheckpointMismatch, match="cannot be read"):
        build_classifier("timm_convnext_tiny", in_channels=3, pretrained=str(tmp_path))


def test_published_weights_need_the_full_width(weights_dir: Path) -> None:
    with pytest.raises(CheckpointMismatch, match=r"width 1 only, not 0\.25"):
        build_segmenter(width=0.25, pretrained=str(weights_dir))


def test_unknown_names_are_a_programmers_mistake() -> None:
    with pytest.raises(ValueError, match="segmenter must be"):
        build_segmenter("unet")
    with pytest.raises(ValueError, match="classifier must be"):
        build_classifier("resnet34", in_channels=3)
    with pytest.raises(ValueError, match="network must be"):
        find_weights("resnet34", "imagenet")


def test_one_more_entry_is_one_more_network(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = NetworkEntry("fpn_mobilenet", "FPN", "smp", "fpn", 1.0, "mobilenet_v2", "segmentation_models_pytorch")
    body = NetworkEntry("timm_tiny", "Tiny", "timm", "test_efficientnet", 0.1, needs="timm")
    monkeypatch.setitem(SEGMENTERS, encoder.name, encoder)
    monkeypatch.setitem(CLASSIFIERS, body.name, body)
    names = {"segmenter": encoder.name, "classifier": body.name}
    assert TrainingSettings.from_dict(names).segmenter == encoder.name
    assert PipelineSpec(**names).classifier == body.name
    with torch.inference_mode():
        assert build_segmenter(encoder.name).eval()(torch.rand(1, 3, 50, 40)).shape == (1, 2, 50, 40)
        assert build_classifier(body.name, in_channels=4).eval()(torch.rand(1, 4, 64, 64)).shape == (1, 2)


def test_a_network_whose_packages_are_missing_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for entries, name in ((SEGMENTERS, "unet_resnet34"), (CLASSIFIERS, "timm_convnext_tiny")):
        monkeypatch.setitem(entries, name, replace(entries[name], needs="surely_not_installed"))
    with pytest.raises(CheckpointMismatch, match=r"U-Net on ResNet-34 needs .* -r requirements-nets\.txt"):
        build_segmenter("unet_resnet34")
    with pytest.raises(CheckpointMismatch, match=r"ConvNeXt-T needs .* -r requirements-nets\.txt"):
        build_classifier("timm_convnext_tiny", in_channels=3)


def test_the_libraries_are_imported_for_their_own_networks_alone() -> None:
    code = (
        "import sys; from colpo_core.nets.registry import build_classifier, build_segmenter\n"
        "build_segmenter(width=0.05), build_classifier('resnet18', in_channels=3)\n"
        "print({'timm', 'segmentation_models_pytorch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
