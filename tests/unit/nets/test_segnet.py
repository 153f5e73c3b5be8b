"""SegNet against its sources: torchvision's VGG-19-BN and unpooling by indices."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from colpo_core.nets.interfaces import ACETOWHITE
from colpo_core.nets.segnet import SegNet


@pytest.fixture(scope="module")
def vgg() -> nn.Module:
    torch.manual_seed(1)
    net = torchvision.models.vgg19_bn(weights=None, num_classes=1).features.eval()
    for layer in net:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return net


@pytest.fixture(scope="module")
def full(vgg: nn.Module) -> SegNet:
    net = SegNet()
    net.load_pretrained({f"features.{key}": value for key, value in vgg.state_dict().items()})
    return net.eval()


def small() -> SegNet:
    torch.manual_seed(0)
    return SegNet(0.05)


def test_the_encoder_is_vgg_19_bn_bit_for_bit(vgg: nn.Module, full: SegNet) -> None:
    images = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        theirs = vgg(full.normalise(images))
        ours = full.normalise(images)
        for stage in full.encoder:
            ours = F.max_pool2d(stage(ours), 2, 2)
    assert torch.equal(ours, theirs)


def test_the_whole_net_has_the_size_of_a_mirrored_vgg_19(full: SegNet, vgg: nn.Module) -> None:
    n_encoder = sum(p.numel() for p in vgg.parameters())
    assert sum(p.numel() for p in full.encoder.parameters()) == n_encoder
    assert sum(p.numel() for p in full.parameters()) == 40_068_674
    convolutions = [layer for layer in full.modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 32  # 16 and their mirror


def test_fully_connected_weights_are_left_out_and_wrong_ones_refused(vgg: nn.Module) -> None:
    weights = {f"features.{key}": value for key, value in vgg.state_dict().items()}
    net = SegNet()
    net.load_pretrained(weights | {"classifier.0.weight": torch.zeros(1)})
    before = net.encoder[0][0].weight.clone()
    broken = dict(weights)
    broken["features.49.weight"] = torch.zeros(3, 3)
    with pytest.raises(ValueError, match=r"features\.49\.weight"):
        net.load_pretrained({key: value + 1 for key, value in broken.items()})
    assert torch.equal(net.encoder[0][0].weight, before)
    with pytest.raises(ValueError, match=r"features\.0\.bias is missing"):
        net.load_pretrained({"features.0.weight": weights["features.0.weight"]})
    with pytest.raises(ValueError, match="misshapen"):
        SegNet(0.5).load_pretrained(weights)


def test_the_published_file_lacks_counters_of_batches_and_is_taken(vgg: nn.Module, full: SegNet) -> None:
    """torchvision's file is older than these counters, and the order of its arrays is no promise."""
    old = [(f"features.{key}", value) for key, value in vgg.state_dict().items() if "num_batches" not in key]
    net = SegNet()
    net.load_pretrained(dict(sorted(old, reverse=True)))
    for name, value in full.encoder.state_dict().items():
        assert torch.equal(net.encoder.state_dict()[name], value), name


def test_the_whole_net_at_full_width_scores_every_pixel(full: SegNet) -> None:
    with torch.inference_mode():
        logits = full(torch.rand(1, 3, 40, 56))
        soft = full.acetowhite(torch.rand(1, 3, 40, 56))
    assert logits.shape == (1, 2, 40, 56)
    assert torch.isfinite(logits).all()
    assert logits.std() > 0
    assert soft.shape == (1, 1, 40, 56)


def test_unpooling_puts_each_maximum_back_where_it_came_from() -> None:
    """With stages that change nothing, what comes out is the input's maxima at their own places."""
    net = small().eval()
    for place in range(5):
        net.encoder[place] = nn.Sequential(nn.Identity())
        net.decoder[place] = nn.Sequential(nn.Identity())
    net.normalise = nn.Identity()  # type: ignore[assignment]
    net.classify = nn.Identity()  # type: ignore[assignment]
    images = torch.rand(2, 3, 64, 64)
    out = net(images)
    kept = out != 0
    assert kept.sum() == 2 * 3 * 2 * 2
    assert torch.equal(out[kept], images[kept])
    blocks = images.reshape(2, 3, 2, 32, 2, 32).amax(dim=(3, 5))
    assert torch.equal(out.reshape(2, 3, 2, 32, 2, 32).amax(dim=(3, 5)), blocks)


def test_gradients_reach_every_weight() -> None:
    net = small().train()
    truth = torch.randint(0, 2, (2, 45, 64))
    F.cross_entropy(net(torch.rand(2, 3, 45, 64)), truth).backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        # A bias before batch normalisation is taken out again by its mean: kept, as VGG-19-BN keeps it.
        if weight.dim() == 4:
            assert weight.grad.abs().sum() > 0, name


def test_it_learns_a_square() -> None:
    torch.manual_seed(0)
    net = SegNet(0.1).train()
    images = torch.full((4, 3, 32, 32), 0.3)
    truth = torch.zeros(4, 32, 32, dtype=torch.long)
    for place in range(4):
        images[place, :, 4 * place : 4 * place + 12, 8:24] = 0.9
        truth[place, 4 * place : 4 * place + 12, 8:24] = ACETOWHITE
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = F.cross_entropy(net(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_one_seed_gives_one_network() -> None:
    first, second = small().state_dict(), small().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_width_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        SegNet(0)
