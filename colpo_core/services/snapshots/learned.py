"""Whom and what a checkpoint has learned from: the one rule by which a model counts as having met a patient.

Two things are written down when a checkpoint is published, from the manifest of its snapshot and its card: the patients
and the images that it learned from or chose its epoch and thresholds by. The rest is found when it is asked for,
because it changes: under which code such an image is filed now, and which images are copies or near copies of one. A
copy that comes in a year after the training makes its patient one whom the model has met, from then on.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import NotFound, SnapshotMismatch
from colpo_core.services.snapshots.learned_copies import LearnedImage, patients_of
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.dialects import among
from colpo_core.store.facts import find_one
from colpo_core.store.tables import Case, Checkpoint, CheckpointImage, CheckpointPatient, Image, Patient, Snapshot
from colpo_core.terms import Split


def learned_from(manifest: Manifest, card: Mapping[str, Any]) -> tuple[ManifestItem, ...]:
    """The images that a training learned from or chose by.

    Returns:
        Those of train and validation. By the paper's protocol all, because copies of each image stand on every side.
    """
    if learns_from_all(card):
        return manifest.items
    return manifest.of(Split.TRAIN) + manifest.of(Split.VALIDATION)


def learns_from_all(card: Mapping[str, Any]) -> bool:
    """Whether the training augmented before it split; a card of an older version names no protocol, and did not."""
    return bool(card.get("protocol") == "paper")


def record_learned(session: Session, checkpoint: Checkpoint, manifest: Manifest) -> None:
    """Write down what a checkpoint has learned from; once, when it is published.

    Rows that a manifest names and that the store no longer holds are left out: nobody can ask about them.
    """
    items = learned_from(manifest, checkpoint.card)
    patients = among(Patient.id, {item.patient_id for item in items})
    images = among(Image.id, {item.image_id for item in items})
    for table, column, query in (
        (CheckpointPatient, "patient_id", select(literal(checkpoint.id), Patient.id).where(patients)),
        (CheckpointImage, "image_id", select(literal(checkpoint.id), Image.id).where(images)),
    ):
        session.execute(insert(table).from_select(["checkpoint_id", column], query))
    checkpoint.learning_recorded = True


def fill_learned(store: Store) -> tuple[str, ...]:
    """Write down what the checkpoints have learned from that an older version of the program published.

    Returns:
        A sentence for each checkpoint of which it cannot be told, since its snapshot's file is missing or damaged.
        Nothing is guessed for it: what rests on it refuses until the file is back and this is done again.
    """
    query = (
        select(Checkpoint.id, Checkpoint.name, Snapshot.sha256)
        .join(Snapshot, Snapshot.id == Checkpoint.snapshot_id)
        .where(Checkpoint.learning_recorded.is_(False))
        .order_by(Checkpoint.id)
    )
    with store.reading() as session:
        unknown = session.execute(query).all()
    sentences = []
    for checkpoint_id, name, sha256 in unknown:
        try:
            manifest = read_manifest(store, sha256)
        except (NotFound, SnapshotMismatch) as error:
            sentences.append(f"Whom {name} has learned from cannot be told. {error}")
            continue
        with store.writing() as session:
            record_learned(session, session.get_one(Checkpoint, checkpoint_id), manifest)
    return tuple(sentences)


def learned_patients(session: Session, checkpoint_id: int) -> frozenset[int]:
    """Rows of the patients whom a checkpoint learned from, by the codes of then.

    Raises:
        NotFound: There is no such checkpoint, or it is not known whom it learned from.
    """
    query = select(Checkpoint.name, Checkpoint.learning_recorded).where(Checkpoint.id == checkpoint_id)
    checkpoint = find_one(session, query, checkpoint_id)
    if not checkpoint.learning_recorded:
        raise NotFound(
            f"Whom {checkpoint.name} has learned from is not known: the file of its snapshot was missing or damaged. "
            "Restore the store's folder from a back-up, and run `python -m colpo_core store upgrade`."
        )
    patients = select(CheckpointPatient.patient_id).where(CheckpointPatient.checkpoint_id == checkpoint_id)
    return frozenset(session.scalars(patients))


def learned_images(session: Session, checkpoint_id: int) -> tuple[LearnedImage, ...]:
    """The images that a checkpoint learned from, by rising row."""
    query = (
        select(Image.id, Image.sha256, Case.patient_id, Image.perceptual_hash)
        .join(CheckpointImage, CheckpointImage.image_id == Image.id)
        .join(Case, Case.id == Image.case_id)
        .where(CheckpointImage.checkpoint_id == checkpoint_id)
        .order_by(Image.id)
    )
    return tuple(LearnedImage(*row) for row in session.execute(query))


def patients_met(store: Store, session: Session, *checkpoint_ids: int) -> frozenset[int]:
    """Rows of all patients whom one of some checkpoints has met, under whatever code.

    They are the patients of `learned_patients`, those under whom the images of `learned_images` are filed now, and
    those who have a copy or near copy of such an image now: a model that has learned from a photograph knows the woman,
    whatever she is called. An image that an older version stored and nobody has looked at since is compared by its file
    alone.

    Raises:
        NotFound: There is no such checkpoint, or it is not known whom it learned from.
    """
    met: frozenset[int] = frozenset()
    for checkpoint_id in checkpoint_ids:
        met |= learned_patients(session, checkpoint_id)
        met |= patients_of(store, session, learned_images(session, checkpoint_id))
    return met
