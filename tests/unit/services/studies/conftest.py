"""A study that readers and a checkpoint take part in."""

import pytest
from sqlalchemy import select

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.labels import RULES_VERSION
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.services.studies import designing
from colpo_core.store import Store
from colpo_core.store.tables import Case, Checkpoint, Image, Person, Snapshot
from colpo_core.terms import Label, LabelSource, Role, Split
from tests.conftest import AddCase
from tests.support.compared_studies import Clinic

N, H = Label.NORMAL, Label.HSIL
TRUTH = (N, N, H, H)


@pytest.fixture
def clinic(store: Store, administrator: Caller, add_case: AddCase) -> Clinic:
    case_ids = tuple(add_case(label, simulated=True) for label in TRUTH)
    with store.writing() as session:
        images = [session.scalars(select(Image).where(Image.case_id == one)).one() for one in case_ids]
        splits = (Split.TRAIN, Split.VALIDATION, Split.TEST, Split.TEST)
        items = [
            ManifestItem(
                image_sha256=image.sha256,
                image_id=image.id,
                case_id=image.case_id,
                patient_id=session.get_one(Case, image.case_id).patient_id,
                split=split,
                width_px=32,
                height_px=24,
                label=label,
                grade=None,
                mask_sha256=None,
                mask_origin=None,
                simulated=True,
            )
            for image, split, label in zip(images, splits, TRUTH, strict=True)
            if split is not Split.VALIDATION
        ]
        manifest = Manifest(tuple(items), (), LabelSource.HISTOLOGY, RULES_VERSION, 0, (0.7, 0.15, 0.15))
        snapshot = Snapshot(name="s", sha256=store.blobs.put(manifest.to_json()), label_source=LabelSource.HISTOLOGY)
        snapshot.rules_version, snapshot.seed, snapshot.counts = RULES_VERSION, 0, {}
        snapshot.created_by = administrator.person_id
        session.add(snapshot)
        session.flush()
        checkpoint = Checkpoint(name="resnet18-1", sha256="c" * 64, snapshot_id=snapshot.id, card={})
        checkpoint.label_source = LabelSource.HISTOLOGY
        session.add(checkpoint)
    fill_learned(store)
    return Clinic(case_ids, tuple(image.id for image in images), checkpoint.id, snapshot.id)


@pytest.fixture
def study_id(store: Store, administrator: Caller, reader: Caller, clinic: Clinic) -> int:
    with store.writing() as session:
        lazy = Person(username="zoe", display_name="Zoe", role=Role.READER, active=True)
        session.add(lazy)
        session.flush()
        ids = [reader.person_id, lazy.id]
    study = designing.create_study(administrator, name="First", reader_ids=ids, checkpoint_ids=[clinic.checkpoint_id])
    designing.open_study(administrator, study_id=study.id)
    return study.id
