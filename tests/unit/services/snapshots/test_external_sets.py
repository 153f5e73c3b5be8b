from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest

from colpo_core.errors import InputRejected, LeakageFound, NotFound, PermissionDenied
from colpo_core.records.snapshots.snapshots import SnapshotQuery, SnapshotRecord
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.snapshots import external_sets as snapshots_external_sets
from colpo_core.services.snapshots import freezing
from colpo_core.services.training import starting
from colpo_core.store import Store
from colpo_core.store.tables import Job, Patient
from colpo_core.terms import Grade, JobState, Split
from tests.support.clinic import Clinic, ClinicCase, draw
from tests.support.copies import as_jpeg, brighter
from tests.support.learned import add_checkpoint
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import get, rows

Freeze = Callable[..., SnapshotRecord]
PHOTOGRAPH = draw(500, lesion=False)[0]


pytestmark = pytest.mark.usefixtures("placed")


@dataclass(frozen=True)
class Ward:
    """Eight patients like any others, one who is to be kept, and two who are kin to her by one photograph each."""

    clinic: Clinic
    others: list[ClinicCase]
    chosen: ClinicCase
    same_file: ClinicCase
    near_copy: ClinicCase

    @property
    def kin(self) -> set[int]:
        return {self.chosen.patient_id, self.same_file.patient_id, self.near_copy.patient_id}


@pytest.fixture
def ward(store: Store) -> Ward:
    clinic = Clinic(store)
    others = clinic.add_cohort(8)
    chosen = clinic.add_case(grades=(Grade.CIN3,), photograph=PHOTOGRAPH)
    same_file = clinic.add_case(grades=(Grade.CIN3,), photograph=PHOTOGRAPH)
    near_copy = clinic.add_case(grades=(Grade.CIN3,), photograph=as_jpeg(brighter(PHOTOGRAPH, 1.1), 60))
    return Ward(clinic, others, chosen, same_file, near_copy)


@pytest.fixture
def freeze(annotator: Caller) -> Freeze:
    def frozen(name: str, **changes: object) -> SnapshotRecord:
        return freezing.freeze_snapshot(annotator, query=SnapshotQuery(name, **changes))

    return frozen


def code_of(store: Store, case: ClinicCase) -> str:
    return get(store, Patient, case.patient_id).code


def train(caller: Caller, snapshot: SnapshotRecord) -> int:
    return starting.start_training(caller, snapshot_id=snapshot.id, settings=TrainingSettings()).id


def test_all_of_an_external_set_stands_in_test(store: Store, annotator: Caller, ward: Ward, freeze: Freeze) -> None:
    query = SnapshotQuery("kept", external=True, patient_codes=(code_of(store, ward.chosen).upper(), " "))
    preview = freezing.preview_snapshot(annotator, query=query)
    assert (preview.external, preview.problems) == (True, ())
    assert preview.warnings[0] == "Test holds no case labelled normal."
    assert preview.warnings[1].startswith("Test holds only 1 labelled hsil")
    snapshot = freezing.freeze_snapshot(annotator, query=query)
    assert (snapshot.external, snapshot.sha256) == (True, preview.sha256)
    manifest = manifest_of(store, snapshot.id)
    assert [(item.patient_id, item.split) for item in manifest.items] == [(ward.chosen.patient_id, Split.TEST)]
    assert manifest.fractions == (0, 0, 1)
    everybody = freezing.preview_snapshot(annotator, query=SnapshotQuery("all", external=True))
    assert "keeps every patient who can be trained on now" in everybody.warnings[-1]
    assert manifest.counts()["left_out"] == {"not of the chosen patients": 10}
    assert not freeze("ordinary").external
    assert snapshots_external_sets.external_sets(annotator) == (snapshot,)


def test_no_other_snapshot_holds_its_patients_or_their_kin(annotator: Caller, ward: Ward, freeze: Freeze) -> None:
    assert ward.kin < {item.patient_id for item in manifest_of(annotator.store, freeze("before").id).items}
    freeze("kept", external=True, patient_codes=(code_of(annotator.store, ward.chosen),))
    later = ward.clinic.add_case(patient_id=ward.chosen.patient_id)
    manifest = manifest_of(annotator.store, freeze("after").id)
    assert {item.patient_id for item in manifest.items} == {case.patient_id for case in ward.others}
    kept_back = [gone.id for gone in manifest.left_out if gone.reason == "kept for the external test set “kept”"]
    assert kept_back == [case.image_id for case in (ward.chosen, ward.same_file, ward.near_copy, later)]


