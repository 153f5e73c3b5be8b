import numpy as np
import pytest

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, CaseLabel
from colpo_core.terms import AnnotationState, Grade, Label, LabelSource, MaskOrigin, Split, Stage
from tests.support.clinic import Clinic
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import change_all, count


def gather(store: Store, **changes: object) -> Manifest:
    return freezing.gather_manifest(store, SnapshotQuery("any", **changes))


def reasons(manifest: Manifest) -> dict[tuple[str, int], str]:
    return {(gone.what, gone.id): gone.reason for gone in manifest.left_out}


def test_an_image_takes_part_with_its_label_and_its_mask(store: Store, clinic: Clinic) -> None:
    case = clinic.add_case(grades=(Grade.CIN1, Grade.CIN3))
    (item,) = gather(store).items
    assert (item.image_id, item.case_id, item.patient_id) == (case.image_id, case.case_id, case.patient_id)
    assert (item.label, item.grade, item.mask_origin) == (Label.HSIL, Grade.CIN3, MaskOrigin.PAINTED)


def test_what_is_left_out_has_its_reason(store: Store, clinic: Clinic) -> None:
    clinic.add_case()
    lugol = clinic.add_case(stage=Stage.LUGOL)
    hidden = clinic.add_case(shows_cervix=False)
    unlabelled = clinic.add_case(grades=())
    nothing = clinic.add_case(grades=(), masked=False)
    guessed = clinic.add_case(state=AnnotationState.TO_CONFIRM, origin=MaskOrigin.CHORD)
    rejected = clinic.add_case(state=AnnotationState.REJECTED)
    draft = clinic.add_case(state=AnnotationState.DRAFT)
    manifest = gather(store)
    found = reasons(manifest)
    assert found["image", lugol.image_id] == "not taken after acetic acid but in stage lugol"
    assert found["image", hidden.image_id] == "does not show the cervix"
    assert found["case", unlabelled.case_id].startswith("excluded: no histology")
    assert found["image", nothing.image_id] == "neither a label nor a submitted mask"
    assert "guess (chord)" in found["annotation", guessed.annotation_id]
    assert found["annotation", rejected.annotation_id] == "the mask was rejected"
    assert found["annotation", draft.annotation_id] == "the mask is a draft"
    items = {item.image_id: item for item in manifest.items}
    assert items[unlabelled.image_id].label is None
    assert items[unlabelled.image_id].mask_sha256 is not None
    assert [items[case.image_id].mask_sha256 for case in (guessed, rejected, draft)] == [None] * 3
    assert not {lugol.image_id, hidden.image_id, nothing.image_id} & set(items)


@pytest.mark.parametrize("grade", [Grade.ADENOCARCINOMA_IN_SITU, Grade.INVASIVE_CARCINOMA])
@pytest.mark.parametrize("source", list(LabelSource))
def test_invasive_disease_lends_neither_label_nor_mask(
    store: Store, clinic: Clinic, grade: Grade, source: LabelSource
) -> None:
    clinic.add_case(swede_score=1)
    flagged = clinic.add_case(grades=(grade,), swede_score=2)
    manifest = gather(store, label_source=source)
    assert flagged.image_id not in {item.image_id for item in manifest.items}
    assert "needs a clinician's attention" in reasons(manifest)["case", flagged.case_id]


def test_impressions_are_labels_only_where_asked_for_by_name(store: Store, clinic: Clinic) -> None:
    suspicious = clinic.add_case(grades=(), swede_score=5)
    histology = clinic.add_case(grades=(Grade.CIN3,))
    by_histology = {item.image_id: item.label for item in gather(store).items}
    assert by_histology == {suspicious.image_id: None, histology.image_id: Label.HSIL}
    manifest = gather(store, label_source=LabelSource.IMPRESSION)
    assert {item.image_id: item.label for item in manifest.items} == {
        suspicious.image_id: Label.HSIL,
        histology.image_id: None,
    }
    assert manifest.label_source is LabelSource.IMPRESSION
    assert reasons(manifest)["case", histology.case_id] == "excluded: no complete Swede score"


def test_a_label_by_older_rules_is_not_used(store: Store, clinic: Clinic) -> None:
    clinic.add_case()
    change_all(store, CaseLabel, rules_version="kim-2021")
    (item,) = gather(store).items
    assert item.label is None
    assert "older rules (kim-2021)" in reasons(gather(store))["case", item.case_id]


def test_the_newest_submitted_version_is_the_mask(store: Store, clinic: Clinic) -> None:
    case = clinic.add_case()
    before = gather(store).items[0].mask_sha256
    mask = np.zeros((64, 64), dtype=np.bool_)
    mask[:5] = True
    clinic.add_version(case.annotation_id, mask)
    assert gather(store).items[0].mask_sha256 != before
    clinic.add_version(case.annotation_id, mask[:32])
    assert gather(store).items[0].mask_sha256 is None, "a mask of another size cannot be its image's"


