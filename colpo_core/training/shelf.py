"""Finished stages are put on a shelf, so that a training which was torn down goes on where it stood."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

import colpo_core
from colpo_core.datasets.manifest import Manifest
from colpo_core.nets.card import file_sha256
from colpo_core.records.learning import TrainingSettings
from colpo_core.training.loop import Fitted


def training_key(manifest: Manifest, settings: TrainingSettings) -> str:
    """What a stage's weights depend on: snapshot, settings and version of the program, as one hash."""
    content = {
        "snapshot": manifest.sha256,
        "settings": settings.to_dict(),
        "code_version": colpo_core.__version__,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Shelf:
    """Weights of finished stages in a folder; one of another training, or a torn one, is passed over.

    Args:
        folder: Where they lie; made where it is missing.
        key: `training_key` of this training.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, stage: str, network: nn.Module, fitted: Fitted) -> None:
        """Keep a finished stage. The record is written last, so weights without one do not count."""
        weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        place = self._weights(stage)
        torn = place.with_suffix(".part")
        safetensors.torch.save_file(weights, torn)
        sha256 = file_sha256(torn)
        _move(torn, place)
        record = {"key": self._key, "weights_sha256": sha256, **asdict(fitted)}
        torn.write_text(json.dumps(record), encoding="utf-8")
        _move(torn, self._record(stage))

    def take(self, stage: str, network: nn.Module) -> Fitted | None:
        """Load a stage that was finished before into a network, in eval mode; None where there is none to trust."""
        record = self._trusted_record(stage)
        if record is None:
            return None
        try:
            weights = safetensors.torch.load_file(self._weights(stage))
            network.load_state_dict(weights)
        except (SafetensorError, RuntimeError):
            # The hash was right, so the networks have changed under the same version: learn the stage anew.
            return None
        network.to(memory_format=torch.channels_last)
        network.eval()
        return Fitted(best_epoch=record["best_epoch"], history=record["history"])

    def _trusted_record(self, stage: str) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads(self._record(stage).read_text(encoding="utf-8"))
            fits = record["key"] == self._key and record["weights_sha256"] == file_sha256(self._weights(stage))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return record if fits else None

    def _weights(self, stage: str) -> Path:
        return self._folder / f"{stage.replace(' ', '-')}.safetensors"

    def _record(self, stage: str) -> Path:
        return self._folder / f"{stage.replace(' ', '-')}.json"


def _move(torn: Path, place: Path) -> None:
    with torn.open("rb+") as file:
        os.fsync(file.fileno())
    torn.replace(place)
