"""The networks by name, as plain data."""

from dataclasses import replace

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, available, check_available


@pytest.mark.parametrize("entries", [SEGMENTERS, CLASSIFIERS])
def test_each_network_stands_under_its_own_name_and_the_papers_comes_first(entries: dict) -> None:
    assert all(entry.name == name for name, entry in entries.items())
    assert len({entry.title for entry in entries.values()}) == len(entries)
    assert next(iter(entries)) in ("segnet_vgg19", "resnet18")


def test_no_name_is_both_a_segmenters_and_a_classifiers() -> None:
    assert not set(SEGMENTERS) & set(CLASSIFIERS)


def test_published_weights_fit_the_encoder_or_the_whole() -> None:
    assert SEGMENTERS["segnet_vgg19"].weights == "vgg19_bn"
    assert SEGMENTERS["unet_resnet34"].weights == "resnet34"
    assert CLASSIFIERS["resnet50"].weights == "resnet50"
    assert CLASSIFIERS["timm_convnext_tiny"].weights == "convnext_tiny"


def test_the_programs_own_networks_need_nothing_more() -> None:
    for name in ("resnet18", "resnet50", "resnet101"):
        assert CLASSIFIERS[name].needs is None
    assert SEGMENTERS["segnet_vgg19"].needs is None
    assert available(SEGMENTERS["segnet_vgg19"])


def test_a_missing_package_is_said_with_what_to_do() -> None:
    there = SEGMENTERS["segnet_vgg19"]
    missing = replace(SEGMENTERS["unet_resnet34"], needs="surely_not_installed")
    assert not available(missing)
    check_available(there)
    with pytest.raises(InputRejected, match=r"U-Net on ResNet-34 needs .*requirements-nets\.txt -c constraints\.txt"):
        check_available(there, missing)
