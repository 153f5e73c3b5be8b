import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from colpo_core.errors import Blinding, Conflict, InputRejected, MaskRejected, NotFound, PermissionDenied
from colpo_core.images.masks import decode_rle, encode_rle
from colpo_core.services.annotations import biopsy_points as annotations_biopsy_points
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.annotations.workbench import annotation_desk, next_image
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AuditEntry, Case, Image, Mask, Patient
from colpo_core.terms import AnnotationState, Finding, MaskDoubt, MaskOrigin, Stage
from tests.support.refusals import refused
from tests.support.review_desks import add_task, everything
from tests.support.store_rows import count, rows

HEIGHT, WIDTH = 12, 16


@pytest.fixture
def image_id(store: Store) -> int:
    return add_image(store, "p-1")


def add_image(store: Store, code: str, *, stage: Stage = Stage.ACETIC_ACID, mark: str = "a") -> int:
    with store.writing() as session:
        patient = session.scalar(select(Patient).where(Patient.code == code)) or Patient(code=code)
        case = patient.cases[0] if patient.cases else Case(patient=patient)
        image = Image(
            case=case,
            sha256=(code + mark).encode().hex().ljust(64, "0"),
            media_type="image/png",
            width_px=WIDTH,
            height_px=HEIGHT,
            stage=stage,
        )
        session.add(image)
        session.flush()
        return image.id


