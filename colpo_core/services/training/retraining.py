"""Trainings that begin by themselves: after some days, or when enough new labels have come in.

Off until an administrator sets a rule. A training that began so ends as any other does: in the registry, judged, and
not promoted.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import ColpoError
from colpo_core.records.people import Actor
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.records.training.retraining import RetrainingRule, RetrainingState
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.records.typed_json import from_values, to_values
from colpo_core.services.common import audit
from colpo_core.services.common.actors import as_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, allowed
from colpo_core.services.snapshots.freezing import freeze_unattended, gather_manifest, get_snapshot
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.services.training.starting import start_training
from colpo_core.store import Store
from colpo_core.store.tables import Job, Person, Snapshot, utc_now
from colpo_core.store.tables import RetrainingRule as RuleRow
from colpo_core.terms import JobKind, Role

LOOK_EVERY = timedelta(hours=1)
"""Counting the new labels of a large store takes seconds."""


@allowed(CLINICIANS)
def rule_like(
    caller: Caller,
    *,
    snapshot_id: int,
    settings: TrainingSettings,
    every_days: int | None,
    at_new_labels: int | None,
) -> RetrainingRule:
    """A rule whose snapshots are frozen as one that there is: same labels, masks and split, and whoever came since.

    Raises:
        InputRejected: The rule names no moment.
        NotFound: There is no such snapshot, or its file is missing or damaged.
    """
    manifest = read_manifest(caller.store, get_snapshot(caller, snapshot_id=snapshot_id).sha256)
    return RetrainingRule(
        every_days=every_days,
        at_new_labels=at_new_labels,
        label_source=manifest.label_source,
        fractions=manifest.fractions,
        seed=manifest.seed,
        include_simulated=manifest.simulated,
        mask_policy=manifest.mask_policy,
        mask_annotator_id=manifest.mask_annotator_id,
        settings=settings,
    )


@allowed(ADMINISTRATORS)
def set_retraining(caller: Caller, *, rule: RetrainingRule | None) -> RetrainingState:
    """Let the program train by itself from now on, or no more.

    Args:
        caller: An administrator.
        rule: When and how; None switches it off.
    """
    with caller.store.writing() as session:
        before = _newest(session)
        values = to_values(rule) if rule else {}
        row = RuleRow(
            is_on=rule is not None,
            every_days=rule.every_days if rule else None,
            at_new_labels=rule.at_new_labels if rule else None,
            query={name: value for name, value in values.items() if name in _QUERY_NAMES},
            settings=rule.settings.to_dict() if rule else {},
            set_by=caller.person_id,
            last_job_id=before.last_job_id if before else None,
        )
        session.add(row)
        session.flush()
        detail = {"every_days": row.every_days, "at_new_labels": row.at_new_labels}
        audit.record(
            session, caller.actor, "retrain by itself" if rule else "retrain no more", f"rule {row.id}", **detail
        )
    return retraining(caller)


@allowed(CLINICIANS)
def retraining(caller: Caller) -> RetrainingState:
    """The rule that holds, and what came of it."""
    with caller.store.reading() as session:
        row = _newest(session)
        if row is None:
            return RetrainingState(False, None, "", None, None, None, "")
        name = session.scalars(select(Person.display_name).where(Person.id == row.set_by)).one()
        rule = _rule(row) if row.is_on else None
        return RetrainingState(row.is_on, rule, name, row.set_at, row.last_looked_at, row.last_job_id, row.last_note)


def train_if_due(store: Store, *, now: datetime | None = None) -> int | None:
    """Begin a training where the rule says that it is time; whoever supervises the jobs asks this from time to time.

    Args:
        store: The open store.
        now: The present; the clock's when None.

    Returns:
        The job that began, or None. Why none began although it was time stands in the rule's note.
    """
    now = now or utc_now()
    look = _take_look(store, now)
    if look is None:
        return None
    row, actor = look
    try:
        if actor is None:
            raise _NotNow("Whoever set this rule may not train any more. An administrator has to set it again.")
        rule = _rule(row)
        reason = _reason(store, row, rule, now)
        if reason is None:
            return None
        name = f"by itself, {now:%Y-%m-%d %H:%M}"
        snapshot = freeze_unattended(Caller(store, actor), query=_query(row, name))
        job = start_training(Caller(store, actor), snapshot_id=snapshot.id, settings=rule.settings)
    except ColpoError as error:
        # Nobody waits for an answer: the page shows the sentence beside the rule.
        _write_note(store, row.id, f"{now:%Y-%m-%d %H:%M} UTC: no training began. {error}")
        return None
    _write_note(store, row.id, f"{now:%Y-%m-%d %H:%M} UTC: training {job.id} began, {reason}.", job_id=job.id)
    return job.id


class _NotNow(ColpoError):
    """It is no time to train, and the sentence says why."""


def _take_look(store: Store, now: datetime) -> tuple[RuleRow, Actor | None] | None:
    """The rule and who set it, for one of however many supervisors; None where there is nothing to look at now."""
    with store.reading() as session:
        if not _wants_look(session, now):
            return None
    with store.writing() as session:
        if not _wants_look(session, now):
            return None
        row = _newest(session)
        if row is None:
            return None
        row.last_looked_at = now
        person = session.get_one(Person, row.set_by)
        may_train = person.active and person.role is not Role.READER
        return row, as_actor(person) if may_train else None


def _wants_look(session: Session, now: datetime) -> bool:
    row = _newest(session)
    if row is None or not row.is_on:
        return False
    if row.last_looked_at is not None and now - row.last_looked_at < LOOK_EVERY:
        return False
    last = session.get(Job, row.last_job_id) if row.last_job_id else None
    return last is None or last.state.is_over


def _reason(store: Store, row: RuleRow, rule: RetrainingRule, now: datetime) -> str | None:
    """Why it is time, in words; None where it is not."""
    with store.reading() as session:
        last = session.get(Job, row.last_job_id) if row.last_job_id else None
        since = max(row.set_at, last.created_at) if last else row.set_at
        newest = session.scalar(
            select(Snapshot.sha256)
            .join(Job, Job.snapshot_id == Snapshot.id)
            .where(Job.kind == JobKind.TRAIN, Snapshot.label_source == rule.label_source)
            .order_by(Job.id.desc())
            .limit(1)
        )
    if rule.every_days is not None and now - since >= timedelta(days=rule.every_days):
        return f"{(now - since).days} days after the last"
    if rule.at_new_labels is None:
        return None
    known = _labelled_cases(read_manifest(store, newest)) if newest else frozenset()
    new = _labelled_cases(gather_manifest(store, _query(row, "by itself"))) - known
    return f"because of {len(new)} new labels" if len(new) >= rule.at_new_labels else None


def _labelled_cases(manifest: Manifest) -> frozenset[int]:
    return frozenset(item.case_id for item in manifest.items if item.label is not None)


def _write_note(store: Store, rule_id: int, note: str, *, job_id: int | None = None) -> None:
    with store.writing() as session:
        row = session.get_one(RuleRow, rule_id)
        row.last_note = note
        row.last_job_id = job_id or row.last_job_id


def _newest(session: Session) -> RuleRow | None:
    return session.scalar(select(RuleRow).order_by(RuleRow.id.desc()).limit(1))


_QUERY_NAMES = ("label_source", "fractions", "seed", "include_simulated", "mask_policy", "mask_annotator_id")


def _query(row: RuleRow, name: str) -> SnapshotQuery:
    return from_values(SnapshotQuery, row.query | {"name": name}, name="the rule of trainings that begin by themselves")


def _rule(row: RuleRow) -> RetrainingRule:
    query, settings = _query(row, "by itself"), TrainingSettings.from_dict(row.settings)
    asked = {name: getattr(query, name) for name in _QUERY_NAMES}
    return RetrainingRule(every_days=row.every_days, at_new_labels=row.at_new_labels, settings=settings, **asked)