def test_simulated_cases_can_be_left_out(store: Store, clinic: Clinic) -> None:
    drawn, taken = clinic.add_case(simulated=True), clinic.add_case()
    assert gather(store).simulated
    manifest = gather(store, include_simulated=False)
    assert [item.image_id for item in manifest.items] == [taken.image_id]
    assert reasons(manifest)["image", drawn.image_id] == "simulated"
    assert not manifest.simulated


def test_a_patient_stands_on_one_side_and_every_side_has_both_labels(store: Store, clinic: Clinic) -> None:
    for case in clinic.add_cohort(12):
        clinic.add_case(grades=(Grade.CIN1,), patient_id=case.patient_id)
    manifest = gather(store)
    sides: dict[int, set[Split]] = {}
    for item in manifest.items:
        sides.setdefault(item.patient_id, set()).add(item.split)
    assert all(len(found) == 1 for found in sides.values())
    for split in Split:
        assert {item.label for item in manifest.of(split)} == set(Label)


def test_the_same_query_on_the_same_store_has_the_same_hash(store: Store, clinic: Clinic, annotator: Caller) -> None:
    clinic.add_cohort(8)
    query = SnapshotQuery("first")
    preview = freezing.preview_snapshot(annotator, query=query)
    assert preview.equals is None
    frozen = freezing.freeze_snapshot(annotator, query=query)
    assert frozen.sha256 == preview.sha256 == gather(store).sha256
    assert freezing.freeze_snapshot(annotator, query=query) == frozen
    assert freezing.preview_snapshot(annotator, query=query).equals == "first"
    assert len(freezing.list_snapshots(annotator)) == 1
    assert count(store, AuditEntry, action="freeze snapshot") == 1


def test_freezing_equal_content_under_another_name_names_the_equal(clinic: Clinic, annotator: Caller) -> None:
    clinic.add_cohort(8)
    freezing.freeze_snapshot(annotator, query=SnapshotQuery("first"))
    with pytest.raises(Conflict, match="“first” holds exactly the same"):
        freezing.freeze_snapshot(annotator, query=SnapshotQuery("second"))
    with pytest.raises(Conflict, match="other content"):
        freezing.freeze_snapshot(annotator, query=SnapshotQuery("first", seed=1))


def test_a_snapshot_reads_back_and_a_damaged_one_is_refused(store: Store, clinic: Clinic, annotator: Caller) -> None:
    clinic.add_cohort(8)
    frozen = freezing.freeze_snapshot(annotator, query=SnapshotQuery("first"))
    assert freezing.find_snapshot(annotator, name=" first ") == frozen
    manifest = manifest_of(store, frozen.id)
    assert manifest == gather(store)
    assert frozen.count("images") == 8
    assert frozen.count("masks", Split.TRAIN) == len(manifest.of(Split.TRAIN))
    path = store.blobs.path(frozen.sha256)
    path.write_bytes(path.read_bytes().replace(b"normal", b"hsil"))
    refused(NotFound, lambda: manifest_of(store, frozen.id), match="damaged")


def test_what_keeps_a_training_from_starting_is_said_beforehand(clinic: Clinic, annotator: Caller) -> None:
    with pytest.raises(InputRejected, match="Nothing can be frozen"):
        freezing.preview_snapshot(annotator, query=SnapshotQuery("empty"))
    for _ in range(3):
        clinic.add_case(masked=False)
    preview = freezing.preview_snapshot(annotator, query=SnapshotQuery("poor"))
    assert "No submitted mask" in preview.problems[0]
    assert "no case labelled hsil" in preview.problems[1]
    assert "Test holds no case labelled hsil." in preview.warnings
    clinic.add_cohort(12)
    preview = freezing.preview_snapshot(annotator, query=SnapshotQuery("rich"))
    assert preview.problems == ()


def test_bad_queries_are_refused(store: Store, clinic: Clinic, annotator: Caller) -> None:
    clinic.add_case()
    for name in ("", "   ", "x" * 81):
        with pytest.raises(InputRejected, match="name"):
            SnapshotQuery(name)
    refused(InputRejected, lambda: gather(store, fractions=(0.5, 0.1, 0.1)), match="sum to 1")
    refused(
        NotFound,
        lambda: freezing.get_snapshot(annotator, snapshot_id=5),
        lambda: freezing.find_snapshot(annotator, name="none"),
    )


def test_readers_see_no_snapshot(clinic: Clinic, reader: Caller) -> None:
    clinic.add_case()
    refused(
        PermissionDenied,
        lambda: freezing.preview_snapshot(reader, query=SnapshotQuery("x")),
        lambda: freezing.freeze_snapshot(reader, query=SnapshotQuery("x")),
        lambda: freezing.list_snapshots(reader),
        lambda: freezing.get_snapshot(reader, snapshot_id=1),
        lambda: freezing.find_snapshot(reader, name="x"),
    )
