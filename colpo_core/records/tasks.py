"""Records of annotation tasks: what an administrator hands out, a person's queue, and how far everybody is."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.errors import InputRejected
from colpo_core.records.cases.lists import CaseFilter
from colpo_core.terms import Finding, TaskItemState, TaskOrder

MAX_TITLE = 120
MAX_NOTE = 2000
MAX_SKIP_REASON = 300
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class AnnotatorChoice:
    """Somebody who may be given a task."""

    id: int
    name: str


@dataclass(frozen=True)
class TaskDraft:
    """A task as an administrator wishes it.

    Attributes:
        title: What everybody calls it, 1 to 120 characters, unique in the store.
        finding: What to annotate.
        where: Of which cases the images come.
        annotator_ids: Among whom the images are shared out, each named once.
        n_annotators: How many of them annotate each image, 1 or more.
        blind: Whether the annotators of an image see each other's masks only once all have submitted or skipped.
        proposals: Whether they may start from the model's proposal.
        order: In which order the images come to a person.
        seed: What is drawn by chance (who gets whom, and the random order) is drawn from it.
        adjudicator_id: Who decides between the masks afterwards, none of the annotators; nobody when None.
        note: What the annotators read before they begin.
        max_images: Images at most, in whole cases, the first by `order`; all when None.
    """

    title: str
    finding: Finding
    where: CaseFilter
    annotator_ids: tuple[int, ...]
    n_annotators: int
    blind: bool
    proposals: bool
    order: TaskOrder
    seed: int = 0
    adjudicator_id: int | None = None
    note: str = ""
    max_images: int | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without the store.

        Raises:
            InputRejected: A value cannot be taken.
        """
        object.__setattr__(self, "title", " ".join(self.title.split()))
        object.__setattr__(self, "note", self.note.strip())
        problem = self._problem()
        if problem:
            raise InputRejected(problem)

    def _problem(self) -> str:
        people = self.annotator_ids
        checks = (
            (1 <= len(self.title) <= MAX_TITLE, f"Give the task a title of 1 to {MAX_TITLE} characters."),
            (self.n_annotators >= 1, "Each image needs at least one annotator."),
            (len(set(people)) == len(people), "A person is named twice. Name each annotator once."),
            (
                len(people) >= self.n_annotators,
                f"{self.n_annotators} annotators an image need at least {self.n_annotators} people. Choose more.",
            ),
            (
                self.adjudicator_id not in people,
                "The adjudicator judges between the annotators, and cannot be one of them. Choose another person.",
            ),
            (len(self.note) <= MAX_NOTE, f"The note is longer than {MAX_NOTE} characters. Shorten it."),
            (0 <= self.seed <= MAX_SEED, f"The seed lies between 0 and {MAX_SEED}."),
            (self.max_images is None or self.max_images >= 1, "The most images of a task is 1 or more."),
        )
        return next((sentence for holds, sentence in checks if not holds), "")


@dataclass(frozen=True)
class TaskPreview:
    """What a draft would hand out now.

    Attributes:
        n_cases: Cases with at least one image in the task.
        n_images: Images.
        n_left_out: Images of the cases found that would not take part, by the reason in words.
        per_person: Images of each annotator, by name.
        n_without_prediction: Images that the current model has not predicted; by uncertainty they come last.
        n_done_already: Of the images of all people, how many they have submitted before; those count as done.
    """

    n_cases: int
    n_images: int
    n_left_out: dict[str, int]
    per_person: dict[str, int]
    n_without_prediction: int
    n_done_already: int = 0


@dataclass(frozen=True)
class TaskRecord:
    """A task and how far it is.

    An image that was marked later as not showing the cervix, or as of another stage than acetic acid, counts only
    for who has submitted or skipped it before; nobody waits for the rest.

    Attributes:
        id: Row of the task.
        title: Its title.
        finding: What to annotate.
        n_annotators: How many annotate each image.
        blind: Whether the annotators of an image see each other's masks only once all are done.
        proposals: Whether they may start from the model's proposal.
        order: In which order the images come to a person.
        seed: What chance was drawn from.
        adjudicator_id: Who decides between the masks, or None.
        adjudicator: Display name of that person, or None.
        note: What the annotators read.
        created_by: Display name of who made it.
        created_at: When.
        closed_at: When it was closed, or None while it is open.
        n_images: Images that count.
        n_items: Pairs of an image and an annotator that count.
        n_submitted: Of those, submitted.
        n_skipped: Of those, skipped.
        n_images_done: Images that nobody has before him any more.
        n_left_out: Pairs that do not count because their image was left out later.
    """

    id: int
    title: str
    finding: Finding
    n_annotators: int
    blind: bool
    proposals: bool
    order: TaskOrder
    seed: int
    adjudicator_id: int | None
    adjudicator: str | None
    note: str
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    n_images: int
    n_items: int
    n_submitted: int
    n_skipped: int
    n_images_done: int
    n_left_out: int = 0

    @property
    def n_waiting(self) -> int:
        """Pairs of an image and an annotator that are not done."""
        return self.n_items - self.n_submitted - self.n_skipped


