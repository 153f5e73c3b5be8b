"""All settings of a training as a form: each by its kind, in groups, from those of the preset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, NetworkEntry, available, missing_sentence
from colpo_core.records.training.settings import (
    CLASS_WEIGHTS,
    MOST_FOLDS,
    MOST_SEEDS,
    PRECISIONS,
    PROTOCOLS,
    THRESHOLD_RULES,
    TrainingSettings,
)
from pages._ui.training.setting_words import COMPILE, HELP, NAMES, WORDS


@dataclass(frozen=True)
class Group:
    """Settings that stand together.

    Attributes:
        title: What they are about.
        names: Which ones, in the order in which they are shown.
    """

    title: str
    names: tuple[str, ...]


GROUPS = (
    Group("Networks", ("segmenter", "classifier", "segnet_width", "pretrained", "average_flips")),
    Group("Sizes", ("height_px", "width_px", "batch_size")),
    Group(
        "Course",
        (
            "segmentation_epochs",
            "classification_epochs",
            "learning_rate_segmentation",
            "learning_rate_classification",
            "weight_decay",
            "max_gradient_norm",
            "class_weights",
            "early_stopping",
            "ema_decay",
            "threshold_rule",
            "seed",
        ),
    ),
    Group(
        "Augmentation",
        (
            "flips",
            "mask_highlights",
            "rotation_deg",
            "translation",
            "zoom_out",
            "zoom_in",
            "brightness",
            "gamma",
            "contrast",
            "hue_deg",
            "blur_px",
        ),
    ),
    Group("Fourth channel and comparison", ("protocol", "folds", "comparison_seeds")),
    Group("Machine", ("precision", "compile", "devices", "threads")),
)
"""Every setting but the preset's name, each once."""

_NETWORKS: dict[str, Mapping[str, NetworkEntry]] = {"segmenter": SEGMENTERS, "classifier": CLASSIFIERS}
_CHOICES: dict[str, Sequence[str]] = {
    "protocol": PROTOCOLS,
    "class_weights": CLASS_WEIGHTS,
    "threshold_rule": THRESHOLD_RULES,
    "precision": PRECISIONS,
    "compile": COMPILE,
}
_MOST = {"folds": MOST_FOLDS, "comparison_seeds": MOST_SEEDS}


def settings_form(start: TrainingSettings) -> TrainingSettings:
    """Draw all settings and take what stands in them.

    Args:
        start: Those of the preset.

    Raises:
        InputRejected: A field is empty, a network cannot be built here, or the settings do not make sense together.
    """
    changes: dict[str, Any] = {}
    with st.expander("All settings", icon=":material/tune:"):
        for group in GROUPS:
            st.markdown(f"**{group.title}**")
            for index, column in enumerate(st.columns(2)):
                with column:
                    for name in group.names[index::2]:
                        changes[name] = _field(name, start)
            if group.title == "Networks":
                _say_missing()
    if any(value is None for value in changes.values()):
        raise InputRejected("A setting is empty. Fill it in, or choose the preset again.")
    if changes["protocol"] == "paper":
        st.error(
            "The paper's protocol augments before it splits: copies of one image stand on both sides, so its figures "
            "leak and flatter the model. Every one of them will say so. Take it to repeat the paper, not for use.",
            icon=":material/water_drop:",
        )
    chosen = replace(start, **changes)
    for name, entries in _NETWORKS.items():
        entry = entries[changes[name]]
        if not available(entry):
            raise InputRejected(missing_sentence(entry))
    return chosen


def _field(name: str, start: TrainingSettings) -> Any:  # noqa: ANN401 - any setting's own type
    value, key = getattr(start, name), f"{start.preset}_{name}"
    if name in _NETWORKS:
        entries = _NETWORKS[name]
        return st.selectbox(
            NAMES[name], list(entries), index=list(entries).index(value), key=key, help=HELP[name],
            format_func=lambda network: network_title(entries[network]),
        )  # fmt: skip
    if name in _CHOICES:
        options = list(_CHOICES[name])
        return st.selectbox(
            NAMES[name], options, index=options.index(value), key=key, help=HELP[name],
            format_func=lambda option: WORDS[name].get(option, option),
        )  # fmt: skip
    if isinstance(value, bool):
        return st.toggle(NAMES[name], value=value, key=key, help=HELP[name])
    if isinstance(value, str):
        return st.text_input(NAMES[name], value=value, key=key, help=HELP[name]).strip() or None
    return _number(name, value, key)


def _number(name: str, value: float, key: str) -> float | None:
    if isinstance(value, int):
        return st.number_input(
            NAMES[name], value=value, step=1, max_value=_MOST.get(name), format="%d", key=key, help=HELP[name]
        )
    return st.number_input(NAMES[name], value=value, step=None, format="%.5g", key=key, help=HELP[name])


def network_title(entry: NetworkEntry) -> str:
    """A network's title, and whether it can be built here."""
    return entry.title if available(entry) else f"{entry.title} (not installed)"


def _say_missing() -> None:
    missing = [entry for entries in _NETWORKS.values() for entry in entries.values() if not available(entry)]
    if missing:
        st.caption(
            "Not installed here: " + ", ".join(entry.title for entry in missing) + ". They need the optional packages: "
            "pip install -r requirements-nets.txt -c constraints.txt."
        )
