"""Masks that look like an outline: asked about, and filled on a person's word alone."""

import cv2
import numpy as np
import pytest

from colpo_core.errors import Conflict, InputRejected, MaskDoubted, NotFound
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.annotations.workbench import annotation_desk
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports import filling
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Patient
from colpo_core.terms import AnnotationState, Finding, MaskDoubt, MaskOrigin, Stage, Start
from tests.conftest import AddCase
from tests.support.refusals import refused
from tests.support.review_desks import Desk

HEIGHT, WIDTH = 120, 160


@pytest.fixture
def image_id(store: Store) -> int:
    clean = encode_clean(CleanImage(np.full((HEIGHT, WIDTH, 3), 120, np.uint8), width_px=WIDTH, height_px=HEIGHT))
    with store.writing() as session:
        image = Image(case=Case(patient=Patient(code="p-1")), sha256=store.blobs.put(clean.content))
        image.media_type, image.stage = clean.media_type, Stage.ACETIC_ACID
        image.width_px, image.height_px = WIDTH, HEIGHT
        session.add(image)
        session.flush()
        return image.id


def drawn(*, thickness: int, sweep: int = 360) -> np.ndarray:
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(canvas, (80, 60), (45, 32), 0, 0, sweep, 1, thickness)
    return canvas.astype(bool)


def test_an_outline_is_asked_about_and_filled_in_one_step(annotator: Caller, image_id: int) -> None:
    desk = Desk(annotator, image_id)
    saved = desk.paint(drawn(thickness=2))
    with pytest.raises(MaskDoubted, match=r"as thin as a drawn line\. Is it an outline that should be filled") as asked:
        desk.submit(sure=())
    assert asked.value.doubt is MaskDoubt.OUTLINE
    assert np.array_equal(desk.mask, drawn(thickness=2)), "nothing was changed in silence"
    with pytest.raises(Conflict, match="not the one on your screen"):
        filling.fill_draft(annotator, document_id=desk.document_id, seq=saved.seq - 1)
    assert filling.fill_draft(annotator, document_id=desk.document_id, seq=saved.seq).seq == saved.seq + 1
    truth = drawn(thickness=-1)
    both = np.count_nonzero(desk.mask & truth) / np.count_nonzero(desk.mask | truth)
    assert both > 0.95
    assert desk.submit(sure=()).area_share == pytest.approx(truth.mean(), rel=0.1)


def test_a_line_that_is_meant_may_be_submitted_and_other_findings_are_thin(annotator: Caller, image_id: int) -> None:
    desk = Desk(annotator, image_id)
    saved = desk.paint(drawn(thickness=2))
    version = own_masks.submit_annotation(
        annotator, document_id=desk.document_id, seq=saved.seq, sure={MaskDoubt.OUTLINE}
    )
    assert version.number == 1
    junction = Desk(annotator, image_id, Finding.SQUAMOCOLUMNAR_JUNCTION)
    junction.paint(drawn(thickness=2))
    assert junction.submit(sure=()).number == 1


def test_a_mask_inside_out_or_of_most_of_the_image_is_asked_about(annotator: Caller, image_id: int) -> None:
    desk = Desk(annotator, image_id)
    desk.paint(~drawn(thickness=-1))
    with pytest.raises(MaskDoubted, match="Is it inside out") as asked:
        desk.submit(sure=())
    assert asked.value.doubt is MaskDoubt.INVERTED
    large = np.zeros((HEIGHT, WIDTH), np.bool_)
    large[:, 10:130] = True
    saved = desk.paint(large)
    with pytest.raises(MaskDoubted, match=r"75% of the image\. Is so much of it acetowhite"):
        own_masks.submit_annotation(annotator, document_id=desk.document_id, seq=saved.seq, sure={MaskDoubt.INVERTED})
    cervix = Desk(annotator, image_id, Finding.CERVIX)
    cervix.paint(large)
    assert cervix.submit(sure=()).number == 1


def test_what_encloses_nothing_is_not_filled(annotator: Caller, administrator: Caller, image_id: int) -> None:
    desk = Desk(annotator, image_id)
    refused(Conflict, lambda: filling.fill_draft(annotator, document_id=desk.document_id, seq=0))
    line = np.zeros((HEIGHT, WIDTH), np.bool_)
    line[60, 40:90] = True
    saved = desk.paint(line)
    with pytest.raises(InputRejected, match="encloses nothing"):
        filling.fill_draft(annotator, document_id=desk.document_id, seq=saved.seq)
    saved = desk.paint(np.zeros_like(line))
    with pytest.raises(InputRejected, match="nothing to fill"):
        filling.fill_draft(annotator, document_id=desk.document_id, seq=saved.seq)
    refused(NotFound, lambda: filling.fill_draft(administrator, document_id=desk.document_id, seq=saved.seq))


def test_an_imported_outline_waits_and_is_filled_into_a_mask_of_ones_own(
    annotator: Caller, image_id: int, add_case: AddCase, importer: Caller
) -> None:
    imported_masks.import_annotation(importer, image_id=image_id, mask=drawn(thickness=2), origin=MaskOrigin.CLOSED)
    shown = annotation_desk(annotator, image_id=image_id)
    (waiting,) = shown.to_confirm
    assert shown.doubts == {waiting.version_id: MaskDoubt.OUTLINE}
    desk = Desk(annotator, image_id)
    filling.start_filled(annotator, document_id=desk.document_id, version_id=waiting.version_id)
    made = desk.submit(sure=())
    assert (made.start, made.start_version_id) == (Start.OTHER_VERSION, waiting.version_id)
    assert made.area_share == pytest.approx(drawn(thickness=-1).mean(), rel=0.1)
    states = own_masks.submitted_masks(annotator, image_id=image_id)
    assert [version.state for version in states] == [AnnotationState.SUBMITTED]
    assert confirmation.list_to_confirm(annotator).total == 0
    mosaic = Desk(annotator, image_id, Finding.MOSAIC)
    with pytest.raises(InputRejected, match="another finding"):
        filling.start_filled(annotator, document_id=mosaic.document_id, version_id=waiting.version_id)
