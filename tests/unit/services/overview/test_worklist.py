import numpy as np
from sqlalchemy import select

from colpo_core.errors import PermissionDenied
from colpo_core.images.masks import encode_rle
from colpo_core.records.overview.worklist import Acquaintance, ModelFigures, WorkItem, WorkKind
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.annotations.imported_masks import import_annotation
from colpo_core.services.annotations.own_masks import open_annotation, save_draft, submit_annotation
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import store_mask
from colpo_core.services.overview import dashboard as dashboard_service
from colpo_core.services.overview.dashboard import dashboard
from colpo_core.services.overview.worklist import status, worklist
from colpo_core.services.review.verdicts import record_review
from colpo_core.services.snapshots.freezing import freeze_snapshot
from colpo_core.store import Store
from colpo_core.store.tables import Image, Job, Prediction, Study, StudyCase, StudyReader
from colpo_core.store.tables.base import utc_now
from colpo_core.terms import (
    AnnotationState,
    Finding,
    Grade,
    JobKind,
    JobState,
    Label,
    LabelSource,
    MaskOrigin,
    SpecimenKind,
    Split,
    Stage,
    StudyState,
    Verdict,
)
from tests.conftest import AddCase
from tests.support.clinic import add_view
from tests.support.handed_out import image_of
from tests.support.learned import add_checkpoint
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import add


def item(caller: Caller, kind: WorkKind) -> WorkItem | None:
    return next((item for item in worklist(caller).items if item.kind is kind), None)


def number(caller: Caller, kind: WorkKind) -> int:
    found = item(caller, kind)
    return found.number if found else 0


def square() -> np.ndarray:
    mask = np.zeros((24, 32), bool)
    mask[4:12, 4:12] = True
    return mask


def predict(store: Store, checkpoint_id: int, image_id: int, prob_3ch: float, prob_4ch: float) -> int:
    with store.writing() as session:
        mask_id = store_mask(session, encode_rle(square()), 24, 32).id
    probabilities = {"prob_hsil_3ch": prob_3ch, "prob_hsil_4ch": prob_4ch, "threshold_3ch": 0.5, "threshold_4ch": 0.4}
    written = {"acetowhite_fraction": 0.1, "mask_id": mask_id, "maps_sha256": "0" * 64}
    return add(store, Prediction(image_id=image_id, checkpoint_id=checkpoint_id, **probabilities, **written))


def test_an_empty_store_waits_for_nothing(store: Store, annotator: Caller) -> None:
    found = worklist(annotator)
    assert found.items == ()
    assert (found.progress.cases, found.progress.current_checkpoint) == (0, None)
    assert set(status(store).values()) == {0}


