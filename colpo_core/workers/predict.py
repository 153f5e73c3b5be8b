"""A prediction job's work: one image after the other, each stored as soon as it is done."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, select

from colpo_core.errors import ColpoError, JobCancelled, JobFailed, Unreachable
from colpo_core.evaluation.likeness import pack_features
from colpo_core.images.decoding import read_rgb
from colpo_core.images.maps import pack_maps
from colpo_core.images.probabilities import pack_probabilities
from colpo_core.images.quality_figures import ImageStatistics, image_statistics
from colpo_core.records.jobs.results import FailedImage, PredictionResult
from colpo_core.records.jobs.settings import PredictionSettings, read_settings
from colpo_core.services.common.mask_rows import store_pixels
from colpo_core.services.jobs.leases import Finish, Lease, LeaseLost
from colpo_core.services.models.files import checkpoint_dir
from colpo_core.services.models.prediction_scope import PREDICTION, images_of, unpredicted
from colpo_core.store.tables import Checkpoint, Image, ImageFigures, Job, JobEvent, Prediction, PredictionFeatures

if TYPE_CHECKING:
    from colpo_core.inference.predict import ImagePrediction
    from colpo_core.nets.pipeline import Pipeline

log = logging.getLogger(__name__)
_TELL_EVERY_SECONDS = 10.0


class Pace:
    """How quick it goes: told now and then, over the time since it was told last.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._done = 0

    def after_one(self) -> float | None:
        """Count one more image; images a second, where it is time to tell."""
        self._done += 1
        taken = self._clock() - self._since
        if taken < _TELL_EVERY_SECONDS:
            return None
        speed = self._done / taken
        self._since, self._done = self._clock(), 0
        return speed


def run_prediction(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    """Predict the job's images that the checkpoint has not predicted yet; a bad image is reported, the rest go on.

    Args:
        lease: The right to write for the job.
        must_stop: Asked before every image.

    Returns:
        What gives the job's result: how many were predicted, and which failed and why.

    Raises:
        JobCancelled: `must_stop` said so.
        JobFailed: Not one image could be predicted.
        CheckpointMismatch: The checkpoint is damaged.
        LeaseLost: Another runner has the job.
    """
    # Only here, in the runner: torch takes seconds to import, and must never enter the web process.
    from colpo_core.nets.checkpoint import load_checkpoint

    store = lease.store
    with store.reading() as session:
        settings = read_settings(PredictionSettings, session.get_one(Job, lease.job_id).settings)
        checkpoint = session.get_one(Checkpoint, settings.checkpoint_id)
        checkpoint_id, name, sha256 = checkpoint.id, checkpoint.name, checkpoint.sha256
        left = and_(images_of(settings), unpredicted(checkpoint_id))
        todo = session.execute(select(Image.id, Image.sha256).where(left).order_by(Image.id)).all()
        total = max(settings.n_images, len(todo))
    pipeline, _card = load_checkpoint(checkpoint_dir(store, name, sha256), expected_sha256=sha256)
    failed: list[FailedImage] = []
    pace = Pace()
    for done, (image_id, image_sha256) in enumerate(todo, start=total - len(todo) + 1):
        if must_stop():
            raise JobCancelled("The prediction was cancelled; what was predicted so far is kept.")
        try:
            rgb = read_rgb(store.blobs.get(image_sha256))
            prediction = _predict(pipeline, rgb)
        except (LeaseLost, Unreachable):
            raise
        except ColpoError as error:
            log.warning("image %d: %s", image_id, error)
            failed.append(FailedImage(image_id, str(error)))
            _write_failure(lease, image_id, str(error), done, total)
        else:
            statistics = image_statistics(rgb)
            _write_prediction(lease, checkpoint_id, image_id, prediction, statistics, done, total)
        if (speed := pace.after_one()) is not None:
            _write_speed(lease, speed, done)
    if failed and len(failed) == total:
        raise JobFailed(f"Not one of {total} images could be predicted. The first: {failed[0].reason}")
    return lambda _session, _job: PredictionResult(total - len(failed), tuple(failed))


def _predict(pipeline: "Pipeline", rgb: NDArray[np.uint8]) -> "ImagePrediction":
    from colpo_core.inference.predict import predict_image

    return predict_image(pipeline, rgb, with_maps=True)


def _write_prediction(
    lease: Lease,
    checkpoint_id: int,
    image_id: int,
    prediction: "ImagePrediction",
    statistics: ImageStatistics,
    done: int,
    total: int,
) -> None:
    blobs = lease.store.blobs
    maps_sha256 = blobs.put(pack_maps(prediction.maps))
    acetowhite_sha256 = None if prediction.acetowhite is None else blobs.put(pack_probabilities(prediction.acetowhite))
    with lease.writing() as (session, job):
        row = Prediction(
            image_id=image_id,
            checkpoint_id=checkpoint_id,
            prob_hsil_3ch=prediction.prob_hsil_3ch,
            prob_hsil_4ch=prediction.prob_hsil_4ch,
            threshold_3ch=prediction.threshold_3ch,
            threshold_4ch=prediction.threshold_4ch,
            acetowhite_fraction=prediction.acetowhite_fraction,
            mask_entropy=prediction.mask_entropy,
            mask_id=store_pixels(session, prediction.mask).id,
            maps_sha256=maps_sha256,
            acetowhite_sha256=acetowhite_sha256,
        )
        session.add(row)
        session.merge(ImageFigures(image_id=image_id, **asdict(statistics)))
        if prediction.features is not None:
            session.flush()
            session.add(PredictionFeatures(prediction_id=row.id, features=pack_features(prediction.features)))
        _write_progress(job, done, total)


def _write_failure(lease: Lease, image_id: int, reason: str, done: int, total: int) -> None:
    with lease.writing() as (session, job):
        message = f"Image {image_id} was not predicted: {reason}"
        session.add(JobEvent(job_id=job.id, stage=PREDICTION, epoch=done, message=message))
        _write_progress(job, done, total)


def _write_speed(lease: Lease, images_per_second: float, done: int) -> None:
    with lease.writing() as (session, job):
        figures = {"images_per_second": images_per_second}
        session.add(JobEvent(job_id=job.id, stage=PREDICTION, epoch=done, figures=figures))


def _write_progress(job: Job, done: int, total: int) -> None:
    job.stage, job.epoch, job.epochs_total, job.progress = PREDICTION, done, total, done / total
