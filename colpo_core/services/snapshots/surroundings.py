"""What stored images show beside the cervix: measured once each, when a search for shortcuts first needs it."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import ImageRejected, NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.images.surroundings import SURROUNDINGS_VERSION, Surroundings, surroundings
from colpo_core.store import Store
from colpo_core.store.tables import ImageSurroundings

_BATCH = 50


def fill_surroundings(store: Store, images: Mapping[int, str], *, at_most: int | None = None) -> int:
    """Measure the images that have not been measured by this version.

    Args:
        store: The open store.
        images: Hash of each image's file, by its row.
        at_most: So many at a time; all when None.

    Returns:
        How many are still not measured.

    Raises:
        NotFound: An image's file is missing or damaged; what was measured before it is kept.
    """
    with store.reading() as session:
        todo = sorted(set(images) - _measured(session))
    now = todo if at_most is None else todo[:at_most]
    for start in range(0, len(now), _BATCH):
        made = [(image_id, _measure(store, image_id, images[image_id])) for image_id in now[start : start + _BATCH]]
        with store.writing() as session:
            for image_id, packed in made:
                session.merge(ImageSurroundings(image_id=image_id, version=SURROUNDINGS_VERSION, figures=packed))
    return len(todo) - len(now)


def find_surroundings(session: Session, image_ids: Collection[int]) -> dict[int, Surroundings]:
    """What was measured of these images by this version, by their rows."""
    rows = session.execute(
        select(ImageSurroundings.image_id, ImageSurroundings.figures).where(
            ImageSurroundings.version == SURROUNDINGS_VERSION
        )
    )
    wanted = set(image_ids)
    return {image_id: Surroundings.unpack(packed) for image_id, packed in rows if image_id in wanted}


def _measured(session: Session) -> set[int]:
    image_ids: Sequence[int] = session.scalars(
        select(ImageSurroundings.image_id).where(ImageSurroundings.version == SURROUNDINGS_VERSION)
    ).all()
    return set(image_ids)


def _measure(store: Store, image_id: int, sha256: str) -> bytes:
    try:
        return surroundings(read_rgb(store.blobs.get(sha256))).pack()
    except (NotFound, ImageRejected) as error:
        raise NotFound(
            f"The file of image {image_id} is missing or damaged. Restore the store's folder from a back-up, or mark "
            "the image as not showing the cervix."
        ) from error
