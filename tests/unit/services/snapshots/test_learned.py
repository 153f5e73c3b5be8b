from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import delete

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.cases.fingerprints import fill_fingerprints
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import external_sets, freezing
from colpo_core.services.snapshots.learned import fill_learned, learned_images, learned_patients, patients_met
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    CaseLabel,
    Checkpoint,
    CheckpointImage,
    CheckpointPatient,
    Image,
    ImageLook,
    Patient,
)
from colpo_core.terms import LabelSource, Split
from tests.support.clinic import Clinic
from tests.support.copies import as_jpeg, brighter
from tests.support.learned import publish_anew
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import get, rows


@pytest.fixture
def clinic(store: Store) -> Clinic:
    clinic = Clinic(store)
    clinic.add_cohort(8)
    return clinic


@pytest.fixture
def manifest(store: Store, annotator: Caller, clinic: Clinic) -> Manifest:
    return manifest_of(store, freezing.freeze_snapshot(annotator, query=SnapshotQuery("s")).id)


@pytest.fixture
def publish(store: Store, manifest: Manifest) -> Callable[..., int]:
    def published(name: str = "model", **card: object) -> int:
        with store.writing() as session:
            row = Checkpoint(name=name, sha256="a" * 64, snapshot_id=1, label_source=LabelSource.HISTOLOGY, card=card)
            session.add(row)
        assert fill_learned(store) == ()
        return row.id

    return published


def met(store: Store, *checkpoint_ids: int) -> frozenset[int]:
    with store.reading() as session:
        return patients_met(store, session, *checkpoint_ids)


def patients(manifest: Manifest, *sides: Split) -> set[int]:
    return {item.patient_id for side in sides for item in manifest.of(side)}


def photograph_of(store: Store, manifest: Manifest, side: Split) -> np.ndarray:
    return read_rgb(store.blobs.get(manifest.of(side)[0].image_sha256))


def add_copy(store: Store, clinic: Clinic, rgb: np.ndarray) -> int:
    """A near copy under a new patient's code; returns the patient."""
    copy = clinic.add_case(photograph=as_jpeg(brighter(rgb, 1.1), 60))
    fill_fingerprints(store)
    return copy.patient_id


@pytest.mark.parametrize(
    ("card", "sides"), [({}, (Split.TRAIN, Split.VALIDATION)), ({"protocol": "paper"}, tuple(Split))]
)
def test_a_model_has_met_whom_it_learned_from(
    store: Store, manifest: Manifest, publish: Callable[..., int], card: dict[str, str], sides: tuple[Split, ...]
) -> None:
    checkpoint_id = publish(**card)
    assert met(store, checkpoint_id) == patients(manifest, *sides)
    with store.reading() as session:
        assert learned_patients(session, checkpoint_id) == patients(manifest, *sides)
        assert [image.image_id for image in learned_images(session, checkpoint_id)] == sorted(
            item.image_id for side in sides for item in manifest.of(side)
        )


def test_a_copy_that_comes_in_after_the_training_makes_its_patient_one_whom_the_model_has_met(
    store: Store, clinic: Clinic, manifest: Manifest, publish: Callable[..., int]
) -> None:
    checkpoint_id = publish()
    before = met(store, checkpoint_id)
    met_later = add_copy(store, clinic, photograph_of(store, manifest, Split.TRAIN))
    of_a_test_image = add_copy(store, clinic, photograph_of(store, manifest, Split.TEST))
    assert met(store, checkpoint_id) == before | {met_later}
    with store.reading() as session:
        assert met_later not in learned_patients(session, checkpoint_id), "what was written down does not change"
    leaking = publish("leaking", protocol="paper")
    assert of_a_test_image in met(store, leaking)
    assert met(store, checkpoint_id, leaking) == met(store, leaking)


def test_a_case_that_is_filed_under_another_code_counts_by_both(
    store: Store, manifest: Manifest, publish: Callable[..., int]
) -> None:
    checkpoint_id, item = publish(), manifest.of(Split.TRAIN)[0]
    with store.writing() as session:
        case = session.get_one(Case, item.case_id)
        case.patient = Patient(code="afterwards")
        session.flush()
        new = case.patient_id
    assert {item.patient_id, new} <= met(store, checkpoint_id)


def test_patients_and_images_that_are_gone_are_met_no_more_and_break_nothing(
    store: Store, manifest: Manifest, publish: Callable[..., int]
) -> None:
    """The program removes nobody, and the database may: whoever has the number next is somebody else."""
    checkpoint_id, item = publish(), manifest.of(Split.TRAIN)[0]
    with store.writing() as session:
        for row in (
            delete(AnnotationVersion),
            delete(Annotation),
            delete(ImageLook).where(ImageLook.image_id == item.image_id),
            delete(Image).where(Image.id == item.image_id),
            delete(CaseLabel).where(CaseLabel.case_id == item.case_id),
            delete(Case).where(Case.id == item.case_id),
            delete(Patient).where(Patient.id == item.patient_id),
        ):
            session.execute(row)
    rest = patients(manifest, Split.TRAIN, Split.VALIDATION) - {item.patient_id}
    assert met(store, checkpoint_id) == rest
    assert publish_anew(store, checkpoint_id) == ()
    assert met(store, checkpoint_id) == rest


def test_of_a_damaged_manifest_nothing_is_guessed_until_it_is_whole_again(
    store: Store, manifest: Manifest, publish: Callable[..., int]
) -> None:
    checkpoint_id, place = publish(), store.blobs.path(manifest.sha256)
    content = place.read_bytes()
    place.write_bytes(b"damaged")
    (sentence,) = publish_anew(store, checkpoint_id)
    assert sentence.startswith("Whom model has learned from cannot be told. A stored file is damaged. Restore")
    refused(NotFound, lambda: met(store, checkpoint_id), match="Whom model has learned from is not known")
    assert rows(store, CheckpointPatient.patient_id) == []
    assert rows(store, CheckpointImage.image_id) == []
    place.write_bytes(content)
    assert fill_learned(store) == ()
    assert met(store, checkpoint_id) == patients(manifest, Split.TRAIN, Split.VALIDATION)


def test_once_written_down_it_needs_no_manifest(store: Store, manifest: Manifest, publish: Callable[..., int]) -> None:
    checkpoint_id = publish()
    store.blobs.path(manifest.sha256).unlink()
    assert met(store, checkpoint_id) == patients(manifest, Split.TRAIN, Split.VALIDATION)
    refused(NotFound, lambda: met(store, 99), match="no checkpoint 99")


def test_a_patient_who_is_met_by_an_image_outside_an_external_set_is_seen_in_it(
    store: Store, annotator: Caller, clinic: Clinic, manifest: Manifest, publish: Callable[..., int]
) -> None:
    checkpoint_id = publish()
    kept = clinic.add_case()
    query = SnapshotQuery("kept", external=True, patient_codes=(get(store, Patient, kept.patient_id).code,))
    asked = {"checkpoint_id": checkpoint_id, "snapshot_id": freezing.freeze_snapshot(annotator, query=query).id}
    assert external_sets.seen_by(annotator, **asked) == ()
    clinic.add_case(patient_id=kept.patient_id, photograph=as_jpeg(photograph_of(store, manifest, Split.TRAIN), 60))
    fill_fingerprints(store)
    assert external_sets.seen_by(annotator, **asked) == (
        f"The training of model saw other images of patient {kept.patient_id} of the external test set “kept” under "
        "another code.",
    )
