"""Networks by name; pretrained weights from files that the tests write."""

from pathlib import Path

import pytest
import torch
import torchvision

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.registry import build_classifier, build_segmenter, find_weights


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(11)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), folder / "resnet18.pth")
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


def test_published_weights_need_the_full_width(weights_dir: Path) -> None:
    with pytest.raises(CheckpointMismatch, match=r"width 1 only, not 0\.25"):
        build_segmenter(width=0.25, pretrained=str(weights_dir))


def test_unknown_names_are_a_programmers_mistake() -> None:
    with pytest.raises(ValueError, match="segmenter must be"):
        build_segmenter("unet")
    with pytest.raises(ValueError, match="classifier must be"):
        build_classifier("resnet34", in_channels=3)
