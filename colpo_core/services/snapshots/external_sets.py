"""External test sets: whom they keep from all other snapshots, and which checkpoints have seen something of them.

A patient of an external set, whoever shares an image with that patient, and whoever has a near copy of such an image
stand in no other snapshot. What was frozen or trained before the set cannot be undone: no training starts on such a
snapshot any more, and `seen_by` says what a checkpoint has learned from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.datasets.patient_groups import group_by_shared_image
from colpo_core.errors import InputRejected, LeakageFound
from colpo_core.records.snapshots.snapshots import SnapshotRecord
from colpo_core.services.cases.contradictions import rows_text
from colpo_core.services.cases.fingerprints import fill_fingerprints, fingerprints, near_copies
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.snapshots.learned import learned_images, learned_patients, learns_from_all, patients_met
from colpo_core.services.snapshots.learned_copies import LearnedImage
from colpo_core.services.snapshots.rows import read_manifest, snapshot_record, snapshot_rows
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Checkpoint, Snapshot


@allowed(CLINICIANS)
def external_sets(caller: Caller) -> tuple[SnapshotRecord, ...]:
    """All external test sets, newest first."""
    query = snapshot_rows().where(Snapshot.external).order_by(Snapshot.id.desc())
    with caller.store.reading() as session:
        return tuple(snapshot_record(row) for row in session.execute(query))


@allowed(CLINICIANS)
def seen_by(caller: Caller, *, checkpoint_id: int, snapshot_id: int) -> tuple[str, ...]:
    """What of an external test set a checkpoint's training has touched: see `learned.learned_from`.

    Returns:
        Sentences that name patients and images by their rows; none where the set is unseen.

    Raises:
        NotFound: There is no such checkpoint or snapshot, its file is missing or damaged, or it is not known whom the
            checkpoint learned from.
        InputRejected: The snapshot is no external test set.
        SnapshotMismatch: A manifest is not what its hash says.
    """
    with caller.store.reading() as session:
        checkpoint = find_row(session, Checkpoint, checkpoint_id)
        snapshot = find_row(session, Snapshot, snapshot_id)
        if not snapshot.external:
            raise InputRejected(f"Snapshot “{snapshot.name}” is no external test set. Choose one that is.")
        learned = _learned(caller.store, session, checkpoint_id)
    reserved = read_manifest(caller.store, snapshot.sha256).items
    touched = _touched(learned, reserved, _looks(caller.store, (*learned.images, *reserved)))
    return _sentences(touched, f"The training of {checkpoint.name} saw", snapshot.name)


def refuse_training(store: Store, snapshot_id: int) -> None:
    """Refuse to train on an external test set, and on a snapshot that holds any of its patients on any side.

    Raises:
        NotFound: There is no such snapshot, or a file is missing or damaged.
        InputRejected: The snapshot is an external test set.
        LeakageFound: The snapshot holds patients, images or near copies of an external set that was frozen since.
        SnapshotMismatch: A manifest is not what its hash says.
    """
    with store.reading() as session:
        snapshot = find_row(session, Snapshot, snapshot_id)
        others = session.scalars(select(Snapshot).where(Snapshot.external).order_by(Snapshot.id)).all()
    if snapshot.external:
        raise InputRejected(
            f"Snapshot “{snapshot.name}” is an external test set: nothing is trained on it. Choose another snapshot."
        )
    if not others:
        return
    items = read_manifest(store, snapshot.sha256).items
    held = _Learned(frozenset(item.patient_id for item in items), items, frozenset())
    for other in others:
        reserved = read_manifest(store, other.sha256).items
        touched = _touched(held, reserved, _looks(store, (*items, *reserved)))
        sentences = _sentences(touched, f"Snapshot “{snapshot.name}” holds", other.name)
        if sentences:
            raise LeakageFound(
                f"{' '.join(sentences)} Freeze a new snapshot, which leaves them out, and train on that one."
            )


@dataclass(frozen=True)
class ReservedPatients:
    """The patients whom external test sets keep from all other snapshots.

    Attributes:
        items: Images of all sets.
        names: Name of the set that keeps a patient, by the patient's row.
    """

    items: tuple[ManifestItem, ...]
    names: Mapping[int, str]


def reserved_patients(store: Store, session: Session, *, but: str | None = None) -> ReservedPatients:
    """The patients whom the external test sets keep from all other snapshots.

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
            of_set = read_manifest(store, sha256).items
            items += of_set
            names |= {item.patient_id: name for item in of_set}
    return ReservedPatients(tuple(items), names)