def test_sets_share_nobody_and_the_same_set_is_frozen_once(annotator: Caller, ward: Ward, freeze: Freeze) -> None:
    chosen = {"external": True, "patient_codes": (code_of(annotator.store, ward.chosen),)}
    first = freeze("kept", **chosen)
    assert freeze("kept", **chosen) == first
    second = freeze("second", external=True)
    assert {item.patient_id for item in manifest_of(annotator.store, second.id).items} == {
        case.patient_id for case in ward.others
    }
    assert [one.name for one in snapshots_external_sets.external_sets(annotator)] == ["second", "kept"]
    refused(InputRejected, lambda: freeze("third"), match="Nothing is left to freeze")


def test_days_and_patients_restrict_any_snapshot(annotator: Caller, freeze: Freeze, clinic: Clinic) -> None:
    days = [date(2026, 1, day) for day in range(1, 7)]
    cases = [clinic.add_case(case_date=day) for day in days]
    undated = clinic.add_case()
    manifest = manifest_of(annotator.store, freeze("some", date_from=days[1], date_to=days[4]).id)
    assert [item.image_id for item in manifest.items] == [case.image_id for case in cases[1:5]]
    reasons = {gone.id: gone.reason for gone in manifest.left_out if gone.what == "image"}
    assert reasons[cases[0].image_id] == reasons[cases[5].image_id] == "not examined on the chosen days"
    assert reasons[undated.image_id] == "examined on a day that is not recorded"
    codes = tuple(code_of(annotator.store, case) for case in (*cases[2:4], undated))
    both = manifest_of(annotator.store, freeze("few", patient_codes=codes, date_to=days[2]).id)
    assert [item.image_id for item in both.items] == [cases[2].image_id]
    assert {item.image_id for item in manifest_of(annotator.store, freeze("late", date_from=days[5]).id).items} == {
        cases[5].image_id
    }
    refused(InputRejected, lambda: freeze("none", date_from=date(2027, 1, 1)), match="of the chosen patients and days")
    with pytest.raises(InputRejected, match="1 of the 2 patient codes are not in the store") as refusal:
        freeze("wrong", patient_codes=(codes[0], "secret-9"))
    assert "secret" not in str(refusal.value)
    refused(InputRejected, lambda: SnapshotQuery("x", date_from=days[1], date_to=days[0]), match="after the last")


def test_nothing_is_trained_on_an_external_set(annotator: Caller, ward: Ward, freeze: Freeze) -> None:
    kept = freeze("kept", external=True)
    with pytest.raises(InputRejected, match="“kept” is an external test set: nothing is trained on it"):
        train(annotator, kept)
    refused(NotFound, lambda: starting.start_training(annotator, snapshot_id=99, settings=TrainingSettings()))
    assert jobs.list_jobs(annotator) == ()


@pytest.mark.parametrize("who", ["chosen", "same_file", "near_copy"])
def test_no_training_starts_on_an_older_snapshot_that_touches_a_set(
    store: Store, annotator: Caller, ward: Ward, freeze: Freeze, who: str
) -> None:
    touching = getattr(ward, who)
    old = freeze("old", patient_codes=tuple(code_of(store, case) for case in (touching, *ward.others)))
    job_id = train(annotator, old)
    jobs.cancel_job(annotator, job_id=job_id)
    freeze("kept", external=True, patient_codes=(code_of(store, ward.chosen),))
    holds = {
        "chosen": f"patient {ward.chosen.patient_id}",
        "same_file": f"the same file as image {ward.chosen.image_id}",
        "near_copy": f"near copies of image {ward.chosen.image_id}",
    }[who]
    with pytest.raises(LeakageFound) as refusal:
        train(annotator, old)
    assert str(refusal.value) == (
        f"Snapshot “old” holds {holds} of the external test set “kept”. Freeze a new snapshot, which leaves them out, "
        "and train on that one."
    )
    refused(LeakageFound, lambda: starting.run_again(annotator, job_id=job_id), match="Freeze a new snapshot")
    assert jobs.get_job(annotator, job_id=job_id).state is JobState.CANCELLED
    assert jobs.get_job(annotator, job_id=train(annotator, freeze("new"))).state is JobState.QUEUED


