"""What the program asks of files that several machines share; `colpo_core.cluster.shared_files` does it.

A name has slashes between its parts, and a file is written whole or not at all.
"""

from pathlib import Path
from typing import Protocol

BLOBS = "blobs"
CHECKPOINTS = "checkpoints"
JOBS = "jobs"


def blob_place(sha256: str) -> str:
    """The name of a content-addressed file: below the store's folder, a back-up's, and among shared files."""
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


class SharedFiles(Protocol):
    """Files below an address, by names with slashes between. Each method raises `FilesUnreachable`, where not said.

    Attributes:
        url: The address.
    """

    url: str

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in place of one that is there."""

    def send(self, path: Path, name: str) -> None:
        """Write a file of this machine, of any size, in place of one that is there.

        Raises:
            FileNotFoundError: The file of this machine is gone.
        """

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""

    def fetch(self, name: str, path: Path) -> bool:
        """Copy a file to this machine; it appears whole. Returns whether there is one."""

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""

    def answers(self) -> bool:
        """Whether the place can be reached now; raises nothing."""

    def names(self, folder: str) -> list[str]:
        """Names of all files below a folder, in order."""

    def remove(self, folder: str) -> None:
        """Remove all files below a folder."""

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is well."""