def group_patients(images: Iterable[tuple[int, int, str]], looks: Mapping[int, str]) -> dict[int, int]:
    """Group patients who share an image or a near copy of one.

    Args:
        images: Row, patient and hash of the file of each image.
        looks: Perceptual hash of each image by its row.

    Returns:
        For each patient the lowest row of the group.
    """
    images = list(images)
    patients = {image_id: patient_id for image_id, patient_id, _ in images}
    near = ((patients[image_id], patients[copy_id]) for image_id, copy_id in near_copies(patients, looks))
    return group_by_shared_image(((patient_id, sha256) for _, patient_id, sha256 in images), near_copies=near)


def who_has_learned(store: Store, session: Session, manifest: Manifest, looks: Mapping[int, str]) -> tuple[str, ...]:
    """Which published checkpoints have learned from patients of a test set that is to be frozen, one sentence each.

    Raises:
        NotFound: Of a checkpoint it is not known whom it learned from.
    """
    alike: dict[tuple[int, bool], list[Checkpoint]] = {}
    for checkpoint in session.scalars(select(Checkpoint).order_by(Checkpoint.id)):
        alike.setdefault((checkpoint.snapshot_id, learns_from_all(checkpoint.card)), []).append(checkpoint)
    sentences = []
    for checkpoints in alike.values():
        touched = _touched(_learned(store, session, checkpoints[0].id), manifest.items, looks)
        if touched.n_patients:
            names = " and ".join(checkpoint.name for checkpoint in checkpoints)
            sentences.append(
                f"{names} learned from images of {touched.n_patients} of these patients: there the "
                "set will count as seen."
            )
    return tuple(sentences)


@dataclass(frozen=True)
class _Learned:
    """What may have touched a test set.

    Attributes:
        patients: Whose images were learned from.
        images: Which.
        met: Patients whom a training has met, under whatever code; those of `patients` among them.
    """

    patients: frozenset[int]
    images: Sequence[ManifestItem | LearnedImage]
    met: frozenset[int]


def _learned(store: Store, session: Session, checkpoint_id: int) -> _Learned:
    return _Learned(
        learned_patients(session, checkpoint_id),
        learned_images(session, checkpoint_id),
        patients_met(store, session, checkpoint_id),
    )


@dataclass(frozen=True)
class _Touched:
    """What other images have in common with a test set, each patient and image of the set counted once.

    Attributes:
        patients: Patients who stand in both.
        files: Further images of the set that are the same file as one of the others.
        copies: Further images of the set of which one of the others is a near copy.
        met: Further patients of whom another image, which is not in the set, is such a file or copy.
        n_patients: How many patients of the set this concerns.
    """

    patients: tuple[int, ...]
    files: tuple[int, ...]
    copies: tuple[int, ...]
    met: tuple[int, ...]
    n_patients: int


def _touched(learned: _Learned, reserved: Sequence[ManifestItem], looks: Mapping[int, str]) -> _Touched:
    items, of_set = learned.images, {item.patient_id for item in reserved}
    patients = (learned.patients | {item.patient_id for item in items}) & of_set
    further = {item.image_id: item for item in reserved if item.patient_id not in patients}
    shas = {item.image_sha256 for item in items}
    files = {image_id for image_id, item in further.items() if item.image_sha256 in shas}
    others = {item.image_id for item in items} - set(further)
    near = near_copies({*others, *further}, looks)
    copies = {
        image_id
        for first_id, second_id in near
        for image_id, counterpart in ((first_id, second_id), (second_id, first_id))
        if image_id in further and counterpart in others
    } - files
    concerned = patients | {further[image_id].patient_id for image_id in files | copies}
    met = (learned.met & of_set) - concerned
    return _Touched(
        patients=tuple(sorted(patients)),
        files=tuple(sorted(files)),
        copies=tuple(sorted(copies)),
        met=tuple(sorted(met)),
        n_patients=len(concerned | met),
    )


def _looks(store: Store, items: Iterable[ManifestItem | LearnedImage]) -> dict[int, str]:
    fill_fingerprints(store, {item.image_id for item in items})
    with store.reading() as session:
        return fingerprints(session)


def _sentences(touched: _Touched, subject: str, name: str) -> tuple[str, ...]:
    """What was touched, as sentences that begin with `subject`, who touched it."""
    of_set = f"of the external test set “{name}”"
    sentences = []
    if touched.patients:
        sentences.append(f"{subject} {rows_text('patient', touched.patients)} {of_set}.")
    if touched.files:
        sentences.append(f"{subject} the same file as {rows_text('image', touched.files)} {of_set}.")
    if touched.copies:
        sentences.append(f"{subject} near copies of {rows_text('image', touched.copies)} {of_set}.")
    if touched.met:
        sentences.append(f"{subject} other images of {rows_text('patient', touched.met)} {of_set} under another code.")
    return tuple(sentences)
