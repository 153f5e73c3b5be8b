"""Which cases a study can show, and which of them count as seen by a checkpoint."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import InputRejected, NotFound
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.studies.designs import CaseChoice, CaseSource
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.services.studies import designing
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.rows import get_study
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Snapshot
from colpo_core.terms import Label
from tests.conftest import AddCase
from tests.support.clinic import draw
from tests.support.compared_studies import Clinic, predict, read_all
from tests.support.learned import publish_anew
from tests.support.store_rows import change, get

N, H = Label.NORMAL, Label.HSIL


def test_another_case_of_a_trained_patient_counts_as_seen(
    store: Store, administrator: Caller, reader: Caller, clinic: Clinic, add_case: AddCase
) -> None:
    second = add_case(N, patient_id=get(store, Case, clinic.case_ids[0]).patient_id)
    choice = CaseChoice(CaseSource.PICKED, case_ids=(second, clinic.case_ids[2]))
    (seen,) = designing.preview_choice(administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id]).seen
    assert (seen.n_seen, seen.n_cases) == (1, 2)


def test_a_near_copy_filed_under_another_code_makes_a_case_seen(administrator: Caller, clinic: Clinic) -> None:
    """A learned photograph, taken once more as a JPEG and turned, stands in a case of the test side."""
    learned, others = clinic.image_ids[0], clinic.image_ids[1:]

    def look_like(image_id: int, rgb: NDArray[np.uint8]) -> None:
        change(administrator, Image, image_id, perceptual_hash=perceptual_hash(rgb))

    def n_seen() -> int:
        choice = CaseChoice(CaseSource.PICKED, case_ids=clinic.case_ids, include_simulated=True)
        (seen,) = designing.preview_choice(administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id]).seen
        return seen.n_seen

    look_like(learned, draw(1, lesion=True)[0])
    for place, image_id in enumerate((others[0], others[2])):
        look_like(image_id, draw(2 + place, lesion=True)[0])
    assert n_seen() == 1
    look_like(others[1], np.rot90(draw(1, lesion=True)[0]).copy())
    assert n_seen() == 2, "what has been looked at since is compared too"
    with administrator.store.reading() as session:
        patient_id = session.get_one(Case, clinic.case_ids[2]).patient_id
        assert patient_id in patients_met(administrator.store, session, clinic.checkpoint_id)


def test_by_the_papers_protocol_the_test_side_is_seen_too(
    store: Store, administrator: Caller, reader: Caller, clinic: Clinic, study_id: int, add_case: AddCase
) -> None:
    """It augments before it splits, so that copies of each image stand on every side: nothing of it is unseen."""
    assert publish_anew(store, clinic.checkpoint_id, protocol="paper") == ()
    of_a_test_patient = add_case(N, patient_id=get(store, Case, clinic.case_ids[2]).patient_id)
    choice = CaseChoice(CaseSource.PICKED, case_ids=(*clinic.case_ids, of_a_test_patient))
    preview = designing.preview_choice(administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])
    assert [(one.n_seen, one.n_cases) for one in preview.seen] == [(4, 5)], "the snapshot holds all but the second"
    (checkpoint_line,) = get_study(administrator, study_id=study_id).checkpoints
    assert checkpoint_line.seen_in_training == 3

    aided = ReadingPlan(aid=Aid.AFTER_FIRST_CALL, aid_checkpoint_id=clinic.checkpoint_id)
    predict(store, clinic, dict.fromkeys(range(4), (0.1, 0.9)))
    study = designing.create_study(
        administrator, name="Aided", reader_ids=[reader.person_id], plan=aided,
        checkpoint_ids=[clinic.checkpoint_id], case_ids=clinic.case_ids[1:])  # fmt: skip
    with pytest.raises(InputRejected, match="has learned from 2 of the 3 cases"):
        designing.open_study(administrator, study_id=study.id)

    read_all(reader, study_id, dict(zip(clinic.case_ids, (N, H, H, H), strict=True)))
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    three, _ = study_results.study_results(administrator, study_id=study_id).checkpoints
    assert (three.n_seen, three.n_unseen) == (3, 1)
    assert study_results.study_findings(administrator, study_id=study_id).analysis.networks[0].n_cases == 1


def test_a_manifest_that_was_changed_is_no_word_on_what_was_learned_from(administrator: Caller, clinic: Clinic) -> None:
    with administrator.store.writing() as session:
        snapshot = session.get_one(Snapshot, clinic.snapshot_id)
        manifest = Manifest.from_json(administrator.store.blobs.get(snapshot.sha256))
        emptied = replace(manifest, items=manifest.items[1:]).to_json()
        place = next(administrator.store.settings.data_dir.rglob(f"{snapshot.sha256}*"))
    place.chmod(0o600)
    place.write_bytes(emptied)
    (sentence,) = publish_anew(administrator.store, clinic.checkpoint_id)
    assert sentence.startswith("Whom resnet18-1 has learned from cannot be told.")
    choice = CaseChoice(CaseSource.PICKED, case_ids=clinic.case_ids)
    with pytest.raises(NotFound, match="Whom resnet18-1 has learned from is not known"):
        designing.preview_choice(administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])


def test_the_test_split_of_a_snapshot_can_be_read(administrator: Caller, clinic: Clinic) -> None:
    choice = CaseChoice(CaseSource.TEST_SPLIT, snapshot_id=clinic.snapshot_id)
    preview = designing.preview_choice(administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])
    assert (preview.n_cases, preview.n_hsil, preview.seen[0].n_seen) == (2, 2, 0)


def test_progress_counts_predictions_and_tells_nothing_of_them(
    store: Store, administrator: Caller, clinic: Clinic, study_id: int
) -> None:
    predict(store, clinic, {0: (0.1, 0.1)})
    (checkpoint,) = get_study(administrator, study_id=study_id).checkpoints
    assert (checkpoint.predicted, checkpoint.total, checkpoint.seen_in_training) == (1, 4, 1)
