from dataclasses import asdict, fields

import pytest

from colpo_core.records.models.networks import CLASSIFIERS
from colpo_core.records.training.settings import PRESETS, TrainingSettings, preset
from pages._ui.training import settings_form as form
from pages._ui.training.setting_words import COMPILE, HELP, NAMES, WORDS


def test_every_setting_stands_in_one_group_with_a_name_and_a_line() -> None:
    shown = [name for group in form.GROUPS for name in group.names]
    assert sorted(shown) == sorted({field.name for field in fields(TrainingSettings)} - {"preset"})
    assert set(NAMES) == set(HELP) == set(shown)
    assert len(set(NAMES.values())) == len(NAMES), "two fields of one name"


def test_every_word_of_a_setting_has_words() -> None:
    for name, options in form._CHOICES.items():
        assert set(WORDS[name]) == set(options)
        for option in options:
            assert asdict(preset("quick", **{name: option}))[name] == option
    assert preset("quick").compile in COMPILE


def test_the_presets_own_words_can_be_chosen() -> None:
    for settings in PRESETS.values():
        for name, options in form._CHOICES.items():
            assert getattr(settings, name) in options


def test_a_network_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = CLASSIFIERS["timm_efficientnet_b0"]
    monkeypatch.setattr(form, "available", lambda _entry: True)
    assert form.network_title(entry) == "EfficientNet-B0"
    monkeypatch.setattr(form, "available", lambda _entry: False)
    assert form.network_title(entry) == "EfficientNet-B0 (not installed)"