@dataclass(frozen=True)
class PersonProgress:
    """How far one annotator is with a task.

    Attributes:
        person_id: Row of the person.
        name: Display name.
        n_items: Images of this person that count.
        n_submitted: Of those, submitted.
        n_skipped: Of those, skipped.
        n_waiting: Of those, not done.
        seconds_per_image_median: Median painting time of the submitted images that took any, or None.
        seconds_per_case_median: Median painting time of the cases that are done and took any, or None.
    """

    person_id: int
    name: str
    n_items: int
    n_submitted: int
    n_skipped: int
    n_waiting: int
    seconds_per_image_median: float | None
    seconds_per_case_median: float | None


@dataclass(frozen=True)
class SkippedItem:
    """An image that an annotator skipped.

    Attributes:
        image_id: The image.
        patient_code: Pseudonymous code of its patient.
        annotator: Display name of who skipped it.
        reason: Why.
        at: When.
        item_id: Row to resume it by.
    """

    image_id: int
    patient_code: str
    annotator: str
    reason: str
    at: datetime
    item_id: int


@dataclass(frozen=True)
class TaskProgress:
    """A task with everybody's progress, and what was skipped, newest first."""

    task: TaskRecord
    people: tuple[PersonProgress, ...] = ()
    skipped: tuple[SkippedItem, ...] = ()


@dataclass(frozen=True)
class QueueSummary:
    """One of my queues as a list shows it.

    Attributes:
        task_id: Row of the task.
        title: Its title.
        finding: What to annotate.
        n_items: My images that count.
        n_done: Of those, submitted or skipped.
        next_image_id: The first that waits, or None where all are done or the task is closed.
        closed: Whether the task is closed.
        note: What the administrator wrote for the annotators.
    """

    task_id: int
    title: str
    finding: Finding
    n_items: int
    n_done: int
    next_image_id: int | None
    closed: bool
    note: str = ""


@dataclass(frozen=True)
class QueueItem:
    """One image in a person's queue.

    Attributes:
        item_id: Row of the pair of image and person.
        task_id: Row of the task.
        task_title: Its title.
        image_id: The image.
        case_id: Its case.
        patient_code: Pseudonymous code of its patient.
        finding: What to annotate.
        position: Place in the queue, from 1.
        state: How far the person is with it.
        active_ms: Painting time so far.
        skip_reason: Why it was skipped, or None.
        left_out: Whether the queue passes over it, because the image was left out after the task was made.
    """

    item_id: int
    task_id: int
    task_title: str
    image_id: int
    case_id: int
    patient_code: str
    finding: Finding
    position: int
    state: TaskItemState
    active_ms: int
    skip_reason: str | None = None
    left_out: bool = False


@dataclass(frozen=True, kw_only=True)
class QueuePlace(QueueItem):
    """Where I am in my queue, with one image of it open; `position` is its place among those that count.

    Attributes:
        n_items: My images that count.
        n_done: Of those, submitted or skipped.
        n_cases: Cases of those images.
        n_cases_done: Cases of which every image is submitted or skipped.
        blind: Whether I see the other annotators' masks only once all are done.
        proposals: Whether I may start from the model's proposal.
        previous_image_id: The image before it, or None at the first.
        next_image_id: The image after it, or None at the last.
        next_waiting_image_id: The next other image that waits, from the beginning again after the last, or None.
        case_active_ms: My painting time on all images of this case in this task.
        closed: Whether the task is closed: it can be looked at, and nothing is counted any more.
        note: What the administrator wrote for the annotators.
    """

    n_items: int
    n_done: int
    n_cases: int
    n_cases_done: int
    blind: bool
    proposals: bool
    previous_image_id: int | None
    next_image_id: int | None
    next_waiting_image_id: int | None
    case_active_ms: int
    closed: bool = False
    note: str = ""
