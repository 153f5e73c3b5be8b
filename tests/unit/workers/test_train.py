from typing import Any

import pytest

from colpo_core.records.people import Actor
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.snapshots import freezing
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Promotion
from colpo_core.terms import LabelSource, Split
from colpo_core.workers.train import find_incumbent
from tests.support.clinic import Clinic
from tests.support.snapshots import manifest_of


@pytest.mark.parametrize(
    ("card", "sides"),
    [({}, {Split.TRAIN, Split.VALIDATION}), ({"protocol": "patient"}, {Split.TRAIN, Split.VALIDATION}),
     ({"protocol": "paper"}, set(Split))],
)  # fmt: skip
def test_the_current_model_knows_whom_it_has_learned_from(
    store: Store, annotator: Actor, administrator: Actor, card: dict[str, Any], sides: set[Split]
) -> None:
    assert find_incumbent(store) is None
    Clinic(store).add_cohort(8)
    snapshot = freezing.freeze_snapshot(store, actor=annotator, query=SnapshotQuery("s"))
    with store.writing() as session:
        session.add(
            Checkpoint(
                name="model", sha256="a" * 64, snapshot_id=snapshot.id, label_source=LabelSource.HISTOLOGY, card=card
            )
        )
        session.flush()
        session.add(Promotion(checkpoint_id=1, promoted_by=administrator.person_id, reason="first"))
    incumbent = find_incumbent(store)
    assert incumbent is not None
    items = manifest_of(store, snapshot.id).items
    assert {item.split for item in items} == set(Split)
    assert {item.split for item in items if incumbent.knows(item)} == sides
