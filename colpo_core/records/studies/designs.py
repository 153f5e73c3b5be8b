"""Records of reading studies as they are planned and opened: cases, readers, networks, progress."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.terms import Grade, StudyState


class CaseSource(StrEnum):
    """Where a study's cases come from."""

    ALL = "all"
    TEST_SPLIT = "test_split"
    PICKED = "picked"


@dataclass(frozen=True)
class CaseChoice:
    """How the cases of a study are chosen.

    Attributes:
        source: All labelled cases, the test split of a snapshot, or a list.
        snapshot_id: The snapshot, for its test split.
        case_ids: The list, for picked cases.
        include_simulated: Whether cases that the program drew may be among them.
        grades: Of all labelled cases only those of these grades; any where empty.
        examined_from: Only those examined on this day or later.
        examined_until: Only those examined on this day or before.
    """

    source: CaseSource = CaseSource.ALL
    snapshot_id: int | None = None
    case_ids: tuple[int, ...] = ()
    include_simulated: bool = True
    grades: tuple[Grade, ...] = ()
    examined_from: date | None = None
    examined_until: date | None = None


@dataclass(frozen=True)
class SeenInTraining:
    """How many cases of a study a checkpoint has learned from: the case itself, or another of the same patient."""

    checkpoint_id: int
    name: str
    n_seen: int
    n_cases: int


@dataclass(frozen=True)
class ChoicePreview:
    """What a choice would give.

    Attributes:
        n_cases: Cases that a reader could read.
        n_patients: Patients behind them.
        n_normal: Cases whose reference standard is `normal`.
        n_hsil: Cases whose reference standard is `hsil`.
        n_simulated: Cases that the program drew.
        left_out: Cases that were asked for and cannot be read, by reason.
        seen: For each checkpoint to compare with, how many of the cases it has learned from.
        problems: Why a study of these could not be opened; empty where it could.
    """

    n_cases: int
    n_patients: int
    n_normal: int
    n_hsil: int
    n_simulated: int
    left_out: tuple[tuple[str, int], ...]
    seen: tuple[SeenInTraining, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """One thing to choose from, such as a reader, a checkpoint or a snapshot."""

    id: int
    name: str


@dataclass(frozen=True)
class StudyOptions:
    """What a new study can be made of."""

    readers: tuple[Option, ...]
    checkpoints: tuple[Option, ...]
    snapshots: tuple[Option, ...]


@dataclass(frozen=True)
class ReaderProgress:
    """How far one reader is. It says nothing of what was called."""

    reader_id: int
    display_name: str
    active: bool
    answered: int
    total: int
    removed: bool = False


@dataclass(frozen=True)
class CheckpointProgress:
    """How many of a study's cases a checkpoint has predicted. It says nothing of what was predicted."""

    checkpoint_id: int
    name: str
    predicted: int
    total: int
    seen_in_training: int


@dataclass(frozen=True)
class StudyRecord:
    """A study as the administrator sees it; before it is closed it holds counts alone.

    Attributes:
        id: Row of the study.
        name: Its name.
        question: What it is to answer.
        state: Draft, open or closed.
        n_cases: Cases.
        n_normal: Cases whose reference standard is `normal`.
        n_hsil: Cases whose reference standard is `hsil`.
        n_simulated: Cases that the program drew.
        n_readers: Readers.
        n_checkpoints: Checkpoints to compare with.
        n_answered: Readings so far, of all readers.
        seal_sha256: Hash of the sealed design, or None in a draft.
        created_at: When it was made.
        opened_at: When it was sealed and opened.
        closed_at: When it was closed.
        n_each: Readings of one reader over all sessions, hidden repeats among them.
        n_practice: Practice cases, outside the analysis.
        n_expected: Readings when every reader has read all that is to be given to this reader.
    """

    id: int
    name: str
    question: str
    state: StudyState
    n_cases: int
    n_normal: int
    n_hsil: int
    n_simulated: int
    n_readers: int
    n_checkpoints: int
    n_answered: int
    seal_sha256: str | None
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    n_each: int = 0
    n_practice: int = 0
    n_expected: int = 0


@dataclass(frozen=True)
class StudyDetail:
    """A study with who reads and what is compared.

    Attributes:
        study: The study.
        chosen_by: How the cases were chosen, in words.
        left_out: Cases that were asked for and left out, by reason.
        readers: How far each reader is.
        checkpoints: How far each checkpoint's predictions are.
        problems: For a draft: why it cannot be opened; empty where it can.
        plan: How it is read.
    """

    study: StudyRecord
    chosen_by: str
    left_out: tuple[tuple[str, int], ...]
    readers: tuple[ReaderProgress, ...]
    checkpoints: tuple[CheckpointProgress, ...]
    problems: tuple[str, ...]
    plan: ReadingPlan = field(default_factory=ReadingPlan)
