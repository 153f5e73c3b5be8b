"""Files that several machines share: an object store such as S3 or MinIO, or a folder that all of them mount.

A name is written whole or not at all: an object store shows an object once its last byte is there, and a file in a
folder is written beside its place and renamed.

Source: https://filesystem-spec.readthedocs.io (fsspec), by which the one is spoken to like the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec

from colpo_core.errors import FilesUnreachable, InputRejected
from colpo_core.store.blobs import copy_file, write_file
from colpo_core.store.shared_files import SharedFiles

_FOLDER = "file"
_TRIES = 2  # reading has as many within each
_SLOWEST_ANSWER_SECONDS = 30.0
_SLOWEST_BYTES_A_SECOND = 1e6
_PATIENCE = {
    "s3": {
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 10,
            "retries": {"max_attempts": 0},  # s3fs tries again itself
        }
    }
}


class FsspecFiles(SharedFiles):
    """Shared files that fsspec speaks to.

    Args:
        url: The address, such as `s3://bucket/colpo`. Credentials come from where its library looks for them.

    Raises:
        InputRejected: The package that speaks the address's protocol is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        protocol, _, rest = url.partition("://")
        self._folder = Path(rest) if protocol == _FOLDER else None
        # The listing is another machine's too, so none is remembered; nor is a connection of settings of before.
        options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
        options |= _PATIENCE.get(protocol, {})
        try:
            self._system = fsspec.filesystem(protocol, **({} if self._folder else options))
        except ImportError as error:
            raise InputRejected(
                f"A package for {protocol}:// is missing. Install requirements-cluster.txt, or the one that fsspec "
                f"names: {error}."
            ) from error
        if protocol == "s3":
            self._system.retries = _TRIES
        self._root = str(self._folder) if self._folder else rest

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in place of one that is there."""
        with self._explaining():
            if self._folder:
                write_file(self._folder / name, content)
            else:
                self._system.pipe_file(self._path(name), content, timeout=_write_seconds(len(content)))

    def send(self, place: Path, name: str) -> None:
        """Write a file of this machine, of any size, in place of one that is there."""
        with place.open("rb"), self._explaining():
            if self._folder:
                copy_file(place, self._folder / name)
            else:
                self._system.put_file(str(place), self._path(name), timeout=_write_seconds(place.stat().st_size))

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        try:
            with self._explaining():
                return bytes(self._system.cat_file(self._path(name)))
        except _Missing:
            return None

    def fetch(self, name: str, place: Path) -> bool:
        """Copy a file to this machine; it appears whole. Returns whether there is one."""
        temporary = place.with_name(f".{place.name}.{uuid4().hex}")
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._explaining():
                self._system.get_file(self._path(name), str(temporary))
                temporary.replace(place)
        except _Missing:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        try:
            with self._explaining():
                return int(self._system.info(self._path(name))["size"])
        except _Missing:
            return None

    def answers(self) -> bool:
        """Whether the place can be reached now."""
        try:
            self.size("answers")
        except FilesUnreachable:
            return False
        return True

    def names(self, folder: str) -> list[str]:
        """Names of all files below a folder, in order."""
        try:
            with self._explaining():
                paths = self._system.find(self._path(folder))
        except _Missing:
            return []
        start = len(self._path(""))
        return sorted(name for name in (str(path)[start:] for path in paths) if not _is_temporary(name))

    def remove(self, folder: str) -> None:
        """Remove all files below a folder."""
        for name in self.names(folder):
            self.delete(name)

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is well."""
        with suppress(_Missing), self._explaining():
            self._system.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # Each protocol's library has errors of its own, and they share no parent but this one.
            kind = _Missing if isinstance(error, FileNotFoundError) else FilesUnreachable
            raise kind(
                f"The shared files at {self.url} do not answer ({type(error).__name__}). Look whether this machine "
                "reaches them and may write there; nothing was changed."
            ) from error


class _Missing(FilesUnreachable):
    """There is no such file; or, where one was to be written, no such place."""


def _write_seconds(n_bytes: int) -> float:
    """How long a write may take. Its library waits without end for a server that does not say that it may go on."""
    return _SLOWEST_ANSWER_SECONDS + n_bytes / _SLOWEST_BYTES_A_SECOND


def _is_temporary(name: str) -> bool:
    return name.rpartition("/")[2].startswith(".") or name.endswith(".writing")
