"""Content-addressed files that several machines share, with a copy on this one of what it has used."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from colpo_core.errors import NotFound
from colpo_core.store.blobs import BlobFolder, content_sha256, write_file
from colpo_core.store.shared_files import BLOBS, CHECKPOINTS, SharedFiles, blob_place

_TRIM_EVERY = 0.1  # of the limit: so much is copied before the folder is looked through again
_TRIM_TO = 0.9


class SharedBlobs(BlobFolder):
    """A folder of copies before the shared files: what is stored is shared first, what is read is copied first.

    A copy that is damaged is fetched again. When copies take more than the limit, those used longest ago go.

    Args:
        root: Folder of the copies; nothing else may lie in it.
        files: The shared files.
        limit_bytes: How much the copies may take.
    """

    def __init__(self, root: Path, files: SharedFiles, *, limit_bytes: float) -> None:
        super().__init__(root)
        self._files = files
        self._limit_bytes = limit_bytes
        self._copied_bytes = 0.0
        self._lock = threading.Lock()

    def put(self, content: bytes) -> str:
        """Store bytes once, for all machines.

        Returns:
            The SHA-256 in hexadecimal, by which `get` finds them.

        Raises:
            FilesUnreachable: The shared files do not answer; nothing was stored.
        """
        sha256 = content_sha256(content)
        if not self._copy_is_whole(sha256):
            # A shared file of the same length may be damaged: what is stored again heals it.
            if self._files.size(blob_place(sha256)) != len(content) or self._files.read(blob_place(sha256)) != content:
                self._files.write(blob_place(sha256), content)
            self._keep(sha256, content)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Read bytes and check them against their name.

        Raises:
            NotFound: The file is gone or no longer holds what its name says.
            FilesUnreachable: There is no copy here, and the shared files do not answer.
        """
        try:
            content = super().get(sha256)
        except NotFound:
            return self._fetched(sha256)
        with suppress(FileNotFoundError):  # another process has made room meanwhile
            os.utime(self.path(sha256))  # so that the copies used longest ago can be told
        return content

    def _copy_is_whole(self, sha256: str) -> bool:
        try:
            super().get(sha256)
        except NotFound:
            return False
        return True

    def _fetched(self, sha256: str) -> bytes:
        content = self._files.read(blob_place(sha256))
        if content is None:
            raise NotFound("A stored file is missing from the shared files. Restore them from a back-up.")
        if content_sha256(content) != sha256:
            raise NotFound("A stored file is damaged in the shared files. Restore them from a back-up.")
        self._keep(sha256, content)
        return content

    def _keep(self, sha256: str, content: bytes) -> None:
        write_file(self.path(sha256), content)
        with self._lock:
            self._copied_bytes += len(content)
            if self._copied_bytes < self._limit_bytes * _TRIM_EVERY:
                return
            self._copied_bytes = 0.0
        trim(self._root.parent, limit_bytes=self._limit_bytes)


def trim(cache: Path, *, limit_bytes: float) -> int:
    """Delete the copies used longest ago until the others take nine tenths of a limit; returns how many went.

    Args:
        cache: Folder of copies: `blobs` with a file each, `checkpoints` with a folder each.
        limit_bytes: How much all of them may take.
    """
    copies = sorted(_copies(cache), key=lambda copy: copy[0])
    total = sum(size for _, size, _ in copies)
    if total <= limit_bytes:
        return 0
    gone = 0
    for _, size, place in copies:
        if total <= limit_bytes * _TRIM_TO:
            break
        shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
        total -= size
        gone += 1
    return gone


def _copies(cache: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was used last, its bytes and its place."""
    for place in (*(cache / BLOBS).glob("??/*"), *(cache / CHECKPOINTS).glob("[!.]*")):
        try:
            parts = list(place.iterdir()) if place.is_dir() else [place]
            yield place.stat().st_mtime, sum(part.stat().st_size for part in parts), place
        except FileNotFoundError:  # another process has deleted it
            continue
