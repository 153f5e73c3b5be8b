"""Finished stages and unfinished fits are stored, so that a training which was torn down goes on where it stood."""

import hashlib
import json
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

import colpo_core
from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import JobFailed
from colpo_core.nets.card import file_sha256
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.training.contract import FitResult

SAVE_EVERY_SECONDS = 300.0


def training_key(manifest: Manifest, settings: TrainingSettings) -> str:
    """What a stage's weights depend on: snapshot, settings and version of the program, as one hash."""
    content = {
        "snapshot": manifest.sha256,
        "settings": settings.to_dict(),
        "code_version": colpo_core.__version__,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class StageStore:
    """Weights of finished stages in a folder; one of another training, or a torn one, is passed over.

    Args:
        folder: Where they lie; made where it is missing.
        key: `training_key` of this training.
        save_every_s: Seconds after which an unfinished stage is saved again; its optimizer is large.
    """

    def __init__(self, folder: Path, key: str, *, save_every_s: float = SAVE_EVERY_SECONDS) -> None:
        self._folder = folder
        self._key = key
        self._save_every_s = save_every_s
        folder.mkdir(parents=True, exist_ok=True)

    def unfinished(self, stage: str) -> "FitStateFile":
        """Where the state of a stage that is not finished is saved between its epochs."""
        return FitStateFile(self._folder / f"{stage.replace(' ', '-')}.unfinished", self._key, self._save_every_s)

    def save(self, stage: str, network: nn.Module, fitted: FitResult) -> None:
        """Save a finished stage. The record is written last, so weights without one do not count.

        Raises:
            JobFailed: The disk cannot take it.
        """
        weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        path = self._weights(stage)
        partial = path.with_suffix(".part")
        with _explaining_disk():
            safetensors.torch.save_file(weights, partial)
            sha256 = file_sha256(partial)
            _move(partial, path)
            record = {"key": self._key, "weights_sha256": sha256, **asdict(fitted)}
            partial.write_text(json.dumps(record), encoding="utf-8")
            _move(partial, self._record(stage))
        self.unfinished(stage).delete()

    def load(self, stage: str, network: nn.Module) -> FitResult | None:
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
        return FitResult(best_epoch=record["best_epoch"], history=record["history"])

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


class FitStateFile:
    """The state of one fit between two epochs, in one file. See `FitStateStore`.

    Args:
        path: The file.
        key: `training_key` of this training.
        save_every_s: Seconds between two writings.
    """

    def __init__(self, path: Path, key: str, save_every_s: float) -> None:
        self._path = path
        self._key = key
        self._save_every_s = save_every_s
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last; None where there is none of this training that is whole."""
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        if not isinstance(content, dict) or content.get("key") != self._key:
            return None
        state: dict[str, Any] = content["state"]
        return state

    def due(self) -> bool:
        """Whether enough time has passed since the last one."""
        return time.monotonic() - self._saved_at >= self._save_every_s

    def save(self, state: dict[str, Any]) -> None:
        """Save a state in place of the one before.

        Raises:
            JobFailed: The disk cannot take it.
        """
        partial = self._path.with_suffix(".part")
        content = {"key": self._key, "state": state}
        with _explaining_disk():
            torch.save(content, partial)
            _move(partial, self._path)
        self._saved_at = time.monotonic()

    def delete(self) -> None:
        """The stage is finished: its state is not needed any more."""
        self._path.unlink(missing_ok=True)


@contextmanager
def _explaining_disk() -> Iterator[None]:
    """Say in a sentence that weights cannot be written; torch and safetensors have errors of their own for that."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        raise JobFailed(
            "The weights of a stage cannot be written into the data folder. Make room on its disk and look whether it "
            "is writable, then start the training again."
        ) from error


def _move(partial: Path, path: Path) -> None:
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
