"""What is asked about stored images, and what a person's answer does."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from colpo_core.errors import InputRejected, NotFound, PermissionDenied
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.records.cases.cases import IncomingFile
from colpo_core.records.cases.images import grouped_questions, question_text
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.cases.fingerprints import fill_fingerprints
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.cases.image_questions import asked_images, confirm_images, refile_images
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import mark_image
from colpo_core.services.imports.files import import_images
from colpo_core.services.snapshots.freezing import freeze_snapshot, preview_snapshot
from colpo_core.simulation.cases import simulate_case
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Exposure, Image, ImageAnswer, ImageLook
from colpo_core.terms import ExposureKind, Grade, ImageQuestion, SpecimenKind, Stage
from tests.support.copies import as_jpeg
from tests.support.refusals import refused
from tests.support.store_rows import get, row, rows

Rgb = NDArray[np.uint8]


def drawn(seed: int) -> Rgb:
    return simulate_case(seed, height_px=240, width_px=320).rgb


def iodine(seed: int) -> Rgb:
    light = drawn(seed) @ np.array([0.3, 0.59, 0.11])
    return np.clip(light[:, :, None] * np.array([1.0, 0.62, 0.25]), 0, 255).astype(np.uint8)


class Intake:
    """Brings images in, each under a patient of her own, with a histology where one is given."""

    def __init__(self, caller: Caller) -> None:
        self.store, self.actor, self.number = caller.store, caller, 0

    def bring(
        self, rgb: Rgb, grade: Grade | None = None, *, stage: Stage | None = Stage.ACETIC_ACID
    ) -> tuple[int, int]:
        """Row of the image and of its case."""
        self.number += 1
        content = encode_clean(CleanImage(rgb, rgb.shape[1], rgb.shape[0])).content
        (outcome,) = import_images(
            self.actor, patient_code=f"P-{self.number}", case_date=None,
            files=[IncomingFile("x.png", content, stage=stage)]).outcomes  # fmt: skip
        assert outcome.image_id is not None and outcome.case_id is not None
        if grade is not None:
            add_specimen(self.actor, case_id=outcome.case_id, kind=SpecimenKind.PUNCH_BIOPSY, grade=grade)
        return outcome.image_id, outcome.case_id


@pytest.fixture
def intake(annotator: Caller) -> Intake:
    return Intake(annotator)


def test_only_what_contradicts_itself_is_asked_about(annotator: Caller, intake: Intake) -> None:
    wrong, case_id = intake.bring(iodine(1))
    intake.bring(iodine(2), stage=Stage.LUGOL)
    intake.bring(drawn(3))
    (asked,) = asked_images(annotator)
    assert (asked.image_id, asked.case_id, asked.stage) == (wrong, case_id, Stage.ACETIC_ACID)
    assert asked.questions == (ImageQuestion.IODINE,)
    ((question, stage),) = grouped_questions([asked])
    assert question_text(question, stage, 2) == "2 images look like Lugol's iodine but are filed as acetic acid"
    assert question_text(question, stage, 1) == "1 image looks like Lugol's iodine but is filed as acetic acid"


def test_an_answer_is_kept_with_who_and_when_and_ends_the_question(annotator: Caller, intake: Intake) -> None:
    image_id, _ = intake.bring(iodine(1))
    assert confirm_images(annotator, image_ids=[image_id]) == 1
    assert asked_images(annotator) == ()
    answer = row(annotator, ImageAnswer)
    assert (answer.question, answer.answered_by) == (ImageQuestion.IODINE, annotator.person_id)
    assert answer.answered_at is not None
    entry = row(annotator, AuditEntry, AuditEntry.action == "confirm image")
    assert (entry.subject, entry.detail) == (f"image {image_id}", {"question": "looks_like_iodine"})
    assert get(annotator, Image, image_id).stage is Stage.ACETIC_ACID
    refused(InputRejected, lambda: confirm_images(annotator, image_ids=[image_id]), match="Nothing of the kind")


def test_one_question_may_be_answered_and_another_left(annotator: Caller, intake: Intake) -> None:
    image_id, _ = intake.bring(iodine(1), stage=None)
    (asked,) = asked_images(annotator)
    assert asked.questions == (ImageQuestion.STAGE_GUESSED, ImageQuestion.IODINE)
    confirm_images(annotator, image_ids=[image_id], question=ImageQuestion.STAGE_GUESSED)
    (left,) = asked_images(annotator)
    assert left.questions == (ImageQuestion.IODINE,)


def test_filing_under_the_right_stage_ends_the_questions_of_stage(annotator: Caller, intake: Intake) -> None:
    image_ids = [intake.bring(iodine(seed), stage=None)[0] for seed in (1, 2)]
    assert refile_images(annotator, image_ids=image_ids, stage=Stage.LUGOL) == 2
    assert asked_images(annotator) == ()
    assert refile_images(annotator, image_ids=image_ids, stage=Stage.LUGOL) == 0
    assert set(rows(annotator, Image.stage)) == {Stage.LUGOL}
    refile_images(annotator, image_ids=image_ids[:1], stage=Stage.ACETIC_ACID)
    assert [one.questions for one in asked_images(annotator)] == [(ImageQuestion.IODINE,)]


def test_a_stage_that_was_set_by_hand_is_no_guess_any_more(annotator: Caller, intake: Intake) -> None:
    image_id, _ = intake.bring(drawn(1), stage=None)
    mark_image(annotator, image_id=image_id, seconds_after_acid=60)
    assert [one.questions for one in asked_images(annotator)] == [(ImageQuestion.STAGE_GUESSED,)]
    mark_image(annotator, image_id=image_id, stage=Stage.ACETIC_ACID)
    assert asked_images(annotator) == ()


def test_what_does_not_show_the_cervix_is_not_asked_about(annotator: Caller, intake: Intake) -> None:
    image_id, _ = intake.bring(iodine(1))
    mark_image(annotator, image_id=image_id, shows_cervix=False)
    assert asked_images(annotator) == ()


def test_unknown_images_and_readers_are_refused(annotator: Caller, reader: Caller) -> None:
    refused(
        NotFound,
        lambda: confirm_images(annotator, image_ids=[9]),
        lambda: refile_images(annotator, image_ids=[9], stage=Stage.NATIVE),
        match="no image 9",
    )
    refused(
        PermissionDenied,
        lambda: asked_images(reader),
        lambda: confirm_images(reader, image_ids=[1]),
        lambda: refile_images(reader, image_ids=[1], stage=Stage.NATIVE),
    )


def test_images_of_an_older_version_are_looked_at_before_a_snapshot(annotator: Caller, intake: Intake) -> None:
    wrong, _ = intake.bring(iodine(1), Grade.NORMAL)
    intake.bring(drawn(2), Grade.CIN3)
    with annotator.store.writing() as session:
        for look in session.scalars(select(ImageLook)):
            session.delete(look)
    assert asked_images(annotator) == ()
    assert [one.image_id for one in preview_snapshot(annotator, query=SnapshotQuery("first")).asked] == [wrong]
    assert fill_fingerprints(annotator.store) == 0


def test_a_snapshot_goes_on_with_open_questions_and_keeps_how_many(annotator: Caller, intake: Intake) -> None:
    wrong, _ = intake.bring(iodine(1), Grade.NORMAL)
    intake.bring(iodine(4), Grade.NORMAL, stage=Stage.GREEN_FILTER)
    for seed, grade in ((2, Grade.CIN3), (3, Grade.NORMAL)):
        intake.bring(drawn(seed), grade)
    preview = preview_snapshot(annotator, query=SnapshotQuery("first"))
    assert len(preview.asked) == 2, "also what stands outside because of its stage"
    assert preview.counts["asked_about"] == 1
    frozen = freeze_snapshot(annotator, query=SnapshotQuery("first"))
    assert frozen.counts["asked_about"] == 1
    assert frozen.count("images") == 3
    confirm_images(annotator, image_ids=[wrong])
    assert preview_snapshot(annotator, query=SnapshotQuery("next")).counts["asked_about"] == 0


@pytest.mark.parametrize("other", [Grade.CIN3, Grade.INVASIVE_CARCINOMA])
def test_copies_under_contradicting_labels_are_listed_and_neither_is_taken(
    store: Store, annotator: Caller, intake: Intake, other: Grade
) -> None:
    rgb = drawn(1)
    one, first = intake.bring(rgb, Grade.NORMAL)
    two, second = intake.bring(as_jpeg(np.ascontiguousarray(np.rot90(rgb)), 40), other)
    intake.bring(drawn(2), Grade.CIN3)
    intake.bring(drawn(3), Grade.NORMAL)
    (found,) = preview_snapshot(annotator, query=SnapshotQuery("first")).contradictions
    assert (found.image_id, found.case_id, found.other_image_id, found.other_case_id) == (one, first, two, second)
    frozen = freeze_snapshot(annotator, query=SnapshotQuery("first"))
    assert frozen.count("images") == 2
    reasons = [reason for reason in frozen.counts["left_out"] if "near copy, is filed in another case" in reason]
    assert len(reasons) == 1
    assert {first, second} <= set(rows(store, Exposure.case_id, Exposure.kind == ExposureKind.LABEL))
    # The other of the two may lie outside what the snapshot asks for.
    alone = preview_snapshot(annotator, query=SnapshotQuery("some", patient_codes=("P-1", "P-3")))
    assert alone.counts["images"]["total"] == 1
    assert len(alone.contradictions) == 1


def test_copies_of_one_label_stay_and_are_no_contradiction(annotator: Caller, intake: Intake) -> None:
    rgb = drawn(1)
    intake.bring(rgb, Grade.CIN2)
    intake.bring(as_jpeg(rgb, 40), Grade.CIN3)
    intake.bring(as_jpeg(rgb, 60))
    preview = preview_snapshot(annotator, query=SnapshotQuery("first"))
    assert preview.contradictions == ()
    assert preview.counts["images"]["total"] == 2