def test_a_checkpoint_has_seen_what_its_training_touched(annotator: Caller, ward: Ward, freeze: Freeze) -> None:
    old = freeze("old", patient_codes=tuple(code_of(annotator.store, case) for case in (ward.same_file, *ward.others)))
    sides = {item.patient_id: item.split for item in manifest_of(annotator.store, old.id).items}
    tested = next(case for case in ward.others if sides[case.patient_id] is Split.TEST)
    learned = [case for case in ward.others if sides[case.patient_id] is not Split.TEST][:2]
    assert sides[ward.same_file.patient_id] is not Split.TEST
    checkpoint_id = add_checkpoint(annotator.store, old.id)
    codes = tuple(code_of(annotator.store, case) for case in (*learned, ward.near_copy))
    query = SnapshotQuery("kept", external=True, patient_codes=codes)
    warnings = freezing.preview_snapshot(annotator, query=query).warnings
    assert warnings[-1] == "model learned from images of 3 of these patients: there the set will count as seen."
    kept = freezing.freeze_snapshot(annotator, query=query)
    other = draw(501, lesion=False)[0]
    twice = [ward.clinic.add_case(photograph=photograph) for photograph in (other, as_jpeg(other, 80))]
    codes = tuple(code_of(annotator.store, case) for case in (tested, *twice))
    unseen = freeze("unseen", external=True, patient_codes=codes)

    def seen(snapshot: SnapshotRecord) -> tuple[str, ...]:
        return snapshots_external_sets.seen_by(annotator, checkpoint_id=checkpoint_id, snapshot_id=snapshot.id)

    patients = ", ".join(str(case.patient_id) for case in learned)
    assert seen(kept) == (
        f"The training of model saw patients {patients} of the external test set “kept”.",
        f"The training of model saw near copies of image {ward.near_copy.image_id} of the external test set “kept”.",
    )
    assert seen(unseen) == (), "one stood in test, and near copies within the set are its own affair"
    refused(InputRejected, lambda: seen(old), match="“old” is no external test set")
    for wrong in ({"checkpoint_id": 99, "snapshot_id": kept.id}, {"checkpoint_id": checkpoint_id, "snapshot_id": 99}):
        with pytest.raises(NotFound):
            snapshots_external_sets.seen_by(annotator, **wrong)


def test_by_the_papers_protocol_a_checkpoint_has_seen_the_test_side_too(
    store: Store, annotator: Caller, ward: Ward, freeze: Freeze
) -> None:
    old = freeze("old", patient_codes=tuple(code_of(store, case) for case in ward.others))
    sides = {item.patient_id: item.split for item in manifest_of(store, old.id).items}
    tested = next(case for case in ward.others if sides[case.patient_id] is Split.TEST)
    honest = add_checkpoint(store, old.id, "honest")
    leaking = add_checkpoint(store, old.id, "leaking", card={"protocol": "paper"})
    query = SnapshotQuery("kept", external=True, patient_codes=(code_of(store, tested),))
    warnings = freezing.preview_snapshot(annotator, query=query).warnings
    assert warnings[-1] == "leaking learned from images of 1 of these patients: there the set will count as seen."
    kept = freezing.freeze_snapshot(annotator, query=query)

    def seen(checkpoint_id: int) -> tuple[str, ...]:
        return snapshots_external_sets.seen_by(annotator, checkpoint_id=checkpoint_id, snapshot_id=kept.id)

    assert seen(honest) == ()
    assert seen(leaking) == (
        f"The training of leaking saw patient {tested.patient_id} of the external test set “kept”.",
    )


def test_many_numbers_are_counted_not_listed(store: Store, annotator: Caller, ward: Ward, freeze: Freeze) -> None:
    old = freeze("old")
    checkpoint_id = add_checkpoint(store, old.id)
    kept = freeze("kept", external=True)
    (sentence,) = snapshots_external_sets.seen_by(annotator, checkpoint_id=checkpoint_id, snapshot_id=kept.id)
    learned = {item.patient_id for item in manifest_of(store, old.id).items if item.split is not Split.TEST}
    assert f"and {len(learned) - 5} more of the external test set" in sentence


def test_readers_learn_nothing_of_external_sets(store: Store, reader: Caller, ward: Ward, freeze: Freeze) -> None:
    kept = freeze("kept", external=True)
    refused(
        PermissionDenied,
        lambda: snapshots_external_sets.external_sets(reader),
        lambda: snapshots_external_sets.seen_by(reader, checkpoint_id=1, snapshot_id=kept.id),
    )
    assert rows(store, Job) == []
