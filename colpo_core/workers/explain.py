"""An explaining job's work: what a model says of one image once its mask is changed, or a finding is covered."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete
from sqlalchemy.orm import Session

from colpo_core.errors import JobCancelled
from colpo_core.images.decoding import read_rgb
from colpo_core.records.jobs.results import ExplanationResult
from colpo_core.records.jobs.settings import ExplanationSettings, read_settings
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.jobs.leases import Finish, Lease
from colpo_core.services.models.files import checkpoint_dir
from colpo_core.store.tables import AnnotationVersion, Checkpoint, Image, Job, Mask, Prediction, WhatIf
from colpo_core.terms import Change

if TYPE_CHECKING:
    from colpo_core.inference.what_if import ChangedPrediction, WhatIfImage

STAGE = "what if"


def run_explanation(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    """Work out what the job's prediction would have been with each of the job's changes.

    Args:
        lease: The right to write for the job.
        must_stop: Asked before every change.

    Returns:
        What writes all of them down, in place of those of before, and gives the job's result: how many.

    Raises:
        JobCancelled: `must_stop` said so.
        CheckpointMismatch: The checkpoint is damaged.
        NotFound: The image's file is missing.
        LeaseLost: Another runner has the job.
    """
    # Only here, in the runner: torch takes seconds to import, and must never enter the web process.
    from colpo_core.inference.what_if import WhatIfImage
    from colpo_core.nets.checkpoint import load_checkpoint

    store = lease.store
    with store.reading() as session:
        settings = read_settings(ExplanationSettings, session.get_one(Job, lease.job_id).settings)
        prediction = session.get_one(Prediction, settings.prediction_id)
        checkpoint = session.get_one(Checkpoint, prediction.checkpoint_id)
        image_sha256 = session.get_one(Image, prediction.image_id).sha256
        name, sha256 = checkpoint.name, checkpoint.sha256
        masks = [_mask(session, prediction, change.version_id) for change in settings.changes]
    pipeline, _card = load_checkpoint(checkpoint_dir(store, name, sha256), expected_sha256=sha256)
    image = WhatIfImage(pipeline, read_rgb(store.blobs.get(image_sha256)))
    predicted = []
    for change, mask in zip(settings.changes, masks, strict=True):
        if must_stop():
            raise JobCancelled("What was being worked out was cancelled; what was there before is kept.")
        predicted.append(_changed(image, change.change, mask))
        _write_progress(lease, len(predicted), len(masks))

    def write_down(session: Session, _job: Job) -> ExplanationResult:
        session.execute(delete(WhatIf).where(WhatIf.prediction_id == settings.prediction_id))
        for change, prediction in zip(settings.changes, predicted, strict=True):
            session.add(
                WhatIf(
                    prediction_id=settings.prediction_id,
                    change=change.change,
                    finding=change.finding,
                    version_id=change.version_id,
                    prob_hsil_3ch=prediction.prob_hsil_3ch,
                    prob_hsil_4ch=prediction.prob_hsil_4ch,
                )
            )
        return ExplanationResult(len(predicted))

    return write_down


def _mask(session: Session, prediction: Prediction, version_id: int | None) -> NDArray[np.bool_]:
    """Somebody's mask by its version, else the model's own."""
    mask_id = prediction.mask_id if version_id is None else session.get_one(AnnotationVersion, version_id).mask_id
    return mask_pixels(session.get_one(Mask, mask_id))


def _changed(image: "WhatIfImage", change: Change, mask: NDArray[np.bool_]) -> "ChangedPrediction":
    match change:
        case Change.MASK_EMPTIED:
            return image.with_mask(None)
        case Change.MASK_OF_EXPERT:
            return image.with_mask(mask)
        case Change.COVERED:
            return image.with_cover(mask)


def _write_progress(lease: Lease, done: int, total: int) -> None:
    with lease.writing() as (_session, job):
        job.stage, job.epoch, job.epochs_total, job.progress = STAGE, done, total, done / total
