from typing import Any

import pytest

from colpo_core.datasets.manifest import Manifest
from colpo_core.images.decoding import read_rgb
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.cases.fingerprints import fill_fingerprints
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Promotion
from colpo_core.terms import LabelSource, Split
from colpo_core.workers.train import find_incumbent
from tests.support.clinic import Clinic
from tests.support.copies import as_jpeg
from tests.support.snapshots import manifest_of


def freeze_and_promote(annotator: Caller, administrator: Caller, card: dict[str, Any]) -> Manifest:
    """The manifest of a snapshot of all cases, of which the current model has this card."""
    snapshot, store = freezing.freeze_snapshot(annotator, query=SnapshotQuery("s")), annotator.store
    with store.writing() as session:
        checkpoint = Checkpoint(name="model", sha256="a" * 64, snapshot_id=snapshot.id, card=card)
        checkpoint.label_source = LabelSource.HISTOLOGY
        session.add(checkpoint)
        session.flush()
        session.add(Promotion(checkpoint_id=checkpoint.id, promoted_by=administrator.person_id, reason="first"))
    fill_learned(store)
    return manifest_of(store, snapshot.id)


@pytest.mark.parametrize(
    ("card", "sides"),
    [({}, {Split.TRAIN, Split.VALIDATION}), ({"protocol": "patient"}, {Split.TRAIN, Split.VALIDATION}),
     ({"protocol": "paper"}, set(Split))],
)  # fmt: skip
def test_the_current_model_knows_whom_it_has_learned_from(
    store: Store, annotator: Caller, administrator: Caller, card: dict[str, Any], sides: set[Split]
) -> None:
    assert find_incumbent(store) is None
    Clinic(store).add_cohort(8)
    items = freeze_and_promote(annotator, administrator, card).items
    incumbent = find_incumbent(store)
    assert {item.split for item in items} == set(Split)
    assert {item.split for item in items if incumbent.knows(item)} == sides


def test_the_current_model_knows_a_near_copy_under_another_code(
    store: Store, annotator: Caller, administrator: Caller
) -> None:
    clinic = Clinic(store)
    clinic.add_cohort(8)
    manifest = freeze_and_promote(annotator, administrator, {})
    copied = read_rgb(store.blobs.get(manifest.of(Split.TRAIN)[0].image_sha256))
    copy = clinic.add_case(photograph=as_jpeg(copied, 60))
    other = clinic.add_case()
    fill_fingerprints(store)
    incumbent = find_incumbent(store)
    later = freezing.freeze_snapshot(annotator, query=SnapshotQuery("later"))
    items = manifest_of(store, later.id).items
    knows = {item.patient_id: incumbent.knows(item) for item in items}
    assert (knows[copy.patient_id], knows[other.patient_id]) == (True, False)
