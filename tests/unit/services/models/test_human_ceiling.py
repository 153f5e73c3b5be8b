import numpy as np

from colpo_core.records.snapshots import snapshots as snapshots_snapshots
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import human_ceiling as models_human_ceiling
from colpo_core.services.snapshots import freezing
from colpo_core.store.tables import Checkpoint
from colpo_core.terms import Role
from tests.conftest import add_person
from tests.support.clinic import Clinic, make_card
from tests.support.learned import add_checkpoint
from tests.support.several_annotators import square, submit
from tests.support.store_rows import change


def test_a_model_stands_beside_what_people_reach_on_the_same_images(annotator: Caller, clinic: Clinic) -> None:
    clinic.add_cohort(4)
    cases = [clinic.add_case(masked=False) for _ in range(3)]
    second = add_person(annotator.store, "berta", Role.ANNOTATOR)
    shared, other, once = (case.image_id for case in cases)
    for image_id, shift in ((shared, 5), (other, 10)):
        submit(annotator, image_id, square(10, 10))
        submit(second, image_id, square(10, 10 + shift))
    submit(annotator, once, square(10, 10))
    snapshot = freezing.freeze_snapshot(annotator, query=snapshots_snapshots.SnapshotQuery("s"))
    card = make_card()
    figures = {"dice": 0.7, "kappa": 0.6}
    card["metrics"]["segmentation"]["by_image"] = [  # type: ignore[index]
        {"image_id": shared, "patient_id": 1, "figures": figures},
        {"image_id": once, "patient_id": 3, "figures": {"dice": 0.1, "kappa": 0.1}},
        {"image_id": other, "patient_id": 2, "figures": {"dice": None, "kappa": None}},
    ]
    checkpoint_id = add_checkpoint(annotator.store, snapshot.id, card=card)
    found = models_human_ceiling.human_ceiling(annotator, checkpoint_id=checkpoint_id)
    assert (found.n_images_shared, found.n_images_all) == (1, 2)
    assert found.model_dice.value == 0.7
    assert found.model_kappa.value == 0.6
    # Squares of 20 pixels that are 5 and 10 apart overlap by 15 and 10 of 20 columns.
    assert found.annotators_dice.value == 0.75
    assert found.all_annotators_dice.value == np.mean([0.75, 0.5])
    assert found.annotators_kappa.value is not None
    change(annotator, Checkpoint, checkpoint_id, card={})
    old = models_human_ceiling.human_ceiling(annotator, checkpoint_id=checkpoint_id)
    assert (old.model_dice.value, old.n_images_shared, old.n_images_all) == (None, 0, 2)
