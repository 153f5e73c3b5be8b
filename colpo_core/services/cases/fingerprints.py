"""What the stored images look like: their perceptual hashes, and whose images are near copies of each other."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from colpo_core.errors import ImageRejected, NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.images.looks import ImageLooks, image_looks
from colpo_core.images.perceptual import Looks, near_pairs, perceptual_hash
from colpo_core.services.common.counting import count_rows
from colpo_core.store import Store
from colpo_core.store.tables import Image, ImageLook

_BATCH = 100
_MOST_PARTS = 64


def fill_fingerprints(store: Store, image_ids: Collection[int] | None = None) -> int:
    """Look at the images that an older store has not looked at, from their files; each is looked at once.

    Their perceptual hashes are kept, and the figures by which there may be something to ask.

    Args:
        store: The open store.
        image_ids: Rows of the images; all that show the cervix when None.

    Returns:
        How many images were looked at.

    Raises:
        NotFound: An image's file is missing or damaged; what was computed before it is kept.
    """
    todo = _not_looked_at(store, image_ids)
    for start in range(0, len(todo), _BATCH):
        computed = [(image_id, *_look(store, image_id, sha256)) for image_id, sha256 in todo[start : start + _BATCH]]
        with store.writing() as session:
            for image_id, hashed, looks in computed:
                session.execute(update(Image).where(Image.id == image_id).values(perceptual_hash=hashed))
                session.merge(ImageLook(image_id=image_id, **asdict(looks)))
    return len(todo)


class StoredLooks:
    """What the stored images look like, kept while a batch comes in: each new image is compared with all before it."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._parts: list[Looks] = []

    def near(self, session: Session, perceptual_hash: str) -> list[int]:
        """Rows of the images that are near copies of one that is not among them yet, the closest first.

        Args:
            session: A session of the store; what has come in since the last time is read.
            perceptual_hash: Of the new image.
        """
        self.catch_up(session)
        new = Looks([perceptual_hash])
        copies: list[tuple[int, int]] = []
        start = 0
        for part in self._parts:
            _, places, distances = part.near(new)
            copies += [(int(how_far), start + int(index)) for index, how_far in zip(places, distances, strict=True)]
            start += len(part)
        return [self._ids[index] for _, index in sorted(copies)]

    def catch_up(self, session: Session) -> None:
        """Read what has come in since the last time; the first time all, which is better done before writing."""
        query = select(Image.id, Image.perceptual_hash).where(Image.perceptual_hash.is_not(None)).order_by(Image.id)
        rows = session.execute(query.where(Image.id > self._ids[-1]) if self._ids else query).all()
        if not rows:
            return
        self._ids += [image_id for image_id, _ in rows]
        self._parts.append(Looks([hashed for _, hashed in rows if hashed is not None]))
        if len(self._parts) > _MOST_PARTS:
            self._parts = [Looks.joined(self._parts)]


def count_without_fingerprint(session: Session) -> int:
    """How many images an older version of the program stored, with which nothing can be compared yet."""
    return count_rows(session, Image, Image.perceptual_hash.is_(None), Image.shows_cervix)


def fingerprints(session: Session) -> dict[int, str]:
    """Perceptual hash of every image that has one, by its row."""
    rows = session.execute(select(Image.id, Image.perceptual_hash).where(Image.perceptual_hash.is_not(None)))
    return {image_id: looks for image_id, looks in rows if looks is not None}


def near_copies(image_ids: Iterable[int], looks: Mapping[int, str]) -> list[tuple[int, int]]:
    """Pairs of images that are near copies of each other, by their rows.

    Args:
        image_ids: Rows of the images to compare.
        looks: What `fingerprints` returned; images without one are not compared.
    """
    known = sorted({image_id for image_id in image_ids if image_id in looks})
    return [(known[first], known[second]) for first, second in _pairs(tuple(looks[image_id] for image_id in known))]


@lru_cache(maxsize=8)
def _pairs(hashes: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The last few answers are kept: a page asks for the same images again with every click."""
    return tuple((first, second) for first, second, _ in near_pairs(hashes))


def _not_looked_at(store: Store, image_ids: Collection[int] | None) -> list[tuple[int, str]]:
    lacks = Image.perceptual_hash.is_(None) | ImageLook.image_id.is_(None)
    query = (
        select(Image.id, Image.sha256)
        .outerjoin(ImageLook, ImageLook.image_id == Image.id)
        .where(lacks)
        .order_by(Image.id)
    )
    if image_ids is None:
        query = query.where(Image.shows_cervix)
    wanted = None if image_ids is None else set(image_ids)
    with store.reading() as session:
        rows = [(image_id, sha256) for image_id, sha256 in session.execute(query)]
    return [row for row in rows if wanted is None or row[0] in wanted]


def _look(store: Store, image_id: int, sha256: str) -> tuple[str, ImageLooks]:
    try:
        rgb = read_rgb(store.blobs.get(sha256))
    except (NotFound, ImageRejected) as error:
        raise NotFound(
            f"The file of image {image_id} is missing or damaged. Restore the store's folder from a back-up, or mark "
            "the image as not showing the cervix."
        ) from error
    return perceptual_hash(rgb), image_looks(rgb)
