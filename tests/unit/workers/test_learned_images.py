"""Whether a checkpoint has learned from an image that is not in the store."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import update

from colpo_core.images.decoding import CleanImage, read_rgb
from colpo_core.inference.folder import LearnedFrom
from colpo_core.services.common.callers import Caller
from colpo_core.services.models.registry import get_checkpoint
from colpo_core.store import Store
from colpo_core.store.tables import Image, Snapshot
from colpo_core.workers.foreground import LearnedImages
from tests.support.clinic import PredictedClinic
from tests.support.copies import as_jpeg, cropped
from tests.support.learned import publish_anew


def pixels(desk: PredictedClinic, place: int) -> NDArray[np.uint8]:
    with desk.store.reading() as session:
        return read_rgb(desk.store.blobs.get(session.get_one(Image, desk.cases[place].image_id).sha256))


def told(caller: Caller, desk: PredictedClinic, rgb: NDArray[np.uint8]) -> LearnedFrom:
    checkpoint = get_checkpoint(caller, checkpoint_id=desk.checkpoint_id)
    rgb = np.ascontiguousarray(rgb)
    return LearnedImages(caller.store, checkpoint).tell(CleanImage(rgb, rgb.shape[1], rgb.shape[0]))


def test_the_very_image_a_copy_of_it_and_another_are_told_apart(administrator: Caller, desk: PredictedClinic) -> None:
    learned, other = pixels(desk, -1), pixels(desk, 0)
    assert told(administrator, desk, learned) is LearnedFrom.YES
    assert told(administrator, desk, as_jpeg(np.rot90(learned), 70)) is LearnedFrom.NEAR_COPY
    assert told(administrator, desk, cropped(learned, 0.05, 1.0)) is LearnedFrom.NEAR_COPY
    assert told(administrator, desk, other) is LearnedFrom.NO, "it was not trained on"


def test_what_cannot_be_compared_is_not_known(store: Store, administrator: Caller, desk: PredictedClinic) -> None:
    other = pixels(desk, 0)
    with store.writing() as session:
        session.execute(update(Image).values(perceptual_hash=None))
        lost = session.get_one(Image, desk.cases[-1].image_id).sha256
    store.blobs.path(lost).unlink()
    assert told(administrator, desk, other) is LearnedFrom.NOT_KNOWN


def test_without_the_snapshots_file_nothing_is_known_where_it_was_never_read(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    learned = pixels(desk, -1)
    with store.reading() as session:
        store.blobs.path(session.get_one(Snapshot, desk.snapshot_id).sha256).unlink()
    assert told(administrator, desk, learned) is LearnedFrom.YES
    assert publish_anew(store, desk.checkpoint_id)
    assert told(administrator, desk, learned) is LearnedFrom.NOT_KNOWN
