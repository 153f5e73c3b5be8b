"""Which images a prediction is for: those that somebody named, or all that the store held when it was asked for."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, exists, func, not_, select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.records.jobs.settings import PredictionSettings, read_settings
from colpo_core.store.dialects import among
from colpo_core.store.facts import no_such
from colpo_core.store.tables import Image, Job, Prediction
from colpo_core.terms import JobKind, JobState, Stage

"""A model reads images after acetic acid that show the cervix, and no others."""
PREDICTION = "prediction"
"""The stage of a prediction job, in its events."""


def settle_scope(session: Session, checkpoint_id: int, image_ids: Sequence[int] | None) -> PredictionSettings | None:
    """What a new prediction job is to do, without what is predicted already or what a job under way will predict.

    Args:
        session: A session in which nothing else is queued meanwhile.
        checkpoint_id: Row of the checkpoint.
        image_ids: Which images; None for all of the store that can be predicted.

    Returns:
        The job's settings; None where nothing is left.

    Raises:
        InputRejected: No image is named, or one of them cannot be predicted.
        NotFound: One of them is not in the store.
    """
    left = _left(session, checkpoint_id)
    if image_ids is None:
        wanted = and_(Image.is_readable, left)
        read = select(func.count(), func.min(Image.id), func.max(Image.id)).where(wanted)
        count, first, last = session.execute(read).one()
        settings = PredictionSettings(checkpoint_id, None, count, after_image_id=(first or 1) - 1, up_to_image_id=last)
    else:
        _check(session, image_ids)
        ids = tuple(session.scalars(select(Image.id).where(among(Image.id, image_ids), left).order_by(Image.id)))
        settings = PredictionSettings(checkpoint_id, ids, len(ids))
    return settings if settings.n_images else None


def shares_of(session: Session, settings: PredictionSettings, *, shard_images: int | None) -> list[PredictionSettings]:
    """Share a prediction out among several jobs, each with a range of the images.

    Args:
        session: The session in which the prediction was settled.
        settings: From `settle_scope`.
        shard_images: How many images one job is for at most; None for all of them.

    Returns:
        The settings of each job, in order.
    """
    n_images = settings.n_images
    if shard_images is None or n_images <= shard_images:
        return [settings]
    starts = range(0, n_images, shard_images)
    common = replace(settings, shards=len(starts))
    sizes = [min(shard_images, n_images - start) for start in starts]
    if settings.image_ids is not None:
        ids = settings.image_ids
        return [
            replace(common, image_ids=ids[start : start + size], n_images=size)
            for start, size in zip(starts, sizes, strict=True)
        ]
    bounds = [settings.after_image_id, *_ends(session, settings, shard_images), settings.up_to_image_id]
    return [
        replace(common, after_image_id=after, up_to_image_id=up_to, n_images=size)
        for (after, up_to), size in zip(pairwise(bounds), sizes, strict=True)
    ]


def _ends(session: Session, settings: PredictionSettings, shard_images: int) -> Sequence[int]:
    """The last image of each share but the last one, in one pass over the images."""
    number = func.row_number().over(order_by=Image.id).label("place")
    wanted = and_(images_of(settings), _left(session, settings.checkpoint_id))
    numbered = select(Image.id, number).where(wanted).subquery()
    ends = numbered.c.place % shard_images == 0
    read = select(numbered.c.id).where(ends, numbered.c.place < settings.n_images).order_by(numbered.c.id)
    return session.scalars(read).all()


def _left(session: Session, checkpoint_id: int) -> ColumnElement[bool]:
    """Whether an image is neither predicted nor about to be."""
    return and_(unpredicted(checkpoint_id), *(not_(images_of(other)) for other in _under_way(session, checkpoint_id)))


def images_of(settings: PredictionSettings) -> ColumnElement[bool]:
    """Whether an image belongs to a prediction job, by the job's settings."""
    if settings.image_ids is not None:
        return among(Image.id, settings.image_ids)
    return and_(Image.is_readable, Image.id > settings.after_image_id, Image.id <= settings.up_to_image_id)


def unpredicted(checkpoint_id: int) -> ColumnElement[bool]:
    """Whether a checkpoint has not predicted an image."""
    return ~exists().where(Prediction.image_id == Image.id, Prediction.checkpoint_id == checkpoint_id)


def _under_way(session: Session, checkpoint_id: int) -> list[PredictionSettings]:
    query = select(Job).where(Job.kind == JobKind.PREDICT, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    jobs = [job for job in session.scalars(query) if not job.cancel_requested]
    scopes = [read_settings(PredictionSettings, job.settings) for job in jobs]
    return [scope for scope in scopes if scope.checkpoint_id == checkpoint_id]


def _check(session: Session, image_ids: Collection[int]) -> None:
    if not image_ids:
        raise InputRejected("Name at least one image to predict.")
    known = session.scalar(select(func.count(Image.id)).where(among(Image.id, image_ids)))
    if known != len(set(image_ids)):
        stored = set(session.scalars(select(Image.id).where(among(Image.id, image_ids))))
        raise no_such(Image, min(set(image_ids) - stored))
    refused = select(Image).where(among(Image.id, image_ids), not_(Image.is_readable)).order_by(Image.id).limit(1)
    image = session.scalar(refused)
    if image is None:
        return
    if image.stage is not Stage.ACETIC_ACID:
        raise InputRejected(f"Image {image.id} was not taken after acetic acid; the model reads only those.")
    raise InputRejected(f"Image {image.id} is marked as not showing the cervix.")
