"""External test sets: whom they keep from all other snapshots, and which checkpoints have seen something of them.

A patient of an external set, whoever shares an image with her, and whoever has a near copy of one of her images stand
in no other snapshot. What was frozen or trained before the set cannot be undone: no training starts on such a snapshot
any more, and `seen_by` says what a checkpoint has learned from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.datasets.patient_groups import group_by_shared_image
from colpo_core.errors import InputRejected, LeakageFound, NotFound
from colpo_core.records.people import Actor
from colpo_core.records.snapshots.snapshots import SnapshotRecord
from colpo_core.services.cases.fingerprints import fill_fingerprints, fingerprints, near_copies
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.services.snapshots.learned_copies import patients_of
from colpo_core.services.snapshots.rows import read_manifest, snapshot_record, snapshot_rows
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Snapshot
from colpo_core.terms import Split

_SHOWN = 5


def external_sets(store: Store, *, actor: Actor) -> tuple[SnapshotRecord, ...]:
    """All external test sets, newest first.

    Raises:
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    query = snapshot_rows().where(Snapshot.external).order_by(Snapshot.id.desc())
    with store.reading() as session:
        return tuple(snapshot_record(row) for row in session.execute(query))


def seen_by(store: Store, *, actor: Actor, checkpoint_id: int, snapshot_id: int) -> tuple[str, ...]:
    """What of an external test set a checkpoint's training has touched: see `learned_from`.

    Args:
        store: The open store.
        actor: Who asks.
        checkpoint_id: The checkpoint.
        snapshot_id: The external test set.

    Returns:
        Sentences that name patients and images by their rows; none where the set is unseen.

    Raises:
        NotFound: There is no such checkpoint or snapshot, or a file is missing or damaged.
        InputRejected: The snapshot is no external test set.
        PermissionDenied: The actor is a reader.
        SnapshotMismatch: A manifest is not what its hash says.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        checkpoint, snapshot = session.get(Checkpoint, checkpoint_id), session.get(Snapshot, snapshot_id)
        if checkpoint is None:
            raise NotFound(f"There is no checkpoint {checkpoint_id}. Choose one under Models.")
        if snapshot is None:
            raise NotFound(f"There is no snapshot {snapshot_id}. Choose one of the list.")
        if not snapshot.external:
            raise InputRejected(f"Snapshot “{snapshot.name}” is no external test set. Choose one that is.")
        trained_on = session.get_one(Snapshot, checkpoint.snapshot_id)
    learned = learned_from(read_manifest(store, trained_on.sha256), checkpoint.card)
    kept = read_manifest(store, snapshot.sha256).items
    looks = _looks(store, (*learned, *kept))
    return _sentences(_touched(learned, kept, looks), f"The training of {checkpoint.name} saw", snapshot.name)


def learned_from(manifest: Manifest, card: Mapping[str, Any]) -> tuple[ManifestItem, ...]:
    """The images that a training learned from or chose by.

    Args:
        manifest: The snapshot that it was given.
        card: The card of its checkpoint.

    Returns:
        Those of train and validation. By the paper's protocol all, because copies of each image stand on every side.
    """
    if _learns_from_all(card):
        return manifest.items
    return manifest.of(Split.TRAIN) + manifest.of(Split.VALIDATION)


def items_learned_from(store: Store, session: Session, checkpoint_id: int) -> tuple[ManifestItem, ...]:
    """The images that a published checkpoint has learned from, or that chose its epoch and thresholds.

    Raises:
        NotFound: The manifest of its snapshot is missing or damaged.
        SnapshotMismatch: It is not what its hash says.
    """
    checkpoint = session.get_one(Checkpoint, checkpoint_id)
    manifest = read_manifest(store, session.get_one(Snapshot, checkpoint.snapshot_id).sha256)
    return learned_from(manifest, checkpoint.card)


def patients_met(store: Store, session: Session, checkpoint_id: int) -> frozenset[int]:
    """Rows of the patients of `items_learned_from`, and of those who have a copy or near copy of such an image.

    One photograph may be filed under two codes, and a model that has learned from it knows both.

    Raises:
        NotFound: The manifest of its snapshot is missing or damaged.
        SnapshotMismatch: It is not what its hash says.
    """
    return patients_of(store, session, items_learned_from(store, session, checkpoint_id))


def refuse_training(store: Store, snapshot_id: int) -> None:
    """Refuse to train on an external test set, and on a snapshot that holds any of its patients on any side.

    Raises:
        NotFound: There is no such snapshot, or a file is missing or damaged.
        InputRejected: The snapshot is an external test set.
        LeakageFound: The snapshot holds patients, images or near copies of an external set that was frozen since.
        SnapshotMismatch: A manifest is not what its hash says.
    """
    with store.reading() as session:
        snapshot = session.get(Snapshot, snapshot_id)
        others = session.scalars(select(Snapshot).where(Snapshot.external).order_by(Snapshot.id)).all()
    if snapshot is None:
        raise NotFound(f"There is no snapshot {snapshot_id}. Freeze one first.")
    if snapshot.external:
        raise InputRejected(
            f"Snapshot “{snapshot.name}” is an external test set: nothing is trained on it. Choose another snapshot."
        )
    if not others:
        return
    items = read_manifest(store, snapshot.sha256).items
    for other in others:
        kept = read_manifest(store, other.sha256).items
        touched = _touched(items, kept, _looks(store, (*items, *kept)))
        sentences = _sentences(touched, f"Snapshot “{snapshot.name}” holds", other.name)
        if sentences:
            raise LeakageFound(
                f"{' '.join(sentences)} Freeze a new snapshot, which leaves them out, and train on that one."
            )


@dataclass(frozen=True)
class Kept:
    """Whom external test sets keep.

    Attributes:
        items: Images of all sets.
        names: Name of the set that keeps a patient, by her row.
    """

    items: tuple[ManifestItem, ...]
    names: Mapping[int, str]

    def names_by_head(self, kin: Mapping[int, int]) -> dict[int, str]:
        """Name of the set that keeps a group of patients, by the group's head."""
        return {kin[patient_id]: name for patient_id, name in self.names.items()}


