"""Records of the store as a whole: what it takes on the disk, back-ups, what checking it found."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

KEPT_GENERATIONS = 7
"""Earlier databases that stay in a folder of back-ups where nobody says otherwise: a week of nights."""


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


class FaultKind(StrEnum):
    """What is wrong with a part of a store or of a back-up.

    The first two are of a store, the next four of a back-up, the others of a store again.
    """

    MISSING = "missing"
    DAMAGED = "damaged"
    LOST = "lost"
    ONLY_IN_BACK_UP = "only in the back-up"
    COPY_REPLACED = "copy replaced"
    NOT_RESTORED = "not restored"
    DATABASE = "database"
    CONTENT = "content"
    SEAL = "seal"
    COUNT = "count"
    LOG = "log"


@dataclass(frozen=True)
class StoreFault:
    """One thing that is wrong.

    Attributes:
        kind: In what way.
        place: The file below the store's folder, or the row.
        sentence: What is wrong and what to do, for whoever looks after the store.
    """

    kind: FaultKind
    place: str
    sentence: str


@dataclass(frozen=True)
class BackUpFacts:
    """What a copy of the store holds.

    Attributes:
        made_at: When it was finished.
        schema: Version of its tables.
        database_sha256: Hash of its database.
        files: How many files it holds: the database and all that its rows name.
        size_bytes: What they take together.
        copied_files: How many of them were new.
        faults: What was not whole in the store or in the copy.
        store: The identity of the store; empty where it had none yet.
    """

    made_at: datetime
    schema: str
    database_sha256: str
    files: int
    size_bytes: int
    copied_files: int
    faults: tuple[StoreFault, ...] = ()
    store: str = ""


@dataclass(frozen=True)
class Healed:
    """What was put back from a back-up.

    Attributes:
        healed: Files below the store's folder that were missing or damaged and are whole now.
        left: What the back-up could not heal.
    """

    healed: tuple[str, ...]
    left: tuple[StoreFault, ...]


@dataclass(frozen=True)
class CheckReport:
    """What one walk over the whole store found.

    Attributes:
        begun_at: When it began.
        finished_at: When it ended.
        n_files: How many files rows name.
        size_bytes: What the files of the store take that were looked at.
        faults: What is wrong.
        unnamed: Files below the store's folder that no row names: left by what was broken off, and harmless.
    """

    begun_at: datetime
    finished_at: datetime
    n_files: int
    size_bytes: int
    faults: tuple[StoreFault, ...]
    unnamed: tuple[str, ...]


@dataclass(frozen=True)
class BackUpPlan:
    """When the store is backed up by itself.

    Attributes:
        folder: Where to, on the machine that serves.
        hour: At which hour of its clock, 0 to 23.
        kept: How many earlier databases stay in the folder.
        set_by: Display name of who set it.
        set_at: When.
    """

    folder: str
    hour: int
    kept: int
    set_by: str
    set_at: datetime


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
        n_faults: How many files were missing or damaged then.
        failed_at: When one failed altogether since; None where none did.
        failure: Why, in a sentence.
        checked_at: When the whole store was last checked; None for never.
        n_check_faults: How much was found wrong then.
    """

    at: datetime | None
    by: str
    is_old: bool
    n_faults: int
    failed_at: datetime | None = None
    failure: str = ""
    checked_at: datetime | None = None
    n_check_faults: int = 0
