"""What a pipeline is built from."""

from typing import Any

import pytest

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.statistics.calibration import Calibration


def test_a_spec_comes_back_from_its_card() -> None:
    spec = PipelineSpec(
        classifier="resnet50",
        segnet_width=0.25,
        height_px=128,
        width_px=160,
        threshold_4ch=0.37,
        temperature_3ch=1.7,
        temperature_4ch=0.6,
        mask_highlights=True,
        average_flips=True,
        intercept_3ch=-0.8,
        intercept_4ch=0.1,
    )
    assert PipelineSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    "change",
    [
        {"classifier": "resnet34"},
        {"segmenter": "unet"},
        {"temperature_3ch": 0.0},
        {"temperature_4ch": float("inf")},
        {"intercept_3ch": float("nan")},
        {"intercept_4ch": float("-inf")},
        {"mask_highlights": "no"},
        {"average_flips": 4},
        {"height_px": 100},
        {"width_px": 0},
        {"segnet_width": 0.0},
        {"segnet_width": float("nan")},
        {"threshold_3ch": 1.5},
        {"mask_threshold": float("nan")},
    ],
)
def test_values_without_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|is a probability"):
        PipelineSpec(**change)
    with pytest.raises(CheckpointMismatch, match="describes no pipeline"):
        PipelineSpec.from_dict(PipelineSpec().to_dict() | change)


def test_a_card_of_another_version_is_refused() -> None:
    with pytest.raises(CheckpointMismatch, match="dropout"):
        PipelineSpec.from_dict(PipelineSpec().to_dict() | {"dropout": 0.1})
    values = PipelineSpec().to_dict()
    del values["width_px"]
    with pytest.raises(CheckpointMismatch, match="width_px"):
        PipelineSpec.from_dict(values)
    with pytest.raises(CheckpointMismatch, match="describes no pipeline"):
        PipelineSpec.from_dict(PipelineSpec().to_dict() | {"height_px": "tall"})


def test_a_card_of_an_earlier_version_has_what_was_then_the_only_way() -> None:
    values = PipelineSpec(threshold_3ch=0.3).to_dict()
    calibration = {f"{name}_{network}" for name in ("temperature", "intercept") for network in ("3ch", "4ch")}
    for name in calibration | {"mask_highlights", "average_flips"}:
        del values[name]
    assert PipelineSpec.from_dict(values) == PipelineSpec(threshold_3ch=0.3)
    assert PipelineSpec.from_dict(values).calibration_4ch == Calibration()
    # What it has of the newer fields counts.
    assert PipelineSpec.from_dict(values | {"temperature_4ch": 2.0}).temperature_4ch == 2.0


def test_a_width_belongs_to_segnet_alone() -> None:
    assert PipelineSpec(segnet_width=0.25).segnet_width == 0.25
    assert PipelineSpec(segmenter="unet_resnet34", segnet_width=0.25) == PipelineSpec(segmenter="unet_resnet34")