def find_kept(store: Store, session: Session, *, but: str | None = None) -> Kept:
    """Whom the external test sets keep.

    Args:
        store: The open store.
        session: A session of it.
        but: Name of a set that does not count: one that is frozen again.
    """
    query = select(Snapshot.name, Snapshot.sha256).where(Snapshot.external).order_by(Snapshot.id)
    items: list[ManifestItem] = []
    names: dict[int, str] = {}
    for name, sha256 in session.execute(query):
        if name != but:
            found = read_manifest(store, sha256).items
            items += found
            names |= {item.patient_id: name for item in found}
    return Kept(tuple(items), names)


def group_patients(images: Iterable[tuple[int, int, str]], looks: Mapping[int, str]) -> dict[int, int]:
    """Group patients who share an image or a near copy of one.

    Args:
        images: Row, patient and hash of the file of each image.
        looks: Perceptual hash of each image by its row.

    Returns:
        For each patient the lowest row of her group.
    """
    listed = list(images)
    patients = {image_id: patient_id for image_id, patient_id, _ in listed}
    near = ((patients[one], patients[other]) for one, other in near_copies(patients, looks))
    return group_by_shared_image(((patient_id, sha256) for _, patient_id, sha256 in listed), near_copies=near)


def who_has_learned(store: Store, session: Session, manifest: Manifest, looks: Mapping[int, str]) -> tuple[str, ...]:
    """Which published checkpoints have learned from patients of a test set that is to be frozen, one sentence each."""
    query = (
        select(Checkpoint, Snapshot.sha256)
        .join(Snapshot, Snapshot.id == Checkpoint.snapshot_id)
        .order_by(Checkpoint.id)
    )
    alike: dict[tuple[str, bool], list[Checkpoint]] = {}
    for checkpoint, sha256 in session.execute(query):
        alike.setdefault((sha256, _learns_from_all(checkpoint.card)), []).append(checkpoint)
    found = []
    for (sha256, _), checkpoints in alike.items():
        touched = _touched(learned_from(read_manifest(store, sha256), checkpoints[0].card), manifest.items, looks)
        if touched.n_patients:
            names = " and ".join(checkpoint.name for checkpoint in checkpoints)
            found.append(
                f"{names} learned from images of {touched.n_patients} of these patients: there the "
                "set will count as seen."
            )
    return tuple(found)


@dataclass(frozen=True)
class _Touched:
    """What other images have in common with a test set, each patient and image of the set counted once.

    Attributes:
        patients: Patients who stand in both.
        files: Further images of the set that are the same file as one of the others.
        copies: Further images of the set of which one of the others is a near copy.
        n_patients: How many patients of the set this concerns.
    """

    patients: tuple[int, ...]
    files: tuple[int, ...]
    copies: tuple[int, ...]
    n_patients: int


def _touched(items: Sequence[ManifestItem], kept: Sequence[ManifestItem], looks: Mapping[int, str]) -> _Touched:
    patients = {item.patient_id for item in items} & {item.patient_id for item in kept}
    further = {item.image_id: item for item in kept if item.patient_id not in patients}
    shas = {item.image_sha256 for item in items}
    files = {image_id for image_id, item in further.items() if item.image_sha256 in shas}
    others = {item.image_id for item in items} - set(further)
    near = near_copies({*others, *further}, looks)
    copies = {
        image_id
        for one, other in near
        for image_id, counterpart in ((one, other), (other, one))
        if image_id in further and counterpart in others
    } - files
    concerned = patients | {further[image_id].patient_id for image_id in files | copies}
    return _Touched(tuple(sorted(patients)), tuple(sorted(files)), tuple(sorted(copies)), len(concerned))


def _learns_from_all(card: Mapping[str, Any]) -> bool:
    """Whether the training augmented before it split; a card of an older version names no protocol, and did not."""
    return bool(card.get("protocol") == "paper")


def _looks(store: Store, items: Iterable[ManifestItem]) -> dict[int, str]:
    fill_fingerprints(store, {item.image_id for item in items})
    with store.reading() as session:
        return fingerprints(session)


def _sentences(touched: _Touched, who: str, name: str) -> tuple[str, ...]:
    """What was touched, as sentences that begin with who touched it."""
    of_set = f"of the external test set “{name}”"
    found = []
    if touched.patients:
        found.append(f"{who} {_numbered('patient', touched.patients)} {of_set}.")
    if touched.files:
        found.append(f"{who} the same file as {_numbered('image', touched.files)} {of_set}.")
    if touched.copies:
        found.append(f"{who} near copies of {_numbered('image', touched.copies)} {of_set}.")
    return tuple(found)


def _numbered(noun: str, ids: Sequence[int]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{noun}{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids[:_SHOWN]))}{more}"
