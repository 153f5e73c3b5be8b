"""Records of what the store takes on the disk."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FolderSize:
    """What one part of the store holds.

    Attributes:
        name: Such as `Images and maps`.
        files: How many files.
        size_bytes: What they take together.
    """

    name: str
    files: int
    size_bytes: int


@dataclass(frozen=True)
class StorageFacts:
    """Where the store lies and what it takes."""

    folder: str
    schema: str
    parts: tuple[FolderSize, ...]
    free_bytes: int

    @property
    def total_bytes(self) -> int:
        """What all parts take together."""
        return sum(part.size_bytes for part in self.parts)


@dataclass(frozen=True)
class BackUpFacts:
    """What a copy of the store holds.

    Attributes:
        made_at: When it was finished.
        schema: Version of its tables.
        database_sha256: Hash of its database.
        files: How many files it holds.
        size_bytes: What they take together.
        copied_files: How many of them were new.
        damaged: Names of files that are damaged in the store, and are not in the copy unless they were whole before.
    """

    made_at: datetime
    schema: str
    database_sha256: str
    files: int
    size_bytes: int
    copied_files: int
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class SharedCounts:
    """What was copied to where several machines share their files.

    Attributes:
        blobs: Images, maps and snapshots.
        checkpoints: Checkpoints.
        damaged: Names of files that are damaged in the store's folder and were not copied.
    """

    blobs: int
    checkpoints: int
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class BackUpState:
    """When the store was backed up last.

    Attributes:
        at: When; None for never.
        by: Display name of who did it; empty for never.
        is_old: Whether that is longer ago than a clinic should lose; also for never.
        n_damaged: How many files of the store were found damaged then.
    """

    at: datetime | None
    by: str
    is_old: bool
    n_damaged: int
