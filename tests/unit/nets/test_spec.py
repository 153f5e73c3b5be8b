"""What a pipeline is built from."""

from typing import Any

import pytest

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.spec import PipelineSpec


def test_a_spec_comes_back_from_its_card() -> None:
    spec = PipelineSpec(classifier="resnet50", segnet_width=0.25, height_px=128, width_px=160, threshold_4ch=0.37)
    assert PipelineSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    "change",
    [
        {"classifier": "resnet34"},
        {"segmenter": "unet"},
        {"height_px": 100},
        {"width_px": 0},
        {"segnet_width": 0.0},
        {"segnet_width": float("nan")},
        {"threshold_3ch": 1.5},
        {"mask_threshold": float("nan")},
    ],
)
def test_values_without_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|no segmenter|is a probability"):
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
