"""What a task would hand out: its images by filter, the people, and each person's queue. Nothing is written here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.records.tasks import TaskDraft, TaskPreview
from colpo_core.services.cases.lists import select_cases
from colpo_core.services.common.actors import PROGRAMS
from colpo_core.services.common.permissions import CLINICIANS
from colpo_core.services.tasks.assignment import TaskImage, put_in_order, queues_of, share_out, take_cases
from colpo_core.services.tasks.uncertainty import image_uncertainty
from colpo_core.store.tables import Annotation, AnnotationVersion, Case, Image, Person
from colpo_core.terms import AnnotationState, MaskOrigin, Role, Stage

OTHER_STAGE = "not taken with acetic acid"
NO_CERVIX = "does not show the cervix"
OVER_THE_LIMIT = "over the largest number of images"


@dataclass(frozen=True)
class TaskPlan:
    """What a draft hands out.

    Attributes:
        images: Images of the task.
        left_out: How many images of the cases found take no part, by reason.
        names: Display name (and name for signing in) of each annotator.
        queues: Each annotator's images in their order; without any for somebody who gets none.
        done: Newest painted version of images that an annotator has submitted before, and when, by image and annotator.
    """

    images: tuple[TaskImage, ...]
    left_out: dict[str, int]
    names: dict[int, str]
    queues: dict[int, tuple[TaskImage, ...]]
    done: dict[tuple[int, int], tuple[int, datetime]]

    def preview(self) -> TaskPreview:
        """The plan in figures."""
        return TaskPreview(
            n_cases=len({image.case_id for image in self.images}),
            n_images=len(self.images),
            n_left_out=self.left_out,
            per_person={name: len(self.queues[person_id]) for person_id, name in self.names.items()},
            n_without_prediction=sum(image.uncertainty is None for image in self.images),
            n_done_already=sum(
                (image.image_id, person_id) in self.done for person_id, queue in self.queues.items() for image in queue
            ),
        )


def plan_task(session: Session, draft: TaskDraft) -> TaskPlan:
    """Find the images of a draft, share them out, and put each person's in order.

    Raises:
        InputRejected: Somebody cannot be given a task.
    """
    names = _checked_people(session, draft)
    taking_part, left_out = _images(session, draft)
    images = take_cases(put_in_order(taking_part, draft.order, seed=draft.seed), draft.max_images)
    if len(images) < len(taking_part):
        left_out[OVER_THE_LIMIT] = len(taking_part) - len(images)
    shared = share_out(images, draft.annotator_ids, n_annotators=draft.n_annotators, seed=draft.seed)
    queues = dict.fromkeys(draft.annotator_ids, ()) | queues_of(images, shared, draft.order, seed=draft.seed)
    return TaskPlan(images, left_out, names, queues, _submitted_before(session, draft))


def assignable_people() -> Select[Person]:
    """People who may be given a task: active, clinicians, and not the program itself."""
    return select(Person).where(Person.active, Person.role.in_(CLINICIANS), Person.username.not_in(PROGRAMS))


def shown_name(person: Person) -> str:
    """A person's name, told from another of the same name."""
    return f"{person.display_name} ({person.username})"


def _checked_people(session: Session, draft: TaskDraft) -> dict[int, str]:
    wanted = [*draft.annotator_ids, *([draft.adjudicator_id] if draft.adjudicator_id is not None else [])]
    people = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(wanted)))}
    for person_id in wanted:
        _require_assignable(people.get(person_id), person_id)
    return {person_id: shown_name(people[person_id]) for person_id in draft.annotator_ids}


def _require_assignable(person: Person | None, person_id: int) -> None:
    if person is None:
        raise InputRejected(f"There is no person {person_id}. Choose somebody from the list of people.")
    if person.username in PROGRAMS:
        raise InputRejected(f"{person.display_name} is the program itself: nobody signs in as it. Choose a person.")
    if not person.active:
        raise InputRejected(
            f"{person.display_name} is deactivated and cannot sign in. Activate the account, or choose somebody else."
        )
    if person.role is Role.READER:
        raise InputRejected(f"{person.display_name} is a reader, and readers do not annotate. Choose an annotator.")


def _images(session: Session, draft: TaskDraft) -> tuple[list[TaskImage], dict[str, int]]:
    cases = select_cases(draft.where).order_by(None).subquery()
    rows = session.execute(
        select(Image, Case.patient_id, Case.case_date, Case.created_at)
        .join(Case, Case.id == Image.case_id)
        .where(Case.id.in_(select(cases.c.case_id)))
        .order_by(Image.id)
    ).all()
    left_out: dict[str, int] = {}
    taken = []
    for row in rows:
        reason = OTHER_STAGE if row[0].stage is not Stage.ACETIC_ACID else "" if row[0].shows_cervix else NO_CERVIX
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            taken.append(row)
    scores = image_uncertainty(session, [image.id for image, *_ in taken])
    images = [
        TaskImage(
            image_id=image.id,
            case_id=image.case_id,
            patient_id=patient_id,
            case_date=case_date,
            case_created_at=created_at,
            seconds_after_acid=image.seconds_after_acid,
            uncertainty=scores[image.id].score if image.id in scores else None,
        )
        for image, patient_id, case_date, created_at in taken
    ]
    return images, left_out


def _submitted_before(session: Session, draft: TaskDraft) -> dict[tuple[int, int], tuple[int, datetime]]:
    """The newest painted version of each annotator's submitted masks.

    Who has painted an image before sees that mask in the editor, and could not submit it again unchanged: so it
    counts as done from the start. What came of judging between others is nobody's own reading.
    """
    rows = session.execute(
        select(Annotation.image_id, Annotation.annotator_id, AnnotationVersion.id, AnnotationVersion.created_at)
        .join(AnnotationVersion, AnnotationVersion.annotation_id == Annotation.id)
        .where(
            Annotation.annotator_id.in_(draft.annotator_ids),
            Annotation.finding == draft.finding,
            Annotation.state == AnnotationState.SUBMITTED,
            AnnotationVersion.origin == MaskOrigin.PAINTED,
        )
        .order_by(AnnotationVersion.id)
    )
    return {(image_id, annotator_id): (version_id, at) for image_id, annotator_id, version_id, at in rows}
