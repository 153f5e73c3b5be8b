"""What speaks against making a checkpoint the clinic's model: sentences, each of which says what and why."""

from collections.abc import Mapping
from typing import Any

from colpo_core.datasets.guard import leaks
from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import NotFound, SnapshotMismatch
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.paired import compare_arms, is_worse
from colpo_core.records.models.cards import leaks as leaking_protocol
from colpo_core.records.models.checkpoints import CheckpointRecord, EvaluationRecord, PromotionChecks
from colpo_core.records.statistics.figures import Estimate
from colpo_core.services.cases.fingerprints import fill_fingerprints, fingerprints
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.models import card_doubts
from colpo_core.services.models.evaluations import list_evaluations
from colpo_core.services.models.registry import current_checkpoint, read_checkpoint
from colpo_core.services.snapshots.external_sets import external_sets, seen_by
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.services.snapshots.shortcuts import snapshot_shortcuts
from colpo_core.services.tasks.device_scores import follows_device
from colpo_core.store import Store
from colpo_core.store.tables import Snapshot
from colpo_core.terms import Label, LabelSource, Split

_SHOWN = 3


@allowed(CLINICIANS)
def check_promotion(caller: Caller, *, checkpoint_id: int) -> PromotionChecks:
    """What speaks against promoting a checkpoint, and what could not be checked.

    Raises:
        NotFound: There is no such checkpoint.
    """
    chosen = read_checkpoint(caller.store, checkpoint_id)
    metrics = card_doubts.figures_of(chosen.card)
    by_itself = (
        *leaking_protocol(chosen.card),
        *_labels(chosen),
        *card_doubts.one_call(metrics),
        *card_doubts.no_better_than_chance(metrics),
        *card_doubts.too_few_cases(metrics),
        *_external(caller, chosen),
        *_blind(chosen.card),
        *card_doubts.evidence_astray(metrics),
    )
    unknown = card_doubts.unknown_evidence(metrics)
    try:
        with caller.store.reading() as session:
            sha256 = session.get_one(Snapshot, chosen.snapshot_id).sha256
        manifest = read_manifest(caller.store, sha256)
        shortcuts = snapshot_shortcuts(caller.store, chosen.snapshot_id, manifest)
        doubts = (
            *by_itself,
            *shortcuts.doubts,
            *follows_device(caller.store, manifest, chosen.card),
            *_simulated(manifest),
            *_leakage(caller.store, manifest),
            *_seen(caller, chosen),
            *_worse(caller.store, chosen),
        )
    except (NotFound, SnapshotMismatch) as error:
        return PromotionChecks(
            (*by_itself, f"What it or the current model has learned from cannot be checked. {error}"), unknown
        )
    return PromotionChecks(doubts, (*unknown, *shortcuts.unchecked))


def _labels(chosen: CheckpointRecord) -> tuple[str, ...]:
    if chosen.label_source is LabelSource.HISTOLOGY:
        return ()
    return ("Its labels are colposcopic impressions, not histology: how it does against histology is not known.",)


def _external(caller: Caller, chosen: CheckpointRecord) -> tuple[str, ...]:
    """The newest look at each external test set."""
    newest: dict[int, EvaluationRecord] = {}
    for look in list_evaluations(caller, checkpoint_id=chosen.id):
        newest.setdefault(look.snapshot_id, look)
    return tuple(
        sentence
        for look in newest.values()
        for sentence in card_doubts.no_better_than_chance(
            look.metrics, where=f"the cases of the external test set “{look.snapshot_name}”"
        )
    )


def _simulated(manifest: Manifest) -> tuple[str, ...]:
    """Drawings among what it learned from or was tested on."""
    counted = []
    for words, splits in (("it learned from", (Split.TRAIN, Split.VALIDATION)), ("it was tested on", (Split.TEST,))):
        items = [item for split in splits for item in manifest.of(split)]
        drawn = sum(item.simulated for item in items)
        if drawn:
            counted.append(f"{drawn} of the {len(items)} images that {words}")
    if not counted:
        return ()
    return (f"{' and '.join(counted)} are simulated: its figures say little or nothing about patients.",)


def _leakage(store: Store, manifest: Manifest) -> tuple[str, ...]:
    """The guard's word now: near copies may be known today that were not when it was trained."""
    fill_fingerprints(store, {item.image_id for item in manifest.items})
    with store.reading() as session:
        leaked = leaks(manifest, fingerprints(session))
    if not leaked:
        return ()
    shown = "; ".join(str(leak) for leak in leaked[:_SHOWN])
    more = f"; and {len(leaked) - _SHOWN} more" if len(leaked) > _SHOWN else ""
    return (f"Its snapshot leaks, so its figures flatter it: {shown}{more}.",)


def _seen(caller: Caller, chosen: CheckpointRecord) -> tuple[str, ...]:
    return tuple(
        sentence
        for snapshot in external_sets(caller)
        for sentence in seen_by(caller, checkpoint_id=chosen.id, snapshot_id=snapshot.id)
    )


def _worse(store: Store, chosen: CheckpointRecord) -> tuple[str, ...]:
    """Worse beyond its interval than the model that is current now, on the same cases."""
    current = current_checkpoint(store)
    if current is None or current.id == chosen.id:
        return ()
    against = card_doubts.figures_of(chosen.card).get("against_current")
    if against is not None and against["sha256"] == current.sha256:
        worse = list(against["worse"])
    else:
        worse = _compare_cards(store, current, chosen)
    if not worse:
        return ()
    return (f"On the same cases it is worse than the current model {current.name}: {'; '.join(worse)}.",)


def _compare_cards(store: Store, current: CheckpointRecord, chosen: CheckpointRecord) -> list[str]:
    """From what both cards say of images that both judged, of patients whom neither has met.

    Where a case's label has changed from one snapshot to the other there is no one truth to hold the two against.
    """
    with store.reading() as session:
        known = patients_met(store, session, current.id, chosen.id)
    old, new = (_judged(checkpoint.card, known) for checkpoint in (current, chosen))
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


def _is_same(first: Judged, other: Judged) -> bool:
    return (first.patient_id, first.case_id, first.label) == (other.patient_id, other.case_id, other.label)


def _judged(card: Mapping[str, Any], known: frozenset[int]) -> dict[int, Judged]:
    return {
        row["image_id"]: Judged(
            row["patient_id"], row["case_id"], Label(row["label"]), row["prob_hsil_4ch"], image_id=row["image_id"]
        )
        for row in card_doubts.figures_of(card).get("predictions", ())
        if row["patient_id"] not in known
    }


def _blind(card: Mapping[str, Any]) -> tuple[str, ...]:
    """A segmenter that is not better than a mask that looks at no image; nothing is said where no mask was tested.

    A card of an earlier version does not know it.
    """
    blind = card_doubts.figures_of(card).get("segmentation", {}).get("blind")
    if not blind:
        return ()
    not_better = []
    for mask, name in (("mean_mask", "the mean training mask"), ("disc", "a disc in the middle")):
        difference = Estimate(**blind[mask]["iou_difference"])
        if difference.value is None or (difference.low is not None and difference.low > 0):
            continue
        not_better.append(f"{name}, {difference.text(is_signed=True)}")
    if not not_better:
        return ()
    return (
        "Its masks are not shown to be better than masks that look at no image (difference in IoU, 95% interval by "
        f"patients): {'; '.join(not_better)}.",
    )
