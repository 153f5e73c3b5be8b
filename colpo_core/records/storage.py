"""Records of what the store takes on the disk."""

from dataclasses import dataclass


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
    """Where the store lies and what it takes.

    Attributes:
        folder: Its folder, absolute.
        schema: Version of its tables.
        parts: What its parts hold.
        free_bytes: What the disk still has.
    """

    folder: str
    schema: str
    parts: tuple[FolderSize, ...]
    free_bytes: int

    @property
    def total_bytes(self) -> int:
        """What all parts take together."""
        return sum(part.size_bytes for part in self.parts)
