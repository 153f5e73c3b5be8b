"""What a reader of a study sees: the studies that wait, the image that is shown, the aid."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.models.marks import Mark
from colpo_core.terms import Finding, Label, Stage


@dataclass(frozen=True)
class AssignedStudy:
    """A study as its reader sees it in the list of what waits.

    Attributes:
        study_id: Row of the study.
        name: Its name.
        answered: Answers in the session that is being read.
        total: Images of that session.
        session: The session, from 1.
        n_sessions: Sessions of the study.
        opens_at: When the session may begin, where the washout before it is not over.
    """

    study_id: int
    name: str
    answered: int
    total: int
    session: int = 1
    n_sessions: int = 1
    opens_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the reader has read every case."""
        return self.answered >= self.total


@dataclass(frozen=True)
class AidShown:
    """What an aided reader is told of a case beside the layers.

    Attributes:
        prob_hsil: The 4-channel network's probability of HSIL.
        threshold: It calls `hsil` from here on.
        marks: What to mind of the checkpoint.
    """

    prob_hsil: float
    threshold: float
    marks: tuple[Mark, ...] = ()

    @property
    def call(self) -> Label:
        """What it calls."""
        return Label.called(self.prob_hsil, threshold=self.threshold)


@dataclass(frozen=True)
class Presented:
    """The case that waits for a reader, with nothing that tells which case it is.

    Attributes:
        token: Random text by which the reader's browser fetches the image and answers.
        number: Place in the reader's own order, from 1.
        total: Cases of the study.
        shown_at: When it was first shown.
        simulated: Whether the program drew the image.
        session: The session, from 1.
        n_sessions: Sessions of the study.
        practice: Whether it is practice, with feedback and outside the analysis.
        five_steps: Whether the confidence is asked in five steps.
        phase: 2 where the first call is locked and a second one is asked with the model's output.
        aid: The model's output, where it is to be seen now.
        stages: Of the case's other images, when each was taken, where the study shows them.
        asks_points: Whether biopsy sites may be set.
        asks_findings: Whether findings may be named.
        points: Biopsy sites that this reader has set on it already, as (x, y) in pixels.
        findings: Findings that this reader has chosen already.
    """

    token: str
    number: int
    total: int
    shown_at: datetime
    simulated: bool
    session: int = 1
    n_sessions: int = 1
    practice: bool = False
    five_steps: bool = False
    phase: int = 1
    aid: AidShown | None = None
    stages: tuple[Stage, ...] = ()
    asks_points: bool = False
    asks_findings: bool = False
    points: tuple[tuple[float, float], ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ReadingProgress:
    """How far a reader is after an answer.

    Attributes:
        answered: Answers in the session (or of the practice).
        total: Images of the session (or of the practice).
        truth: After a practice case alone: what the reference standard says of it.
    """

    answered: int
    total: int
    truth: Label | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the reader has read every case."""
        return self.answered >= self.total
