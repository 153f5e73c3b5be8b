"""The coordinator of a fit on a Ray cluster: an actor beside the process that holds the job, and what asks it."""

import contextlib
import io
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from colpo_core.training.contract import FitStateStore
from colpo_core.training.process_group import Message

THREADS = 8
"""While one sends a file, another hears the first process."""
_CHUNK_BYTES = 16 * 2**20
_COPIES_KEPT_DAYS = 3.0


class Coordinator:
    """On its machine's disk lie the job's unfinished work and the files that it learns from.

    Args:
        state_store: Where the unfinished fit is saved; None saves nothing.
    """

    def __init__(self, state_store: FitStateStore | None) -> None:
        self._state_store = state_store
        self._messages: list[Message] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._failure = ""
        self._result: tuple[bytes, dict[str, Any]] | None = None

    def report(self, message: Message) -> bool:
        """Take what the first process reports; returns whether it is to stop."""
        with self._lock:
            self._messages.append(message)
        return self._stopped

    def messages(self) -> list[Message]:
        """What was reported since this was asked last."""
        with self._lock:
            messages, self._messages = self._messages, []
        return messages

    def stop(self) -> None:
        """Let the processes stop at their next report."""
        self._stopped = True

    def fail(self, sentence: str) -> None:
        """A process ended with a sentence of our own: another one would end alike."""
        self._failure = self._failure or sentence

    def failure(self) -> str:
        """Why the fit failed, in a sentence; empty where it has not."""
        return self._failure

    def due(self) -> bool:
        """Whether it is time to save a state."""
        return self._state_store is not None and self._state_store.due()

    def save(self, state: bytes) -> None:
        """Save a state in place of the one before."""
        if self._state_store is not None:
            self._state_store.save(torch.load(io.BytesIO(state), map_location="cpu", weights_only=True))

    def load(self) -> bytes | None:
        """The unfinished fit that was saved last."""
        state = self._state_store.load() if self._state_store else None
        return None if state is None else _bytes_of(state)

    def read(self, path: str, start: int) -> bytes:
        """A chunk of a file of this machine, for one that has not got it."""
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.read(_CHUNK_BYTES)

    def finish(self, weights: bytes, record: dict[str, Any]) -> None:
        """Take the learned weights and how the fit went."""
        self._result = weights, record

    def result(self) -> tuple[bytes, dict[str, Any]] | None:
        """What `finish` took; None before."""
        return self._result


class RemoteStateStore:
    """Saves an unfinished fit with the coordinator, from where all processes take it up.

    Args:
        coordinator: The actor's handle.
        is_first: Whether this process saves; of several the first does.
    """

    def __init__(self, coordinator: Any, *, is_first: bool) -> None:  # noqa: ANN401 - an actor's handle
        self._coordinator = coordinator
        self._is_first = is_first

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last, or None."""
        import ray

        state = ray.get(self._coordinator.load.remote())
        return None if state is None else torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)

    def due(self) -> bool:
        """Whether it is time to save a state."""
        import ray

        return self._is_first and bool(ray.get(self._coordinator.due.remote()))

    def save(self, state: dict[str, Any]) -> None:
        """Save a state in place of the one before."""
        import ray

        ray.get(self._coordinator.save.remote(_bytes_of(state)))


class FileCopies:
    """Finds the files of the process that holds the job: where they are, or as copies that are fetched once.

    Args:
        coordinator: The actor's handle.
        folder: Where this machine keeps its copies.
    """

    def __init__(self, coordinator: Any, folder: Path) -> None:  # noqa: ANN401 - an actor's handle
        self._coordinator = coordinator
        self._folder = folder

    def __call__(self, path: Path, n_bytes: int, changed_ns: int) -> Path:
        """Where a file lies for this process; see `mapped_arrays.Locator`."""
        with contextlib.suppress(OSError):
            facts = path.stat()
            if (facts.st_size, facts.st_mtime_ns) == (n_bytes, changed_ns):
                return path  # the same machine, or a folder that both mount
        copy = self._folder / sha256(f"{path}\0{n_bytes}\0{changed_ns}".encode()).hexdigest()
        if not copy.exists():
            self._fetch(path, copy)
        return copy

    def _fetch(self, path: Path, copy: Path) -> None:
        import ray

        copy.parent.mkdir(parents=True, exist_ok=True)
        _delete_old(copy.parent)
        with tempfile.NamedTemporaryFile(dir=copy.parent, suffix=".part", delete=False) as file:
            start = 0
            while chunk := ray.get(self._coordinator.read.remote(str(path), start)):
                file.write(chunk)
                start += len(chunk)
        Path(file.name).replace(copy)


def _delete_old(folder: Path) -> None:
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _COPIES_KEPT_DAYS * 86400:
                path.unlink()


def _bytes_of(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
