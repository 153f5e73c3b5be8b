from datetime import timedelta

import pytest

from colpo_core.errors import InputRejected, PermissionDenied
from colpo_core.records.training.retraining import RetrainingRule
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.services.training import starting
from colpo_core.services.training.retraining import LOOK_EVERY, retraining, rule_like, set_retraining, train_if_due
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Job, Person, Promotion, utc_now
from colpo_core.terms import Grade, JobState, MaskPolicy, Role
from tests.conftest import add_person
from tests.integration.test_failing_trainings import TINY
from tests.support.clinic import Clinic
from tests.support.refusals import refused
from tests.support.store_rows import change, count, rows

pytestmark = pytest.mark.usefixtures("placed")


@pytest.fixture
def clinic(store: Store) -> Clinic:
    clinic = Clinic(store)
    clinic.add_cohort(12)
    return clinic


@pytest.fixture
def snapshot_id(clinic: Clinic, annotator: Caller) -> int:
    query = SnapshotQuery("first", seed=3, mask_policy=MaskPolicy.MAJORITY)
    return freezing.freeze_snapshot(annotator, query=query).id


def ruled(caller: Caller, snapshot_id: int, **moments: int) -> RetrainingRule:
    wanted: dict[str, int | None] = {"every_days": None, "at_new_labels": None}
    rule = rule_like(caller, snapshot_id=snapshot_id, settings=TINY, **(wanted | moments))
    set_retraining(caller, rule=rule)
    return rule


def end(store: Store, job_id: int) -> None:
    change(store, Job, job_id, state=JobState.DONE)


def test_nothing_trains_by_itself_until_somebody_says_so(
    store: Store, administrator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    assert not retraining(administrator).is_on
    assert train_if_due(store, now=utc_now() + timedelta(days=400)) is None
    assert placed == []


def test_a_rule_is_kept_as_it_was_set(store: Store, administrator: Caller, snapshot_id: int) -> None:
    rule = ruled(administrator, snapshot_id, every_days=30)
    assert (rule.seed, rule.mask_policy) == (3, MaskPolicy.MAJORITY)
    found = retraining(administrator)
    assert (found.is_on, found.rule, found.set_by) == (True, rule, "Ada")
    set_retraining(administrator, rule=None)
    assert not retraining(administrator).is_on
    deeds = rows(store, AuditEntry.action, AuditEntry.subject.startswith("rule"))
    assert deeds == ["retrain by itself", "retrain no more"]


def test_after_the_days_it_freezes_trains_and_promotes_nothing(
    store: Store, administrator: Caller, clinic: Clinic, snapshot_id: int, placed: list[int]
) -> None:
    ruled(administrator, snapshot_id, every_days=30)
    clinic.add_case(grades=(Grade.CIN3,))
    later = utc_now() + timedelta(days=29)
    assert train_if_due(store, now=later) is None
    job_id = train_if_due(store, now=later + timedelta(days=2))
    assert placed == [job_id]
    assert job_id is not None
    job = jobs.get_job(administrator, job_id=job_id)
    assert job.created_by == "Ada"
    frozen = freezing.get_snapshot(administrator, snapshot_id=job.snapshot_id or 0)
    assert (frozen.count("images"), frozen.mask_policy, frozen.seed) == (13, MaskPolicy.MAJORITY, 3)
    assert f"training {job_id} began" in retraining(administrator).note
    assert count(store, Promotion) == 0


def test_new_labels_bring_it_on(
    store: Store, administrator: Caller, clinic: Clinic, snapshot_id: int, placed: list[int]
) -> None:
    starting.start_training(administrator, snapshot_id=snapshot_id, settings=TINY)
    placed.clear()
    ruled(administrator, snapshot_id, at_new_labels=2)
    now = utc_now()
    clinic.add_case(grades=(Grade.CIN3,))
    assert train_if_due(store, now=now) is None
    clinic.add_case()
    assert train_if_due(store, now=now + LOOK_EVERY / 2) is None, "it looks once an hour"
    job_id = train_if_due(store, now=now + 2 * LOOK_EVERY)
    assert placed == [job_id]
    assert job_id is not None
    assert "because of 2 new labels" in retraining(administrator).note
    clinic.add_case()
    clinic.add_case()
    assert train_if_due(store, now=now + 4 * LOOK_EVERY) is None, "one after the other"
    end(store, job_id)
    assert train_if_due(store, now=now + 6 * LOOK_EVERY) not in (None, job_id)


def test_why_none_began_stands_beside_the_rule(store: Store, administrator: Caller, snapshot_id: int) -> None:
    ruled(administrator, snapshot_id, every_days=1)
    assert train_if_due(store, now=utc_now() + timedelta(days=2)) is None
    assert "holds exactly the same" in retraining(administrator).note


def test_who_may_not_train_any_more_trains_no_more(administrator: Caller, snapshot_id: int, placed: list[int]) -> None:
    second = add_person(administrator.store, "second", Role.ADMINISTRATOR)
    ruled(second, snapshot_id, every_days=1)
    change(administrator, Person, second.person_id, active=False)
    assert train_if_due(administrator.store, now=utc_now() + timedelta(days=2)) is None
    assert "may not train any more" in retraining(administrator).note
    assert placed == []


def test_of_several_supervisors_one_looks(
    store: Store, administrator: Caller, clinic: Clinic, snapshot_id: int, placed: list[int]
) -> None:
    ruled(administrator, snapshot_id, every_days=1)
    clinic.add_case()
    later = utc_now() + timedelta(days=2)
    assert [train_if_due(store, now=later) is None for _ in range(3)] == [False, True, True]
    assert len(placed) == 1


def test_only_an_administrator_sets_it_and_it_needs_a_moment(
    administrator: Caller, annotator: Caller, snapshot_id: int
) -> None:
    rule = rule_like(annotator, snapshot_id=snapshot_id, settings=TINY, every_days=7, at_new_labels=None)
    refused(PermissionDenied, lambda: set_retraining(annotator, rule=rule))
    for days, labels in ((None, None), (0, None), (367, None), (None, 0)):
        with pytest.raises(InputRejected):
            rule_like(administrator, snapshot_id=snapshot_id, settings=TINY, every_days=days, at_new_labels=labels)
