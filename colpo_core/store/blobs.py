"""Content-addressed files: a file's name is the SHA-256 of what it holds.

A file is written beside its place, flushed to the disk and renamed, and its folder is flushed too, so that a name
that exists always holds the whole content. What a crash leaves is a temporary file, which `sweep` removes.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from colpo_core.errors import NotFound

_TEMPORARY = ".writing"


class BlobFolder:
    """A folder of files named by their hash."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: bytes) -> str:
        """Store bytes once.

        Returns:
            The SHA-256 in hexadecimal, by which `get` finds them.
        """
        sha256 = content_sha256(content)
        path = self.path(sha256)
        try:
            if path.read_bytes() == content:
                return sha256
        except OSError:  # none is there yet, or it cannot be read any more
            pass
        write_file(path, content)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Read bytes back and check them against their name.

        Raises:
            NotFound: The file is gone or no longer holds what its name says.
        """
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("A stored file is missing. Restore the store's folder from a back-up.") from error
        if content_sha256(content) != sha256:
            raise NotFound("A stored file is damaged. Restore the store's folder from a back-up.")
        return content

    def path(self, sha256: str) -> Path:
        """Where the file of a hash lies.

        Raises:
            ValueError: The text is not a SHA-256.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self._root / sha256[:2] / sha256

    def sweep(self, *, older_than_seconds: float = 3600.0) -> int:
        """Remove temporary files that a crash left; returns how many."""
        removed = 0
        for leftover in self._root.glob(f"*/*{_TEMPORARY}"):
            if time.time() - leftover.stat().st_mtime >= older_than_seconds:
                leftover.unlink(missing_ok=True)
                removed += 1
        return removed


def content_sha256(content: bytes) -> str:
    """The name of a content."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the old one or the new one, whole."""
    with _appearing_whole(path) as file:
        file.write(content)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file of any size so that a crash leaves either the old one or the new one, whole."""
    with source.open("rb") as original, _appearing_whole(target) as file:
        shutil.copyfileobj(original, file)


@contextmanager
def _appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside its place, which it takes at the end of the block."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid4().hex}{_TEMPORARY}")
    try:
        with open(temporary, "wb", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def flush_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can (Windows cannot, and needs not)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
