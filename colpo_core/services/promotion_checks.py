"""What speaks against making a checkpoint the clinic's model: sentences, each of which says what and why."""

from collections.abc import Mapping
from typing import Any

from colpo_core.datasets.guard import leaks
from colpo_core.errors import NotFound, SnapshotMismatch
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.paired import compare_arms, is_worse
from colpo_core.records.checkpoints import CheckpointRecord
from colpo_core.records.people import Actor
from colpo_core.services.checkpoints import current_checkpoint, read_checkpoint
from colpo_core.services.external_sets import external_sets, learned_from, seen_by
from colpo_core.services.fingerprints import fill_fingerprints, fingerprints
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.services.snapshot_rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.tables import Snapshot
from colpo_core.terms import Label

_SHOWN = 3
_NETWORKS = {"classification_3ch": "three channels", "classification_4ch": "four channels"}


def promotion_doubts(store: Store, *, actor: Actor, checkpoint_id: int) -> tuple[str, ...]:
    """Why a checkpoint should not be promoted; empty where nothing speaks against it.

    Args:
        store: The open store.
        actor: Who asks.
        checkpoint_id: Which one.

    Raises:
        NotFound: There is no such checkpoint.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    chosen = read_checkpoint(store, checkpoint_id)
    by_itself = (*chosen.card.get("leaks", []), *_one_call(chosen.card))
    try:
        return (*by_itself, *_leakage(store, chosen), *_seen(store, actor, chosen), *_worse(store, chosen))
    except (NotFound, SnapshotMismatch) as error:
        return (*by_itself, f"What it or the current model has learned from cannot be checked. {error}")


def _leakage(store: Store, chosen: CheckpointRecord) -> tuple[str, ...]:
    """The guard's word now: near copies may be known today that were not when it was trained."""
    manifest = read_manifest(store, _snapshot_sha256(store, chosen))
    fill_fingerprints(store, {item.image_id for item in manifest.items})
    with store.reading() as session:
        found = leaks(manifest, fingerprints(session))
    if not found:
        return ()
    shown = "; ".join(str(leak) for leak in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (f"Its snapshot leaks, so its figures flatter it: {shown}{more}.",)


def _one_call(card: Mapping[str, Any]) -> tuple[str, ...]:
    """A network that says the same of every case has learned nothing."""
    said = []
    for network, name in _NETWORKS.items():
        call = _metrics(card).get(network, {}).get("case", {}).get("all_called")
        if call is not None:
            said.append(f"With {name} it calls every test case {Label(call)}: it tells nothing apart.")
    return tuple(said)


def _seen(store: Store, actor: Actor, chosen: CheckpointRecord) -> tuple[str, ...]:
    return tuple(
        sentence
        for kept in external_sets(store, actor=actor)
        for sentence in seen_by(store, actor=actor, checkpoint_id=chosen.id, snapshot_id=kept.id)
    )


def _worse(store: Store, chosen: CheckpointRecord) -> tuple[str, ...]:
    """Worse beyond its interval than the model that is current now, on the same cases."""
    current = current_checkpoint(store)
    if current is None or current.id == chosen.id:
        return ()
    against = _metrics(chosen.card).get("against_current")
    if against is not None and against["sha256"] == current.sha256:
        worse = list(against["worse"])
    else:
        worse = _compare_cards(store, current, chosen)
    if not worse:
        return ()
    return (f"On the same cases it is worse than the current model {current.name}: {'; '.join(worse)}.",)


def _compare_cards(store: Store, current: CheckpointRecord, chosen: CheckpointRecord) -> list[str]:
    """From what both cards say of images that both judged, of patients whom neither learned from.

    Where a case's label has changed from one snapshot to the other there is no one truth to hold the two against.
    """
    known = {
        item.patient_id
        for one in (current, chosen)
        for item in learned_from(read_manifest(store, _snapshot_sha256(store, one)), one.card)
    }
    old, new = (_judged(one.card, known) for one in (current, chosen))
    shared = sorted(image_id for image_id in old.keys() & new.keys() if _is_same(old[image_id], new[image_id]))
    if not shared:
        return []
    difference = compare_arms(
        [by_case([old[image_id] for image_id in shared])],
        [by_case([new[image_id] for image_id in shared])],
        thresholds_first=[current.card["thresholds"]["4ch"]],
        thresholds_second=[chosen.card["thresholds"]["4ch"]],
    ).auc
    if not is_worse(difference):
        return []
    return [f"AUC {difference.value:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"]


def _is_same(one: Judged, other: Judged) -> bool:
    return (one.patient_id, one.case_id, one.label) == (other.patient_id, other.case_id, other.label)


def _judged(card: Mapping[str, Any], known: set[int]) -> dict[int, Judged]:
    return {
        row["image_id"]: Judged(
            row["patient_id"], row["case_id"], Label(row["label"]), row["prob_hsil_4ch"], image_id=row["image_id"]
        )
        for row in _metrics(card).get("predictions", ())
        if row["patient_id"] not in known
    }


def _metrics(card: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures of a card; one of an older version may lack them."""
    found: Mapping[str, Any] = card.get("metrics", {})
    return found


def _snapshot_sha256(store: Store, chosen: CheckpointRecord) -> str:
    with store.reading() as session:
        return session.get_one(Snapshot, chosen.snapshot_id).sha256