def test_images_wait_until_somebody_begins_and_drafts_until_they_are_submitted(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    first, second = image_of(store, add_case()), image_of(store, add_case())
    add_case(stage=Stage.LUGOL)
    add_case(shows_cervix=False)
    waiting = item(annotator, WorkKind.UNANNOTATED)
    assert (waiting.number, waiting.page, waiting.params) == (2, "annotate", (("image", str(first)),))
    opened = open_annotation(annotator, image_id=first)
    saved = save_draft(annotator, document_id=opened.document_id, base_seq=0, rle=encode_rle(square()))
    assert number(annotator, WorkKind.UNANNOTATED) == 1
    drafts = item(annotator, WorkKind.DRAFTS)
    assert (drafts.number, drafts.params) == (1, (("image", str(first)),))
    assert number(administrator, WorkKind.DRAFTS) == 0
    submit_annotation(annotator, document_id=opened.document_id, seq=saved.seq)
    assert number(annotator, WorkKind.DRAFTS) == 0
    save_draft(annotator, document_id=opened.document_id, base_seq=saved.seq, rle=encode_rle(~square()))
    assert number(annotator, WorkKind.DRAFTS) == 1
    import_annotation(
        administrator, image_id=second, mask=square(), origin=MaskOrigin.CHORD, finding=Finding.ACETOWHITE, note=""
    )
    to_confirm = item(annotator, WorkKind.TO_CONFIRM)
    assert (to_confirm.number, to_confirm.params) == (1, (("image", str(second)),))
    progress = worklist(annotator).progress
    assert (progress.images, progress.images_to_annotate, progress.images_annotated) == (4, 2, 1)


def test_flagged_and_unlabelled_cases_and_running_jobs_wait(store: Store, annotator: Caller, add_case: AddCase) -> None:
    flagged = add_case(None)
    add_case(None)
    add_case(Label.HSIL)
    add_specimen(annotator, case_id=flagged, kind=SpecimenKind.LEEP, grade=Grade.INVASIVE_CARCINOMA)
    with store.writing() as session:
        for state in JobState:
            session.add(Job(kind=JobKind.TRAIN, state=state, settings={}, created_by=annotator.person_id))
    assert number(annotator, WorkKind.FLAGGED) == 1
    assert number(annotator, WorkKind.UNLABELLED) == 1
    assert number(annotator, WorkKind.JOBS) == 2
    assert worklist(annotator).items[0].kind is WorkKind.FLAGGED
    counts = status(store)
    assert (counts["cases_flagged"], counts["labels"], counts["jobs_running"]) == (1, 1, 2)


def test_a_reader_is_told_of_open_studies_and_of_nothing_else(
    store: Store, reader: Caller, administrator: Caller, add_case: AddCase
) -> None:
    case_id = add_case(Label.HSIL)
    with store.writing() as session:
        for state in StudyState:
            study = Study(name=f"study {state}", state=state, seed=1, created_by=administrator.person_id)
            study.opened_at = utc_now()
            session.add(study)
            session.flush()
            image_id = session.scalars(select(Image.id)).one()
            session.add(StudyCase(study_id=study.id, case_id=case_id, image_id=image_id, truth=Label.HSIL))
            session.add(StudyReader(study_id=study.id, person_id=reader.person_id))
    found = worklist(reader)
    assert found.progress is None
    assert [(one.kind, one.what, one.number, one.total, one.page) for one in found.items] == [
        (WorkKind.STUDY, "study open", 1, 1, "read")
    ]
    refused(PermissionDenied, lambda: dashboard(reader))


def test_status_counts_labels_by_their_source(store: Store, add_case: AddCase) -> None:
    add_case(Label.HSIL)
    add_case(Label.NORMAL, source=LabelSource.IMPRESSION)
    add_case(None)
    counts = status(store)
    assert (counts["patients"], counts["cases"], counts["images"]) == (3, 3, 3)
    assert (counts["labels"], counts["labels_by_impression"]) == (1, 1)
    assert {"annotations", "annotations_to_confirm", "snapshots", "checkpoints", "predictions"} <= set(counts)


def test_the_dashboard_counts_and_can_leave_simulated_cases_out(annotator: Caller, add_case: AddCase) -> None:
    add_specimen(annotator, case_id=add_case(Label.NORMAL), kind=SpecimenKind.LEEP, grade=Grade.CIN3)
    add_case(None)
    add_case(Label.NORMAL, simulated=True, stage=Stage.LUGOL)
    found = dashboard(annotator)
    assert (found.patients, found.cases, found.images, found.simulated_cases) == (3, 3, 3, 1)
    assert dict(found.grades)[Grade.CIN3] == 1
    assert dict(found.grades)[None] == 2
    assert sum(count for _, count in found.grades) == found.cases
    assert dict(found.labels) == {Label.NORMAL: 1, Label.HSIL: 1, None: 1}
    assert found.exclusions == (("told by the test", 1),)
    assert dict(found.stages) == {
        Stage.NATIVE: 0,
        Stage.ACETIC_ACID: 2,
        Stage.GREEN_FILTER: 0,
        Stage.LUGOL: 1,
    }
    assert dict(found.annotation_states) == dict.fromkeys(AnnotationState, 0)
    assert (found.unannotated, found.agreement, found.problem) == (2, None, "")
    real = dashboard(annotator, include_simulated=False)
    assert (real.patients, real.cases, real.images, real.simulated_cases) == (2, 2, 2, 0)
    assert dict(real.labels) == {Label.NORMAL: 0, Label.HSIL: 1, None: 1}


def rows_of(caller: Caller, acquaintance: Acquaintance) -> dict[int, ModelFigures]:
    return {row.channels: row for row in dashboard(caller).agreement.rows if row.acquaintance is acquaintance}


def test_cases_that_the_model_was_trained_on_are_told_apart_by_patient(annotator: Caller, add_case: AddCase) -> None:
    cases = [add_case(label) for label in (Label.NORMAL, Label.HSIL) * 6]
    snapshot = freeze_snapshot(annotator, query=SnapshotQuery(name="first"))
    checkpoint_id = add_checkpoint(annotator.store, snapshot.id, promoted_by=annotator.person_id)
    manifest = manifest_of(annotator.store, snapshot.id)
    side = {entry.case_id: entry.split for entry in manifest.items}
    trained_patient = next(entry.patient_id for entry in manifest.items if entry.split is Split.TRAIN)
    cases.append(add_case(Label.HSIL))  # a new patient
    cases.append(add_case(Label.HSIL, patient_id=trained_patient))  # a new case of a patient that it has met
    unlabelled = add_case(None)
    for case_id in (*cases, unlabelled):
        predict(annotator.store, checkpoint_id, image_of(annotator.store, case_id), prob_3ch=0.5, prob_4ch=0.39)
    n_test = sum(split is Split.TEST for split in side.values())
    assert n_test >= 1
    unseen, seen = (rows_of(annotator, acquaintance) for acquaintance in (Acquaintance.UNSEEN, Acquaintance.SEEN))
    assert unseen[3].n_cases == n_test + 1
    assert seen[3].n_cases == len(cases) - n_test - 1
    for rows in (unseen, seen):
        # 0.5 reaches the threshold of 0.5, 0.39 does not reach 0.4: all called HSIL, and all called normal.
        assert rows[3].figures.sensitivity.value == 1.0
        assert rows[4].figures.sensitivity.value == 0.0
        assert rows[4].figures.specificity.k == rows[4].figures.specificity.n
    agreement = dashboard(annotator).agreement
    assert agreement.n_cases_predicted == len(cases) + 1
    assert (agreement.trained_on, agreement.compared_with) == (LabelSource.HISTOLOGY, LabelSource.HISTOLOGY)


def test_a_case_is_called_by_the_mean_over_its_acetic_acid_images(annotator: Caller, add_case: AddCase) -> None:
    cases = [add_case(label) for label in (Label.NORMAL, Label.HSIL) * 4]
    snapshot = freeze_snapshot(annotator, query=SnapshotQuery(name="first"))
    checkpoint_id = add_checkpoint(annotator.store, snapshot.id, promoted_by=annotator.person_id)
    predict(annotator.store, checkpoint_id, image_of(annotator.store, cases[1]), prob_3ch=0.2, prob_4ch=0.2)
    views = ((Stage.ACETIC_ACID, True), (Stage.LUGOL, True), (Stage.ACETIC_ACID, False))
    added = [
        add_view(annotator, cases[1], stage, mark=f"{index}", shows_cervix=shows)
        for index, (stage, shows) in enumerate(views)
    ]
    for image_id, probability in zip(added, (0.9, 0.0, 0.0), strict=True):
        predict(annotator.store, checkpoint_id, image_id, prob_3ch=probability, prob_4ch=probability)
    (row,) = [row for row in dashboard(annotator).agreement.rows if row.channels == 3 and row.n_cases]
    assert row.n_cases == 1
    assert row.figures.true_positive == 1  # the mean of 0.2 and 0.9 alone


def test_without_histology_a_model_by_impression_is_compared_with_impressions_and_says_so(
    store: Store, annotator: Caller, add_case: AddCase
) -> None:
    cases = [add_case(label, source=LabelSource.IMPRESSION) for label in (Label.NORMAL, Label.HSIL) * 4]
    query = SnapshotQuery(name="by impression", label_source=LabelSource.IMPRESSION)
    snapshot = freeze_snapshot(annotator, query=query)
    checkpoint_id = add_checkpoint(
        annotator.store, snapshot.id, promoted_by=annotator.person_id, label_source=LabelSource.IMPRESSION
    )
    predict(store, checkpoint_id, image_of(store, cases[0]), 0.1, 0.1)
    found = dashboard(annotator).agreement
    assert (found.trained_on, found.compared_with) == (LabelSource.IMPRESSION, LabelSource.IMPRESSION)
    assert sum(row.n_cases for row in found.rows if row.channels == 4) == 1


def test_reviews_and_predictions_of_the_current_model_are_counted(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    cases = [add_case(label) for label in (Label.NORMAL, Label.HSIL) * 4]
    snapshot = freeze_snapshot(annotator, query=SnapshotQuery(name="first"))
    checkpoint_id = add_checkpoint(annotator.store, snapshot.id, promoted_by=annotator.person_id)
    predictions = [predict(store, checkpoint_id, image_of(store, case_id), 0.1, 0.1) for case_id in cases[:3]]
    assert number(annotator, WorkKind.TO_REVIEW) == 3
    record_review(annotator, prediction_id=predictions[0], verdict=Verdict.AGREE)
    record_review(annotator, prediction_id=predictions[1], verdict=Verdict.OVERRULE, reason="blood")
    assert number(annotator, WorkKind.TO_REVIEW) == 1
    assert number(administrator, WorkKind.TO_REVIEW) == 3
    found = dashboard(annotator).agreement
    assert (found.reviews.agreed.k, found.reviews.agreed.n, found.reviews.n_unsure) == (1, 2, 0)


def test_a_damaged_snapshot_leaves_the_rest_of_the_dashboard(annotator: Caller, add_case: AddCase) -> None:
    for label in (Label.NORMAL, Label.HSIL) * 4:
        add_case(label)
    snapshot = freeze_snapshot(annotator, query=SnapshotQuery(name="first"))
    annotator.store.blobs.path(snapshot.sha256).write_bytes(b"damaged")
    add_checkpoint(annotator.store, snapshot.id, promoted_by=annotator.person_id)
    found = dashboard(annotator)
    assert found.agreement is None
    assert "damaged" in found.problem
    assert found.cases == 8


def test_the_dashboard_is_one_function_for_pages_and_commands() -> None:
    assert dashboard is dashboard_service.dashboard


def test_every_case_is_counted_once_however_many_images_it_has(annotator: Caller, add_case: AddCase) -> None:
    case_id = add_case(Label.HSIL)
    for index in range(3):
        add_view(annotator, case_id, Stage.NATIVE, mark=f"{index}")
    found = dashboard(annotator)
    assert (found.patients, found.cases, found.images) == (1, 1, 4)