def mask(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.5


def code(seed: int) -> bytes:
    return encode_rle(mask(seed))


def paint(caller: Caller, image_id: int, *seeds: int) -> tuple[str, int]:
    """Save one mask after the other; returns the document and its sequence."""
    opened = own_masks.open_annotation(caller, image_id=image_id)
    seq = opened.seq
    for seed in seeds:
        seq = own_masks.save_draft(caller, document_id=opened.document_id, base_seq=seq, rle=code(seed)).seq
    return opened.document_id, seq


def test_looking_leaves_nothing_behind(store: Store, annotator: Caller, image_id: int) -> None:
    opened = own_masks.open_annotation(annotator, image_id=image_id)
    assert (opened.seq, opened.annotation_id, opened.version_number, opened.changed) == (0, None, None, False)
    assert not decode_rle(opened.rle, height_px=HEIGHT, width_px=WIDTH).any()
    assert count(store, Annotation) == count(store, Mask) == 0


def test_a_stroke_is_found_again(annotator: Caller, image_id: int) -> None:
    document_id, seq = paint(annotator, image_id, 1, 2)
    again = own_masks.open_document(annotator, document_id=document_id)
    assert seq == again.seq == 2
    assert again.rle == code(2)
    assert again.changed
    assert again.state is AnnotationState.DRAFT


def test_only_the_last_mask_of_a_draft_is_kept(store: Store, annotator: Caller, image_id: int) -> None:
    paint(annotator, image_id, *range(20))
    assert count(store, Mask) == 1


def test_a_save_upon_an_old_mask_is_refused(annotator: Caller, image_id: int) -> None:
    document_id, _ = paint(annotator, image_id, 1, 2)
    for base_seq in (0, 1, 3, -1):
        with pytest.raises(Conflict, match="Load the newer state"):
            own_masks.save_draft(annotator, document_id=document_id, base_seq=base_seq, rle=code(9))
    assert own_masks.open_document(annotator, document_id=document_id).rle == code(2)


def test_a_save_that_comes_twice_is_acknowledged(annotator: Caller, image_id: int) -> None:
    document_id, _ = paint(annotator, image_id, 1, 2)
    assert own_masks.save_draft(annotator, document_id=document_id, base_seq=1, rle=code(2)).seq == 2
    refused(Conflict, lambda: own_masks.save_draft(annotator, document_id=document_id, base_seq=0, rle=code(1)))


@pytest.mark.parametrize("damaged", [b"", b"\x80", b"\x01", encode_rle(np.zeros((HEIGHT, WIDTH + 1), np.bool_))])
def test_a_mask_that_does_not_fit_changes_nothing(annotator: Caller, image_id: int, damaged: bytes) -> None:
    document_id, seq = paint(annotator, image_id, 1)
    refused(MaskRejected, lambda: own_masks.save_draft(annotator, document_id=document_id, base_seq=seq, rle=damaged))
    assert own_masks.open_document(annotator, document_id=document_id).rle == code(1)
    assert count(annotator, Mask) == 1


def test_a_document_is_its_annotators_alone(
    annotator: Caller, administrator: Caller, reader: Caller, image_id: int
) -> None:
    document_id, seq = paint(annotator, image_id, 1)
    for foreign in (document_id, "", "i1", "i999-p2-mosaic", f"i{image_id}-p{administrator.person_id}-nothing"):
        with pytest.raises(NotFound):
            own_masks.open_document(administrator, document_id=foreign)
        with pytest.raises(NotFound):
            own_masks.save_draft(administrator, document_id=foreign, base_seq=seq, rle=code(2))
    refused(PermissionDenied, lambda: own_masks.open_annotation(reader, image_id=image_id))
    refused(NotFound, lambda: own_masks.open_annotation(annotator, image_id=image_id + 1))


def test_versions_never_change(annotator: Caller, image_id: int) -> None:
    document_id, seq = paint(annotator, image_id, 1)
    first = own_masks.submit_annotation(annotator, document_id=document_id, seq=seq, note=" clear ")
    _, seq = paint(annotator, image_id, 2, 3)
    second = own_masks.submit_annotation(annotator, document_id=document_id, seq=seq)
    assert (first.number, second.number, first.note) == (1, 2, "clear")
    assert np.array_equal(own_masks.version_mask(annotator, version_id=first.version_id), mask(1))
    assert np.array_equal(own_masks.version_mask(annotator, version_id=second.version_id), mask(3))
    newest = own_masks.submitted_masks(annotator, image_id=image_id)
    assert [record.version_id for record in newest] == [second.version_id]


def test_painting_on_does_not_withdraw_what_was_submitted(annotator: Caller, image_id: int) -> None:
    document_id, seq = paint(annotator, image_id, 1)
    own_masks.submit_annotation(annotator, document_id=document_id, seq=seq)
    paint(annotator, image_id, 2)
    opened = own_masks.open_annotation(annotator, image_id=image_id)
    assert (opened.state, opened.changed, opened.version_number) == (AnnotationState.SUBMITTED, True, 1)


def test_what_is_submitted_is_what_the_person_sees(annotator: Caller, image_id: int) -> None:
    document_id, seq = paint(annotator, image_id, 1, 2)
    with pytest.raises(Conflict, match="not the one on your screen"):
        own_masks.submit_annotation(annotator, document_id=document_id, seq=seq - 1)
    own_masks.submit_annotation(annotator, document_id=document_id, seq=seq)
    with pytest.raises(InputRejected, match="Nothing has changed since version 1"):
        own_masks.submit_annotation(annotator, document_id=document_id, seq=seq)


def test_an_empty_mask_may_be_submitted_by_who_is_sure_of_it(annotator: Caller, image_id: int) -> None:
    opened = own_masks.open_annotation(annotator, image_id=image_id)
    version = own_masks.submit_annotation(annotator, document_id=opened.document_id, seq=0, sure={MaskDoubt.EMPTY})
    assert (version.number, version.area_px, version.state) == (1, 0, AnnotationState.SUBMITTED)
    assert version.absence_confirmed


def test_a_guess_waits_and_a_sure_mask_does_not(annotator: Caller, image_id: int, importer: Caller) -> None:
    other = add_image(annotator.store, "p-2")
    for row, origin in ((image_id, MaskOrigin.CHORD), (other, MaskOrigin.CLOSED)):
        imported_masks.import_annotation(importer, image_id=row, mask=mask(row), origin=origin)
    waiting = confirmation.list_to_confirm(annotator)
    assert [record.image_id for record in waiting.versions] == [image_id]
    assert (waiting.total, waiting.next_after) == (1, None)
    assert own_masks.submitted_masks(annotator, image_id=image_id) == ()
    assert len(own_masks.submitted_masks(annotator, image_id=other)) == 1


def test_importing_twice_changes_nothing(store: Store, image_id: int, importer: Caller) -> None:
    first, second = (
        imported_masks.import_annotation(
            importer, image_id=image_id, mask=mask(1), origin=MaskOrigin.OPEN, note="2 gaps"
        )
        for _ in range(2)
    )
    assert first == second
    with pytest.raises(Conflict):
        imported_masks.import_annotation(importer, image_id=image_id, mask=mask(2), origin=MaskOrigin.OPEN)
    with pytest.raises(InputRejected, match="own size"):
        imported_masks.import_annotation(importer, image_id=image_id, mask=mask(1).T, origin=MaskOrigin.CLOSED)
    assert count(store, Mask) == count(store, Annotation) == 1


def test_confirming_and_rejecting_happen_once(
    store: Store, annotator: Caller, reader: Caller, image_id: int, importer: Caller
) -> None:
    other = add_image(store, "p-2")
    right, wrong = (
        imported_masks.import_annotation(importer, image_id=row, mask=mask(row), origin=MaskOrigin.CHORD)
        for row in (image_id, other)
    )
    refused(PermissionDenied, lambda: confirmation.confirm_annotation(reader, annotation_id=right))
    refused(InputRejected, lambda: confirmation.reject_annotation(annotator, annotation_id=wrong, reason=" "))
    confirmed = confirmation.confirm_annotation(annotator, annotation_id=right)
    rejected = confirmation.reject_annotation(annotator, annotation_id=wrong, reason="includes the os")
    assert confirmed.state is AnnotationState.SUBMITTED
    assert rejected.state is AnnotationState.REJECTED
    for settled in (right, wrong):
        with pytest.raises(Conflict, match="somebody settled it"):
            confirmation.confirm_annotation(annotator, annotation_id=settled)
    refused(NotFound, lambda: confirmation.confirm_annotation(annotator, annotation_id=999))


def test_who_annotates_blind_neither_sees_nor_settles_what_waits(
    store: Store, annotator: Caller, administrator: Caller, image_id: int, importer: Caller
) -> None:
    other = add_image(store, "p-2")
    shut, open_one = (
        imported_masks.import_annotation(importer, image_id=row, mask=mask(row), origin=MaskOrigin.OPEN)
        for row in (image_id, other)
    )
    add_task(store, image_id, annotator, administrator, blind=True)
    page = confirmation.list_to_confirm(annotator, limit=1)
    assert ([record.annotation_id for record in page.versions], page.total, page.next_after) == ([open_one], 1, None)
    before = everything(store)
    refused(
        Blinding,
        lambda: confirmation.confirm_annotation(annotator, annotation_id=shut),
        lambda: confirmation.reject_annotation(annotator, annotation_id=shut, reason="not the lesion"),
    )
    assert everything(store) == before
    document_id, seq = paint(annotator, image_id, 1)
    own_masks.submit_annotation(annotator, document_id=document_id, seq=seq)
    assert confirmation.list_to_confirm(annotator).total == 1


def test_waiting_masks_come_in_pages(store: Store, annotator: Caller, importer: Caller) -> None:
    for number in range(5):
        row = add_image(store, f"p-{number}")
        imported_masks.import_annotation(importer, image_id=row, mask=mask(row), origin=MaskOrigin.OPEN)
    seen: list[int] = []
    after = None
    while True:
        page = confirmation.list_to_confirm(annotator, after=after, limit=2)
        seen += [record.annotation_id for record in page.versions]
        after = page.next_after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == page.total == 5


def test_findings_are_kept_apart(annotator: Caller, image_id: int) -> None:
    paint(annotator, image_id, 1)
    for finding in Finding:
        opened = own_masks.open_annotation(annotator, image_id=image_id, finding=finding)
        assert opened.seq == (1 if finding is Finding.ACETOWHITE else 0)
        assert len(opened.document_id) <= 40


def test_biopsy_points_replace_each_other(annotator: Caller, administrator: Caller, image_id: int) -> None:
    annotations_biopsy_points.save_biopsy_points(annotator, image_id=image_id, points=[(1.5, 2.25), (16, 12), (0, 0)])
    saved = annotations_biopsy_points.save_biopsy_points(annotator, image_id=image_id, points=[(3, 4), (1, 1)])
    assert annotations_biopsy_points.biopsy_points(annotator, image_id=image_id) == saved
    assert [(point.position, point.x_px, point.y_px) for point in saved] == [(1, 3.0, 4.0), (2, 1.0, 1.0)]
    assert annotations_biopsy_points.biopsy_points(administrator, image_id=image_id) == ()


@pytest.mark.parametrize("point", [(-0.1, 1), (1, HEIGHT + 0.1), (float("nan"), 1), (1, float("inf"))])
def test_a_point_outside_the_image_changes_nothing(
    annotator: Caller, image_id: int, point: tuple[float, float]
) -> None:
    saved = annotations_biopsy_points.save_biopsy_points(annotator, image_id=image_id, points=[(3, 4)])
    with pytest.raises(InputRejected, match="outside the image"):
        annotations_biopsy_points.save_biopsy_points(annotator, image_id=image_id, points=[(1, 1), point])
    with pytest.raises(InputRejected, match="up to"):
        annotations_biopsy_points.save_biopsy_points(annotator, image_id=image_id, points=[(1, 1)] * 25)
    assert annotations_biopsy_points.biopsy_points(annotator, image_id=image_id) == saved


def test_deeds_are_in_the_log_and_strokes_are_not(store: Store, annotator: Caller, image_id: int) -> None:
    document_id, seq = paint(annotator, image_id, 1, 2, 3)
    own_masks.submit_annotation(annotator, document_id=document_id, seq=seq)
    assert rows(store, AuditEntry.action) == ["start annotation", "submit annotation"]


def test_the_desk_shows_the_case(annotator: Caller, administrator: Caller, image_id: int, importer: Caller) -> None:
    native = add_image(annotator.store, "p-1", stage=Stage.NATIVE, mark="b")
    lugol = add_image(annotator.store, "p-1", stage=Stage.LUGOL, mark="c")
    imported_masks.import_annotation(importer, image_id=image_id, mask=mask(1), origin=MaskOrigin.CHORD)
    document_id, seq = paint(administrator, lugol, 4)
    own_masks.submit_annotation(administrator, document_id=document_id, seq=seq)
    desk = annotation_desk(annotator, image_id=image_id)
    assert desk.patient_code == "p-1"
    assert [item.image.id for item in desk.strip] == [native, image_id, lugol]
    assert [item.to_confirm for item in desk.strip] == [False, True, False]
    assert [record.origin for record in desk.to_confirm] == [MaskOrigin.CHORD]
    assert len(annotation_desk(annotator, image_id=lugol).others) == 1
    mine = annotation_desk(administrator, image_id=lugol)
    assert (len(mine.others), len(mine.versions), mine.strip[2].mine) == (0, 1, AnnotationState.SUBMITTED)


def test_the_next_image_is_one_that_nobody_has_done(store: Store, annotator: Caller, administrator: Caller) -> None:
    add_image(store, "p-0", stage=Stage.NATIVE)
    first, second, third = (add_image(store, f"p-{number}") for number in (1, 2, 3))
    assert next_image(annotator) == first
    document_id, seq = paint(administrator, first, 1)
    own_masks.submit_annotation(administrator, document_id=document_id, seq=seq)
    assert next_image(annotator) == second
    assert next_image(annotator, after=second) == third
    paint(annotator, third, 1)
    assert next_image(annotator, after=third) == second
    assert next_image(annotator, after=second) == third


@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=12))
def test_the_store_is_always_the_last_acknowledged_save(annotator: Caller, steps: list[tuple[int, int]]) -> None:
    opened = own_masks.open_annotation(annotator, image_id=add_image(annotator.store, f"p-{id(steps)}"))
    seq, kept = 0, opened.rle
    for back, seed in steps:
        try:
            saved = own_masks.save_draft(annotator, document_id=opened.document_id, base_seq=seq - back, rle=code(seed))
        except Conflict:
            continue
        assert saved.seq == (seq + 1 if back == 0 else seq)
        seq, kept = saved.seq, code(seed)
    assert own_masks.open_document(annotator, document_id=opened.document_id).rle == kept
