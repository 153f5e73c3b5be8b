"""What tests of tasks share: making a task, painting and submitting a mask, and a small store with a task in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from colpo_core.images.masks import encode_rle
from colpo_core.records.annotations import VersionRecord
from colpo_core.records.cases.lists import CaseFilter
from colpo_core.records.tasks import TaskDraft, TaskRecord
from colpo_core.services.annotations.own_masks import open_annotation, save_draft, submit_annotation
from colpo_core.services.common.callers import Caller
from colpo_core.services.tasks.tasks import create_task, list_tasks
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Finding, Role, TaskOrder
from tests.conftest import add_person


@dataclass(frozen=True)
class Team:
    """Two annotators, a senior who judges, and the administrator who hands out."""

    administrator: Caller
    anna: Caller
    ben: Caller
    senior: Caller

    @property
    def annotator_ids(self) -> tuple[int, ...]:
        return (self.anna.person_id, self.ben.person_id)

    def hand_out(self, **wishes: Any) -> TaskRecord:
        """Hand a task out to both annotators."""
        return hand_out(self.administrator, self.annotator_ids, **wishes)


def make_team(administrator: Caller) -> Team:
    anna, ben, senior = (add_person(administrator.store, name, Role.ANNOTATOR) for name in ("anna", "ben", "senior"))
    return Team(administrator, anna, ben, senior)


def task_draft(annotator_ids: tuple[int, ...], **changes: Any) -> TaskDraft:
    wishes: dict[str, Any] = {
        "title": "first task",
        "finding": Finding.ACETOWHITE,
        "where": CaseFilter(),
        "annotator_ids": annotator_ids,
        "n_annotators": len(annotator_ids),
        "blind": True,
        "proposals": True,
        "order": TaskOrder.DATE,
    }
    return TaskDraft(**(wishes | changes))


def hand_out(administrator: Caller, annotator_ids: tuple[int, ...], **changes: Any) -> TaskRecord:
    return create_task(administrator, draft=task_draft(annotator_ids, **changes))


def hand_out_spring(administrator: Caller, *annotators: Caller, **changes: Any) -> int:
    """The task "Spring", by default without the model's proposals; returns its row."""
    ids = tuple(person.person_id for person in annotators)
    return hand_out(administrator, ids, **({"title": "Spring", "proposals": False} | changes)).id


def paint_and_submit(
    caller: Caller,
    image_id: int,
    *,
    side_px: int = 5,
    finding: Finding = Finding.ACETOWHITE,
    active_ms: int = 4000,
) -> VersionRecord:
    """Submits a square of so many pixels; another size makes another version."""
    opened = open_annotation(caller, image_id=image_id, finding=finding)
    mask = np.zeros((opened.image.height_px, opened.image.width_px), np.bool_)
    mask[2 : 2 + side_px, 2 : 2 + side_px] = True
    saved = save_draft(
        caller, document_id=opened.document_id, base_seq=opened.seq, rle=encode_rle(mask), active_ms=active_ms
    )
    return submit_annotation(caller, document_id=opened.document_id, seq=saved.seq)


def image_of(store: Store, case_id: int) -> int:
    with store.reading() as session:
        return session.query(Image).filter_by(case_id=case_id).order_by(Image.id).first().id


def task_of(caller: Caller, task_id: int) -> TaskRecord:
    """A task as the list of tasks tells it to somebody, closed or not."""
    (found,) = (one for one in list_tasks(caller, with_closed=True) if one.id == task_id)
    return found
