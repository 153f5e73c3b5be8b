"""Several annotators on the images of a small clinic, written straight into the store."""

import numpy as np
from numpy.typing import NDArray

from colpo_core.images.masks import encode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationTask, TaskItem, utc_now
from colpo_core.terms import Finding, MaskDoubt, TaskOrder
from tests.support.clinic import SIDE_PX


def square(top: int, left: int, side: int = 20) -> NDArray[np.bool_]:
    """A mask of the clinic's size with one square in it."""
    mask = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def submit(caller: Caller, image_id: int, mask: NDArray[np.bool_], finding: Finding = Finding.ACETOWHITE) -> int:
    """Paint and submit a mask as the editor would; returns the version."""
    document_id, seq = paint(caller, image_id, mask, finding)
    return own_masks.submit_annotation(caller, document_id=document_id, seq=seq, sure=set(MaskDoubt)).version_id


def paint(
    caller: Caller, image_id: int, mask: NDArray[np.bool_], finding: Finding = Finding.ACETOWHITE
) -> tuple[str, int]:
    """Paint a mask as the editor would; returns the document and its sequence."""
    opened = own_masks.open_annotation(caller, image_id=image_id, finding=finding)
    saved = own_masks.save_draft(caller, document_id=opened.document_id, base_seq=opened.seq, rle=encode_rle(mask))
    return opened.document_id, saved.seq


def add_task(
    store: Store,
    image_ids: list[int],
    annotators: list[Caller],
    *,
    creator: Caller,
    adjudicator: Caller | None = None,
    blind: bool = True,
    finding: Finding = Finding.ACETOWHITE,
    proposals: bool = False,
) -> int:
    """A task that hands every image to every annotator; returns its row."""
    with store.writing() as session:
        task = AnnotationTask(
            title=f"task {utc_now()}",
            finding=finding,
            n_annotators=len(annotators),
            blind=blind,
            proposals=proposals,
            order=TaskOrder.DATE,
            seed=0,
            adjudicator_id=adjudicator.person_id if adjudicator else None,
            created_by=creator.person_id,
        )
        for annotator in annotators:
            task.items += [
                TaskItem(image_id=image_id, annotator_id=annotator.person_id, position=place)
                for place, image_id in enumerate(image_ids, start=1)
            ]
        session.add(task)
        session.flush()
        return task.id
