"""What the stored images look like: their perceptual hashes, and whose images are near copies of each other."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from colpo_core.errors import ImageRejected, NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.images.perceptual import near_pairs, perceptual_hash
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Stage

_BATCH = 100


def fill_fingerprints(store: Store, image_ids: Collection[int] | None = None) -> int:
    """Compute the perceptual hashes that an older store lacks, from the images' files; each is computed once.

    Args:
        store: The open store.
        image_ids: Rows of the images; those that a snapshot may take when None.

    Returns:
        How many images got theirs.

    Raises:
        NotFound: An image's file is missing or damaged; what was computed before it is kept.
    """
    todo = _without_fingerprint(store, image_ids)
    for start in range(0, len(todo), _BATCH):
        computed = [(image_id, _look(store, image_id, sha256)) for image_id, sha256 in todo[start : start + _BATCH]]
        with store.writing() as session:
            for image_id, looks in computed:
                session.execute(update(Image).where(Image.id == image_id).values(perceptual_hash=looks))
    return len(todo)


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
    return [(known[one], known[other]) for one, other in _pairs(tuple(looks[image_id] for image_id in known))]


@lru_cache(maxsize=4)
def _pairs(hashes: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The last few answers are kept: a page asks for the same images again with every click."""
    return tuple((one, other) for one, other, _ in near_pairs(hashes))


def _without_fingerprint(store: Store, image_ids: Collection[int] | None) -> list[tuple[int, str]]:
    query = select(Image.id, Image.sha256).where(Image.perceptual_hash.is_(None)).order_by(Image.id)
    if image_ids is None:
        query = query.where(Image.stage == Stage.ACETIC_ACID, Image.shows_cervix)
    wanted = None if image_ids is None else set(image_ids)
    with store.reading() as session:
        rows = [(image_id, sha256) for image_id, sha256 in session.execute(query)]
    return [row for row in rows if wanted is None or row[0] in wanted]


def _look(store: Store, image_id: int, sha256: str) -> str:
    try:
        return perceptual_hash(read_rgb(store.blobs.get(sha256)))
    except (NotFound, ImageRejected) as error:
        raise NotFound(
            f"The file of image {image_id} is missing or damaged. Restore the store's folder from a back-up, or mark "
            "the image as not showing the cervix."
        ) from error
