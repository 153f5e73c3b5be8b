import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.training.settings import PRESETS, TrainingSettings, preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_knows_its_name_and_comes_back_from_its_values(name: str) -> None:
    settings = preset(name)
    assert settings.preset == name
    assert TrainingSettings.from_dict(settings.to_dict()) == settings


def test_what_an_older_version_lacks_is_written_with_its_default() -> None:
    read = TrainingSettings.from_dict({"folds": 3})
    assert read.to_dict() == TrainingSettings(folds=3).to_dict()
    assert list(read.to_dict())[:2] == ["preset", "protocol"]


def test_a_preset_takes_changes() -> None:
    assert preset("quick", seed=7, classifier="resnet50") == TrainingSettings.from_dict(
        preset("quick").to_dict() | {"seed": 7, "classifier": "resnet50"}
    )


def test_an_unknown_preset_or_setting_is_refused() -> None:
    with pytest.raises(InputRejected, match="quick, standard, paper"):
        preset("slow")
    with pytest.raises(InputRejected, match="unknown to this version: momentum"):
        TrainingSettings.from_dict({"momentum": 0.9})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"classifier": "vgg19"}, "classifier"),
        ({"segmenter": "unet"}, "The segmenter must be one of segnet_vgg19, unet_resnet34"),
        ({"height_px": 100}, "multiple of 32"),
        ({"width_px": 32}, "at least 64"),
        ({"batch_size": 1}, "at least 2"),
        ({"segmentation_epochs": 0}, "one epoch"),
        ({"segnet_width": 2.0}, "width multiplier"),
        ({"learning_rate_segmentation": 0.0}, "above 0"),
        ({"weight_decay": -1.0}, "not below"),
        ({"average_flips": True, "flips": False}, "switch Flips on too"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputRejected, match=sentence):
        TrainingSettings.from_dict(changes)
