"""Whom a training has met under another code: patients with a copy, or a near copy, of an image it learned from.

Comparing all images of a store with those of a training takes seconds where both are many, so what was compared is
kept while the program runs, and only images that have come since are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.images.perceptual import Looks
from colpo_core.services.common.cache import LruCache
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image

ImagesState = tuple[int, int, int]


@dataclass(frozen=True)
class LearnedImage:
    """An image that a checkpoint has learned from, as it is filed now.

    Attributes:
        image_id: Row of the image.
        image_sha256: Hash of its file.
        patient_id: Row of the patient under whom it is filed.
        perceptual_hash: What it looks like; None where an older version stored it and nobody has looked at it since.
    """

    image_id: int
    image_sha256: str
    patient_id: int
    perceptual_hash: str | None


_COMPARED_AT_ONCE = 200
_ASKED_AT_ONCE = 1000


@dataclass
class _Compared:
    """How far the store's images were compared with those of a training.

    Attributes:
        shas: Hashes of the files that the training learned from.
        looks: What those images look like, as far as that is known.
        state: The store's images when they were compared last.
        done: Rows of the images that need not be compared again.
        copies: Rows of those that are copies or near copies.
    """

    shas: frozenset[str]
    looks: Looks
    state: ImagesState = (0, 0, 0)
    done: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def catch_up(self, session: Session) -> frozenset[int]:
        """Compare what has come in since the last time; returns the rows of all copies."""
        with self.lock:
            state = images_state(session)
            if state != self.state:
                rows = session.execute(select(Image.id, Image.sha256, Image.perceptual_hash).order_by(Image.id))
                self._compare([(row.id, row.sha256, row.perceptual_hash) for row in rows if row.id not in self.done])
                self.state = state
            return frozenset(self.copies)

    def _compare(self, rows: list[tuple[int, str, str | None]]) -> None:
        self.copies.update(image_id for image_id, sha256, _ in rows if sha256 in self.shas)
        known = [(image_id, hashed) for image_id, _, hashed in rows if hashed is not None]
        for start in range(0, len(known), _COMPARED_AT_ONCE):
            part = known[start : start + _COMPARED_AT_ONCE]
            places, _, _ = self.looks.near(Looks([hashed for _, hashed in part]))
            self.copies.update(part[index][0] for index in places.tolist())
        self.done.update(image_id for image_id, _ in known)


_COMPARED: LruCache[tuple[str, tuple[int, ...], int], _Compared] = LruCache(8)


def images_state(session: Session) -> ImagesState:
    """Numbers that change when an image comes in, goes, or is looked at."""
    query = select(func.count(), func.count(Image.perceptual_hash), func.max(Image.id)).select_from(Image)
    n_images, n_looked_at, newest = session.execute(query).one()
    return n_images, n_looked_at, newest or 0


def patients_of(store: Store, session: Session, learned: Sequence[LearnedImage]) -> frozenset[int]:
    """Rows of the patients under whom some images, and copies and near copies of them, are filed now.

    Args:
        store: The open store.
        session: A reading session of it.
        learned: The images. Those that an older version stored and nobody has looked at since are compared by their
            files alone.
    """
    looks = [image.perceptual_hash for image in learned if image.perceptual_hash is not None]
    key = (str(store.settings.data_dir), tuple(image.image_id for image in learned), len(looks))
    shas = frozenset(image.image_sha256 for image in learned)
    copies = sorted(_COMPARED.find(key, lambda: _Compared(shas, Looks(looks))).catch_up(session))
    patient_ids = {image.patient_id for image in learned}
    for start in range(0, len(copies), _ASKED_AT_ONCE):
        query = select(Case.patient_id).join(Image, Image.case_id == Case.id)
        patient_ids.update(session.scalars(query.where(Image.id.in_(copies[start : start + _ASKED_AT_ONCE]))))
    return frozenset(patient_ids)
